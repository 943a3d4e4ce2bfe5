//! Relations: tables, joins, and the results of a query level's stages.

use std::marker::PhantomData;

use pgrx::pg_sys;

use super::{Expr, Path, Query, Target, pointers};

/// A relation with the ways to read it.
#[derive(Debug, Clone, Copy)]
pub struct Relation<'p> {
    pub(in crate::pg) rel: *mut pg_sys::RelOptInfo,
    life: PhantomData<&'p ()>,
}

impl<'p> Relation<'p> {
    /// Wraps what a planner's hook is called with.
    ///
    /// # Safety
    /// `rel` is a relation of the query that is being planned, and `'p` is no longer than the planning.
    pub unsafe fn new(rel: *mut pg_sys::RelOptInfo) -> Self {
        Self { rel, life: PhantomData }
    }

    /// Whether it is the result of grouping, of window functions or of DISTINCT, where the columns of tables are gone.
    pub fn is_result(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { (*self.rel).reloptkind == pg_sys::RelOptKind::RELOPT_UPPER_REL }
    }

    /// Whether it may be read by several processes.
    pub fn may_be_parallel(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.rel).consider_parallel }
    }

    /// Whether it is partitioned. The planner pushes the columns of such a one below its Append.
    pub fn is_partitioned(self) -> bool {
        // SAFETY: as above; these are what the server's IS_PARTITIONED_REL looks at.
        unsafe {
            let rel = &*self.rel;
            !rel.part_scheme.is_null() && !rel.boundinfo.is_null() && rel.nparts > 0 && !rel.part_rels.is_null()
        }
    }

    /// Ways to read it that are kept, of a relation to which paths are being added.
    ///
    /// To be asked of such a relation only. `add_path` frees a path that another one beats, and takes it from the list
    /// of the relation that it was added to, not from others: `create_ordered_paths` adds a path that has the order
    /// already to the ordered relation as it is, and a cheaper one frees it there while it still stands among the
    /// paths of what is sorted. So there is no function that reads the list of a relation that is done, nor its
    /// cheapest paths: two crashes came from them. What a kept path reads is not freed, or no plan could be made of it.
    pub fn paths(self) -> Vec<Path<'p>> {
        // SAFETY: as above; the list holds paths.
        unsafe { pointers((*self.rel).pathlist).into_iter().map(|path| Path::new(path)).collect() }
    }

    /// Ways to read a part of it in each of several processes, the cheapest first. None is ever added to another
    /// relation: the server adds what it puts above them (`generate_useful_gather_paths`, `create_ordered_paths`).
    pub fn partial_paths(self) -> Vec<Path<'p>> {
        // SAFETY: as above.
        unsafe { pointers((*self.rel).partial_pathlist).into_iter().map(|path| Path::new(path)).collect() }
    }

    /// Offers a way to read it.
    pub fn offer(self, path: Path<'p>) {
        // SAFETY: as above; the path was made for this relation.
        unsafe { pg_sys::add_path(self.rel, path.path) }
    }

    /// The columns that the query needs of it.
    pub fn target(self) -> Target<'p> {
        // SAFETY: as above.
        unsafe { Target::new((*self.rel).reltarget) }
    }

    /// Whether it is a part of another table, of which it is read for.
    pub fn is_part(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.rel).reloptkind != pg_sys::RelOptKind::RELOPT_BASEREL }
    }

    /// Rows that reading it gives.
    pub fn rows(self) -> f64 {
        // SAFETY: as above.
        unsafe { (*self.rel).rows }
    }

    /// Whether its owner has said how many processes read it (`ALTER TABLE … SET (parallel_workers = N)`).
    pub fn has_chosen_workers(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.rel).rel_parallel_workers >= 0 }
    }

    /// Whether it is a table that is scanned by itself: no partitioned one, no sub-select, no foreign table, and none
    /// that computes columns from another table's row, which only a path with that row as parameter can give.
    pub fn is_plain_table(self, query: Query<'p>) -> bool {
        // SAFETY: as above.
        let rel = unsafe { &*self.rel };
        let is_table = rel.rtekind == pg_sys::RTEKind::RTE_RELATION && rel.relid != 0;
        if !is_table || !rel.fdwroutine.is_null() || !rel.lateral_relids.is_null() {
            return false;
        }
        // SAFETY: as above; `relid` names the range table's entry of a relation that is no join.
        let entry = unsafe { &**(*query.root).simple_rte_array.add(rel.relid as usize) };
        let kind = entry.relkind as u8;
        (kind == pg_sys::RELKIND_RELATION || kind == pg_sys::RELKIND_MATVIEW) && entry.tablesample.is_null()
    }

    /// A way to read a plain table from beginning to end, a part in each of several processes.
    pub fn parallel_scan(self, query: Query<'p>, workers: i32) -> Path<'p> {
        // SAFETY: as above; a new path.
        unsafe { Path::new(pg_sys::create_seqscan_path(query.root, self.rel, std::ptr::null_mut(), workers)) }
    }

    /// A way to read a plain table from beginning to end, with the columns of `target`.
    pub fn sequential_scan(self, query: Query<'p>, target: Target<'p>) -> Path<'p> {
        // SAFETY: as above; a new path.
        self.with_target(target, || unsafe {
            Path::new(pg_sys::create_seqscan_path(query.root, self.rel, std::ptr::null_mut(), 0))
        })
    }

    /// Paths are made, and weighed, with the columns that their relation has: once the planner has put the scores among
    /// those, they would be computed for every row. So `make` makes one while it has others.
    pub(super) fn with_target(self, target: Target<'p>, make: impl FnOnce() -> Path<'p>) -> Path<'p> {
        // SAFETY: as above; put back after a call that makes a path.
        let given = unsafe { std::mem::replace(&mut (*self.rel).reltarget, target.target) };
        let path = make();
        // SAFETY: as above.
        unsafe { (*self.rel).reltarget = given };
        path
    }

    /// Where a row of a plain table lies (`ctid`).
    pub fn row_identity(self) -> Expr<'p> {
        // SAFETY: as above.
        Expr::row_identity(unsafe { (*self.rel).relid })
    }

    /// Offers a way to read a part in each of several processes.
    pub fn offer_partial(self, path: Path<'p>) {
        // SAFETY: as above; the path was made for this relation.
        unsafe { pg_sys::add_partial_path(self.rel, path.path) }
    }

    /// The conditions that are looked at where it is read.
    pub fn conditions(self) -> Vec<Expr<'p>> {
        // SAFETY: as above; the list holds conditions.
        unsafe { clauses((*self.rel).baserestrictinfo) }
    }

    /// The conditions by which it is joined to others, but for equalities, which are classes.
    pub fn join_conditions(self) -> Vec<Expr<'p>> {
        // SAFETY: as above.
        unsafe { clauses((*self.rel).joininfo) }
    }

    /// The set of relations that columns may be of: of a partition, those of the whole table.
    pub(super) fn all_of_it(self) -> pg_sys::Relids {
        // SAFETY: as above.
        unsafe {
            if (*self.rel).top_parent_relids.is_null() { (*self.rel).relids } else { (*self.rel).top_parent_relids }
        }
    }
}

/// # Safety
/// A list of the planner's conditions, which live as long as the planning.
unsafe fn clauses<'p>(conditions: *mut pg_sys::List) -> Vec<Expr<'p>> {
    // SAFETY: the caller's promise.
    unsafe {
        let infos = pointers::<pg_sys::RestrictInfo>(conditions).into_iter();
        infos.map(|info| Expr::new((*info).clause)).collect()
    }
}
