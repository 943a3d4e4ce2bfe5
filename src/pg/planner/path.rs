//! Paths, the planner's alternatives, and the columns that they give.

use std::marker::PhantomData;

use pgrx::pg_sys;

use super::{Expr, Query, Relation, list_of, pointers};

/// The columns that a path gives.
#[derive(Debug, Clone, Copy)]
pub struct Target<'p> {
    pub(in crate::pg) target: *mut pg_sys::PathTarget,
    life: PhantomData<&'p ()>,
}

impl<'p> Target<'p> {
    /// Wraps a target.
    ///
    /// # Safety
    /// `target` lives as long as `'p`.
    pub(super) unsafe fn new(target: *mut pg_sys::PathTarget) -> Self {
        Self { target, life: PhantomData }
    }

    /// Its columns.
    pub fn columns(self) -> Vec<Expr<'p>> {
        // SAFETY: the promise of `new`; the list holds expressions.
        unsafe { pointers((*self.target).exprs).into_iter().map(|expr| Expr::new(expr)).collect() }
    }

    /// Those columns for which `keep` is true, with their places in ORDER BY and GROUP BY, and then `more`, each once.
    pub fn with(self, query: Query<'p>, keep: impl Fn(Expr<'p>) -> bool, more: &[Expr<'p>]) -> Self {
        // SAFETY: as above; references are in an array beside the list, or there are none. The new target is the
        // planner's memory.
        unsafe {
            let target = pg_sys::create_empty_pathtarget();
            for (at, column) in self.columns().into_iter().enumerate().filter(|(_, column)| keep(*column)) {
                let references = (*self.target).sortgrouprefs;
                let reference = if references.is_null() { 0 } else { *references.add(at) };
                pg_sys::add_column_to_pathtarget(target, column.node(), reference);
            }
            for column in more {
                pg_sys::add_new_column_to_pathtarget(target, column.node());
            }
            Self::new(pg_sys::set_pathtarget_cost_width(query.root, target))
        }
    }

    /// Whether both give the same columns in the same order.
    pub fn is_like(self, other: Self) -> bool {
        self.columns() == other.columns()
    }
}

/// One way to read a relation.
#[derive(Debug, Clone, Copy)]
pub struct Path<'p> {
    pub(in crate::pg) path: *mut pg_sys::Path,
    life: PhantomData<&'p ()>,
}

impl<'p> Path<'p> {
    /// Wraps a path.
    ///
    /// # Safety
    /// `path` lives as long as `'p`.
    pub(in crate::pg) unsafe fn new(path: *mut pg_sys::Path) -> Self {
        Self { path, life: PhantomData }
    }

    /// The columns that it gives.
    pub fn target(self) -> Target<'p> {
        // SAFETY: the promise of `new`.
        unsafe { Target::new((*self.path).pathtarget) }
    }

    /// What it costs before its first row, and in all.
    pub fn costs(self) -> (f64, f64) {
        // SAFETY: the promise of `new`.
        unsafe { ((*self.path).startup_cost, (*self.path).total_cost) }
    }

    /// Rows that it gives.
    pub fn rows(self) -> f64 {
        // SAFETY: the promise of `new`.
        unsafe { (*self.path).rows }
    }

    /// Whether a worker may run it.
    pub fn is_parallel_safe(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { (*self.path).parallel_safe }
    }

    /// Nodes in it that a setting (`enable_…`) asks to avoid, from PostgreSQL 18 on.
    pub fn disabled_nodes(self) -> i32 {
        // SAFETY: the promise of `new`.
        #[cfg(feature = "pg18")]
        return unsafe { (*self.path).disabled_nodes };
        #[cfg(not(feature = "pg18"))]
        0
    }

    /// Its workers, in a partial path.
    pub fn workers(self) -> i32 {
        // SAFETY: as above.
        unsafe { (*self.path).parallel_workers }
    }

    /// The path without a projection on top.
    pub(in crate::pg) fn without_projection(self) -> Self {
        // SAFETY: as above; the tag says which struct a path is.
        unsafe {
            if (*self.path).type_ == pg_sys::NodeTag::T_ProjectionPath {
                return Self::new((*self.path.cast::<pg_sys::ProjectionPath>()).subpath).without_projection();
            }
        }
        self
    }

    /// What this path sorts, if that is what it does.
    pub fn sorts(self) -> Option<Self> {
        let top = self.without_projection();
        // SAFETY: as above; both structs for sorting begin with the same one.
        unsafe {
            match (*top.path).type_ {
                pg_sys::NodeTag::T_SortPath | pg_sys::NodeTag::T_IncrementalSortPath => {
                    Some(Self::new((*top.path.cast::<pg_sys::SortPath>()).subpath))
                }
                _ => None,
            }
        }
    }

    /// Whether it sorts, or merges what processes have sorted.
    pub fn is_sorting(self) -> bool {
        // SAFETY: as above.
        self.sorts().is_some()
            || unsafe { (*self.without_projection().path).type_ } == pg_sys::NodeTag::T_GatherMergePath
    }

    /// Whether it ends after a number of rows.
    pub fn is_limit(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.path).type_ == pg_sys::NodeTag::T_LimitPath }
    }

    /// Whether another extension, or a foreign server, reads the rows: none of the nodes here reads them by itself.
    pub fn is_of_another_extension(self) -> bool {
        // SAFETY: as above.
        let tag = unsafe { (*self.without_projection().path).type_ };
        tag == pg_sys::NodeTag::T_CustomPath || tag == pg_sys::NodeTag::T_ForeignPath
    }

    /// Has a LIMIT claim no order: nobody above it relies on one any more.
    pub fn forget_order(self) {
        // SAFETY: as above; a LIMIT copies what the path below it claims, and is not made a plan by it.
        unsafe { (*self.path).pathkeys = std::ptr::null_mut() }
    }

    /// The path below one that gives the same and claims no order. A sort's own claim is what it sorts by.
    pub fn without_order(self, query: Query<'p>, relation: Relation<'p>) -> Self {
        // SAFETY: as above; a new path over this one, without a node of its own in the plan.
        unsafe {
            let path = pg_sys::create_projection_path(query.root, relation.rel, self.path, (*self.path).pathtarget);
            (*path).path.pathkeys = std::ptr::null_mut();
            Self::new(path.cast())
        }
    }

    /// Has it cost less than each of `others`, however many of its rows are asked for. Called for a new path.
    pub fn cost_less_than(self, others: &[Self]) {
        // Beyond the 1 % within which the planner takes costs for equal (`STD_FUZZ_FACTOR`).
        let most = |cost: fn((f64, f64)) -> f64| {
            0.98 * others.iter().map(|path| cost(path.costs())).fold(f64::INFINITY, f64::min)
        };
        let (startup, total) = (most(|costs| costs.0), most(|costs| costs.1));
        // SAFETY: as above.
        unsafe {
            (*self.path).startup_cost = (*self.path).startup_cost.min(startup);
            (*self.path).total_cost = (*self.path).total_cost.min(total).max((*self.path).startup_cost);
        }
    }

    /// Whether both are the same path.
    pub fn is(self, other: Self) -> bool {
        std::ptr::eq(self.path, other.path)
    }

    /// The path with other columns, computed where its rows come from; `None` where it cannot give them.
    ///
    /// - Above a Gather only what the workers send is there.
    /// - The planner has pushed a partitioned table's columns below its Append, which cannot compute any: its children
    ///   get the new ones, in terms of their own columns. A MergeAppend is left alone.
    pub fn with_columns(self, query: Query<'p>, relation: Relation<'p>, target: Target<'p>) -> Option<Self> {
        let below = self.without_projection();
        // SAFETY: as above.
        match unsafe { (*below.path).type_ } {
            pg_sys::NodeTag::T_GatherPath | pg_sys::NodeTag::T_GatherMergePath => None,
            pg_sys::NodeTag::T_MergeAppendPath if relation.is_partitioned() => None,
            pg_sys::NodeTag::T_AppendPath if relation.is_partitioned() => {
                below.append_with_columns(query, relation, target)
            }
            // SAFETY: as above; `relation` is the one that the path reads.
            _ => Some(unsafe {
                Self::new(pg_sys::create_projection_path(query.root, relation.rel, self.path, target.target).cast())
            }),
        }
    }

    fn append_with_columns(self, query: Query<'p>, relation: Relation<'p>, target: Target<'p>) -> Option<Self> {
        // SAFETY: called for an AppendPath.
        let append = unsafe { &*self.path.cast::<pg_sys::AppendPath>() };
        // SAFETY: a list of paths.
        let children: Vec<*mut pg_sys::Path> = unsafe { pointers(append.subpaths) };
        // SAFETY: a child reads a partition of `relation`.
        let with = |child| unsafe { Self::new(child).of_partition_with_columns(query, relation, target) };
        let children = children.into_iter().map(with).collect::<Option<Vec<Self>>>()?;
        let (whole, partial) = children.split_at(append.first_partial_path as usize);
        let [whole, partial] = [whole, partial].map(|paths| list_of(paths.iter().map(|path| path.path)));
        // Of a partial path these are one process's rows, which only the planner's own sum knows.
        let rows = if partial.is_null() { -1.0 } else { append.path.rows };
        let (keys, outer) = (append.path.pathkeys, std::ptr::null_mut());
        let (workers, aware) = (append.path.parallel_workers, append.path.parallel_aware);
        let (root, rel) = (query.root, relation.rel);
        // SAFETY: as above; a new path.
        unsafe {
            let path = pg_sys::create_append_path(root, rel, whole, partial, keys, outer, workers, aware, rows);
            (*path).path.pathtarget = target.target;
            Some(Self::new(path.cast()))
        }
    }

    /// A partition's path with the columns of `target`, in terms of its own columns.
    ///
    /// # Safety
    /// It reads a partition of `whole`, at any depth.
    unsafe fn of_partition_with_columns(
        self,
        query: Query<'p>,
        whole: Relation<'p>,
        target: Target<'p>,
    ) -> Option<Self> {
        // SAFETY: the caller's promise; a copy of the target, into whose columns the others are translated.
        let (partition, columns) = unsafe {
            let partition = Relation::new((*self.path).parent);
            let columns = pg_sys::copy_pathtarget(target.target);
            (*columns).exprs = translate(query, (*columns).exprs, partition, whole);
            (partition, Target::new(pg_sys::set_pathtarget_cost_width(query.root, columns)))
        };
        self.with_columns(query, partition, columns)
    }

    /// The path with the columns of `target`, computed above it from what it gives.
    pub fn computing(self, query: Query<'p>, relation: Relation<'p>, target: Target<'p>) -> Self {
        if self.target().is_like(target) {
            return self;
        }
        // SAFETY: as above; a path that was made here and is nobody else's.
        unsafe { Self::new(pg_sys::apply_projection_to_path(query.root, relation.rel, self.path, target.target)) }
    }

    /// The path with the query's order: wholly sorted, and where its rows come in the order of the first keys, sorted
    /// within those.
    pub fn sorted(self, query: Query<'p>, relation: Relation<'p>) -> Vec<Self> {
        // SAFETY: as above; both functions make a path over this one.
        unsafe {
            let (root, keys, limit) = (query.root, (*query.root).sort_pathkeys, (*query.root).limit_tuples);
            let whole = Self::new(pg_sys::create_sort_path(root, relation.rel, self.path, keys, limit).cast());
            let mut count = 0;
            let all = pg_sys::pathkeys_count_contained_in(keys, (*self.path).pathkeys, &mut count);
            if all || count == 0 || !pg_sys::enable_incremental_sort {
                return vec![whole];
            }
            let within = pg_sys::create_incremental_sort_path(root, relation.rel, self.path, keys, count, limit);
            vec![whole, Self::new(within.cast())]
        }
    }

    /// What the processes of a sorted partial path give, in order.
    pub fn gathered(self, query: Query<'p>, relation: Relation<'p>) -> Self {
        // SAFETY: as above.
        unsafe {
            let keys = (*query.root).sort_pathkeys;
            // The leader computes, too, where it is asked to: at least as many rows as its workers.
            let mut rows = (*self.path).rows * f64::from((*self.path).parallel_workers.max(1));
            let target = (*self.path).pathtarget;
            let none = std::ptr::null_mut();
            let path =
                pg_sys::create_gather_merge_path(query.root, relation.rel, self.path, target, keys, none, &mut rows);
            Self::new(path.cast())
        }
    }
}

/// Expressions over `parent` in terms of the columns of its partition `child`.
///
/// # Safety
/// `exprs` are expressions, and `child` is a partition of `parent`, at any depth.
unsafe fn translate(
    query: Query<'_>,
    exprs: *mut pg_sys::List,
    child: Relation<'_>,
    parent: Relation<'_>,
) -> *mut pg_sys::List {
    // SAFETY: the caller's promise; a list of expressions is a node.
    unsafe {
        #[cfg(feature = "pg15")]
        let (child, parent) = ((*child.rel).relids, (*parent.rel).relids);
        #[cfg(not(feature = "pg15"))]
        let (child, parent) = (child.rel, parent.rel);
        pg_sys::adjust_appendrel_attrs_multilevel(query.root, exprs.cast(), child, parent).cast()
    }
}
