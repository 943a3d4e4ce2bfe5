//! What a path and a plan of a node carry for it: a list of lists, which the server can copy, write and read.

use std::cell::Cell;

use pgrx::pg_sys;

use crate::pg::planner::{Expr, list_of, numbers, oids, pointers};

/// A list that is being made, in the planner's memory.
#[derive(Debug)]
pub struct Private {
    list: *mut pg_sys::List,
}

impl Private {
    /// An empty one.
    pub fn new() -> Self {
        Self { list: std::ptr::null_mut() }
    }

    /// With numbers behind what is in it.
    pub fn numbers(self, values: impl IntoIterator<Item = i32>) -> Self {
        // SAFETY: an empty list is NULL, and lappend_int gives the list with one element more.
        let list = |list, value| unsafe { pg_sys::lappend_int(list, value) };
        self.with(values.into_iter().fold(std::ptr::null_mut(), list))
    }

    /// With OIDs behind what is in it.
    pub fn oids(self, values: impl IntoIterator<Item = pg_sys::Oid>) -> Self {
        // SAFETY: an empty list is NULL, and lappend_oid gives the list with one element more.
        let list = |list, value| unsafe { pg_sys::lappend_oid(list, value) };
        self.with(values.into_iter().fold(std::ptr::null_mut(), list))
    }

    /// With expressions behind what is in it. For a path: a plan's expressions are where the server finds them.
    pub fn exprs<'p>(self, values: impl IntoIterator<Item = Expr<'p>>) -> Self {
        self.with(list_of(values.into_iter().map(Expr::node)))
    }

    fn with(self, part: *mut pg_sys::List) -> Self {
        // SAFETY: an empty list is NULL; an empty part is NULL too.
        Self { list: unsafe { pg_sys::lappend(self.list, part.cast()) } }
    }

    /// The list.
    pub(super) fn list(self) -> *mut pg_sys::List {
        self.list
    }
}

/// A list that is read, part by part in the order in which it was made.
pub struct PrivateReader {
    parts: Vec<*mut pg_sys::List>,
    next: Cell<usize>,
}

impl PrivateReader {
    /// # Safety
    /// `list` was made by [`Private`], and lives as long as this.
    pub(super) unsafe fn new(list: *mut pg_sys::List) -> Self {
        // SAFETY: the caller's promise: a list of lists.
        Self { parts: unsafe { pointers(list) }, next: Cell::new(0) }
    }

    /// The next part, which must be of this kind or empty.
    fn part(&self, tag: pg_sys::NodeTag) -> *mut pg_sys::List {
        let at = self.next.replace(self.next.get() + 1);
        let part = self.parts[at];
        // SAFETY: a list, by the promise of `new`.
        assert!(part.is_null() || unsafe { (*part).type_ } == tag, "a part of another kind");
        part
    }

    /// Numbers.
    pub fn numbers(&self) -> Vec<i32> {
        // SAFETY: a list of integers or NULL.
        unsafe { numbers(self.part(pg_sys::NodeTag::T_IntList)) }
    }

    /// OIDs.
    pub fn oids(&self) -> Vec<pg_sys::Oid> {
        // SAFETY: a list of OIDs or NULL.
        unsafe { oids(self.part(pg_sys::NodeTag::T_OidList)) }
    }

    /// Expressions.
    pub fn exprs<'p>(&self) -> Vec<Expr<'p>> {
        // SAFETY: a list of expressions or NULL, which live while the plan is made.
        let exprs = unsafe { pointers::<pg_sys::Expr>(self.part(pg_sys::NodeTag::T_List)) };
        // SAFETY: as above.
        exprs.into_iter().map(|expr| unsafe { Expr::new(expr) }).collect()
    }
}
