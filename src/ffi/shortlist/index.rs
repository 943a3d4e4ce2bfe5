//! Indexes that give rows in the order of their global vectors.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::pg_sys;

use crate::ffi::planner::{Expr, Relation, list_of, pointers};

/// An index of a column's global vectors.
#[derive(Debug, Clone, Copy)]
pub struct GlobalIndex<'p> {
    pub(super) index: *mut pg_sys::IndexOptInfo,
    /// What it is an index of.
    expr: Expr<'p>,
    /// Where in it the column is made a vector.
    is_global: fn(pg_sys::Oid) -> bool,
    operator: pg_sys::Oid,
    life: PhantomData<&'p ()>,
}

/// The operators by which pgvector orders: inner product, cosine and Euclidean distance order vectors of length 1 alike.
const OPERATORS: [&CStr; 3] = [c"<#>", c"<=>", c"<->"];

/// An index of `relation` whose one expression is made of `item` through a function that `is_global` knows.
pub fn find<'p>(relation: Relation<'p>, item: Expr<'p>, is_global: fn(pg_sys::Oid) -> bool) -> Option<GlobalIndex<'p>> {
    // SAFETY: the planner's list of the indexes that are valid and may be used; names are C strings of the server's.
    unsafe {
        pointers::<pg_sys::IndexOptInfo>((*relation.rel).indexlist).into_iter().find_map(|index| {
            let its = &*index;
            let method = pg_sys::get_am_name(its.relam);
            let is_hnsw = !method.is_null() && CStr::from_ptr(method) == c"hnsw";
            let is_whole = its.indpred.is_null() || its.predOK;
            if !is_hnsw || !is_whole || its.hypothetical || its.nkeycolumns != 1 || !its.amcanorderbyop {
                return None;
            }
            let [expr] = pointers::<pg_sys::Expr>(its.indexprs)[..] else { return None };
            let expr = Expr::new(expr);
            if expr.columns() != [item] || global_in(expr, is_global).is_none() {
                return None;
            }
            let (family, kind) = (*its.opfamily, *its.opcintype);
            let operator = pg_sys::get_opfamily_member(family, kind, kind, 1);
            let name = if operator == pg_sys::InvalidOid { None } else { Some(pg_sys::get_opname(operator)) };
            let known = name.is_some_and(|name| !name.is_null() && OPERATORS.contains(&CStr::from_ptr(name)));
            known.then_some(GlobalIndex { index, expr, is_global, operator, life: PhantomData })
        })
    }
}

/// The call in an expression that makes a vector of a value, if the value is its only argument.
fn global_in(expr: Expr<'_>, is_global: fn(pg_sys::Oid) -> bool) -> Option<*mut pg_sys::FuncExpr> {
    let mut found = Vec::new();
    let mut wanted = |expr: Expr<'_>| {
        // SAFETY: an expression; the tag says which struct it is.
        unsafe {
            if (*expr.node()).type_ != pg_sys::NodeTag::T_FuncExpr {
                return None;
            }
            let call = expr.node().cast::<pg_sys::FuncExpr>();
            let alone = !(*call).args.is_null() && (*(*call).args).length == 1;
            (alone && is_global((*call).funcid)).then_some(call)
        }
    };
    expr.find(&mut wanted, &mut found);
    match found[..] {
        [(_, call)] => Some(call),
        _ => None,
    }
}

impl<'p> GlobalIndex<'p> {
    /// `expression of the column <#> the same expression of the query`, as the index orders by it.
    pub(super) fn order_by(&self, query: Expr<'p>) -> *mut pg_sys::Expr {
        // SAFETY: copies of expressions; `find` has seen the call in the one that is copied. The operator takes two of
        // the expression's type, and orders by a double precision.
        unsafe {
            let copy = |expr: Expr<'p>| pg_sys::copyObjectImpl(expr.node().cast()).cast::<pg_sys::Expr>();
            let asked = copy(self.expr);
            if let Some(call) = global_in(Expr::new(asked), self.is_global) {
                (*call).args = list_of([copy(query)]);
            }
            let none = pg_sys::InvalidOid;
            pg_sys::make_opclause(self.operator, pg_sys::FLOAT8OID, false, copy(self.expr), asked, none, none)
        }
    }
}
