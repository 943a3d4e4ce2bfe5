//! Indexes of a table.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::pg_sys;

use super::{Expr, Order, Path, Query, Relation, Target, list_of, oids, pointers};
use crate::pg::encoding;

/// An index that is valid and may be used.
#[derive(Debug, Clone, Copy)]
pub struct Index<'p> {
    index: *mut pg_sys::IndexOptInfo,
    life: PhantomData<&'p ()>,
}

impl<'p> Index<'p> {
    /// Those of a relation.
    pub fn all(relation: Relation<'p>) -> Vec<Self> {
        // SAFETY: the planner's list of the indexes that are valid and may be used.
        let indexes = unsafe { pointers::<pg_sys::IndexOptInfo>((*relation.rel).indexlist) };
        indexes.into_iter().map(|index| Self { index, life: PhantomData }).collect()
    }

    fn info(&self) -> &pg_sys::IndexOptInfo {
        // SAFETY: the planner's, which lives as long as `'p`.
        unsafe { &*self.index }
    }

    /// Whether it can order, has all rows that the query reads, and is there.
    pub fn can_order(self) -> bool {
        let index = self.info();
        (index.indpred.is_null() || index.predOK) && !index.hypothetical && index.amcanorderbyop
    }

    /// Whether its access method has this name.
    pub fn is_of_method(self, name: &CStr) -> bool {
        is_of_method(self.info().relam, name)
    }

    /// What it is an index of, if that is one expression and nothing else.
    pub fn expression(self) -> Option<Expr<'p>> {
        // SAFETY: a list of expressions, or NULL.
        let exprs = unsafe { pointers::<pg_sys::Expr>(self.info().indexprs) };
        let [expr] = exprs[..] else { return None };
        // SAFETY: an expression of the planner's.
        (self.info().nkeycolumns == 1).then(|| unsafe { Expr::new(expr) })
    }

    /// The first operator by which it orders, and its name.
    pub fn operator(self) -> Option<(pg_sys::Oid, &'p CStr)> {
        // SAFETY: arrays of at least one element; a C string of the planner's memory, or NULL.
        unsafe {
            let (family, kind) = (*self.info().opfamily, *self.info().opcintype);
            let operator = pg_sys::get_opfamily_member(family, kind, kind, 1);
            if operator == pg_sys::InvalidOid {
                return None;
            }
            let name = pg_sys::get_opname(operator);
            (!name.is_null()).then(|| (operator, CStr::from_ptr(name)))
        }
    }

    /// A way to read the table through it, in the order of `by`, an operator's call on the index's expression, with the
    /// columns of `target`.
    ///
    /// It claims the query's order, whose operator family is that by which the index's operator orders:
    /// `create_indexscan_plan` looks only for that.
    pub fn ordered_path(
        self,
        query: Query<'p>,
        relation: Relation<'p>,
        by: Expr<'p>,
        order: Order<'p>,
        target: Target<'p>,
    ) -> Path<'p> {
        let (by, keys) = (list_of([by.node()]), list_of([order.key()]));
        let (none, outer) = (std::ptr::null_mut(), std::ptr::null_mut());
        relation.with_target(target, || {
            // SAFETY: a list of one number.
            let first = unsafe { pg_sys::lappend_int(none, 0) };
            let forward = pg_sys::ScanDirection::ForwardScanDirection;
            // SAFETY: nodes of the planner's; a new path.
            unsafe {
                let path = pg_sys::create_index_path(
                    query.root, self.index, none, by, first, keys, forward, false, outer, 1.0, false,
                );
                Path::new(path.cast())
            }
        })
    }
}

/// The name of an index of a method that the server does not use, since it was not made to its end (`CREATE INDEX
/// CONCURRENTLY` failed).
pub fn invalid(query: Query<'_>, relation: Relation<'_>, method: &CStr) -> Option<String> {
    // SAFETY: the planner has locked the table; its relcache entry is released below.
    let (table, indexes) = unsafe {
        let entry = *(*query.root).simple_rte_array.add((*relation.rel).relid as usize);
        let table = pg_sys::table_open((*entry).relid, pg_sys::NoLock as i32);
        (table, pg_sys::RelationGetIndexList(table))
    };
    // SAFETY: a list of OIDs.
    let name = unsafe { oids(indexes) }.into_iter().find_map(|oid| name_of_invalid(oid, method));
    // SAFETY: as above.
    unsafe {
        pg_sys::list_free(indexes);
        pg_sys::table_close(table, pg_sys::NoLock as i32);
    }
    name
}

fn name_of_invalid(oid: pg_sys::Oid, method: &CStr) -> Option<String> {
    let lock = pg_sys::AccessShareLock as i32;
    // SAFETY: an index, which is locked while it is looked at; its name is a C string.
    unsafe {
        let index = pg_sys::index_open(oid, lock);
        let is_one = !(*(*index).rd_index).indisvalid && is_of_method((*(*index).rd_rel).relam, method);
        let name = is_one.then(|| encoding::from_c((*(*index).rd_rel).relname.data.as_ptr()));
        pg_sys::index_close(index, lock);
        name
    }
}

fn is_of_method(method: pg_sys::Oid, name: &CStr) -> bool {
    // SAFETY: a look-up in a catalog; a C string, or NULL.
    unsafe {
        let of = pg_sys::get_am_name(method);
        !of.is_null() && CStr::from_ptr(of) == name
    }
}
