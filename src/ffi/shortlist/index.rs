//! Indexes that give rows in the order of their global vectors.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::pg_sys;

use crate::ffi::planner::{Expr, Query, Relation, function, list_of, pointers};
use crate::ffi::text;

/// An index of a column's global vectors.
#[derive(Debug, Clone, Copy)]
pub struct GlobalIndex<'p> {
    pub(super) index: *mut pg_sys::IndexOptInfo,
    /// How many numbers its vectors have.
    pub(super) channels: i32,
    /// What it is an index of.
    expr: Expr<'p>,
    operator: pg_sys::Oid,
    life: PhantomData<&'p ()>,
}

/// The operators by which pgvector orders: inner product, cosine and Euclidean distance order vectors of length 1 alike.
const OPERATORS: [&CStr; 3] = [c"<#>", c"<=>", c"<->"];

/// pgvector's functions that make a vector of `real[]`, by their C names.
const CASTS: [&str; 2] = ["array_to_halfvec", "array_to_vector"];

/// An index of `relation` whose one expression is just `item` through a function that `is_global` knows and a cast of
/// pgvector's.
///
/// Nothing else, also where it would give the same: the expression is evaluated with the rights of whoever selects, and
/// what stands in it is the table owner's choice. Functions are told by what only a superuser can make: their C names
/// and libraries.
pub fn find<'p>(relation: Relation<'p>, item: Expr<'p>, is_global: fn(pg_sys::Oid) -> bool) -> Option<GlobalIndex<'p>> {
    // SAFETY: the planner's list of the indexes that are valid and may be used; names are C strings of the server's.
    unsafe {
        pointers::<pg_sys::IndexOptInfo>((*relation.rel).indexlist).into_iter().find_map(|index| {
            let its = &*index;
            let is_whole = its.indpred.is_null() || its.predOK;
            if !is_hnsw(its.relam) || !is_whole || its.hypothetical || its.nkeycolumns != 1 || !its.amcanorderbyop {
                return None;
            }
            let [expr] = pointers::<pg_sys::Expr>(its.indexprs)[..] else { return None };
            let expr = Expr::new(expr);
            let vector = Vector::of(expr, is_global)?;
            if Expr::new(vector.item) != item {
                return None;
            }
            let (family, kind) = (*its.opfamily, *its.opcintype);
            let operator = pg_sys::get_opfamily_member(family, kind, kind, 1);
            let name = if operator == pg_sys::InvalidOid { None } else { Some(pg_sys::get_opname(operator)) };
            let known = name.is_some_and(|name| !name.is_null() && OPERATORS.contains(&CStr::from_ptr(name)));
            known.then_some(GlobalIndex { index, channels: vector.channels, expr, operator, life: PhantomData })
        })
    }
}

/// The name of an index of the kind that [`find`] looks for which the server does not use, since it was not made to its
/// end (`CREATE INDEX CONCURRENTLY` failed).
pub fn invalid(query: Query<'_>, relation: Relation<'_>) -> Option<String> {
    // SAFETY: the planner has locked the table, whose relcache entry is released again; an index is locked while it is
    // looked at. Names are C strings.
    unsafe {
        let entry = *(*query.root).simple_rte_array.add((*relation.rel).relid as usize);
        let table = pg_sys::table_open((*entry).relid, pg_sys::NoLock as i32);
        let indexes = pg_sys::RelationGetIndexList(table);
        let name = crate::ffi::planner::oids(indexes).into_iter().find_map(|oid| {
            let lock = pg_sys::AccessShareLock as i32;
            let index = pg_sys::index_open(oid, lock);
            let unused = !(*(*index).rd_index).indisvalid && is_hnsw((*(*index).rd_rel).relam);
            let name = unused.then(|| text::from_c((*(*index).rd_rel).relname.data.as_ptr()));
            pg_sys::index_close(index, lock);
            name
        });
        pg_sys::list_free(indexes);
        pg_sys::table_close(table, pg_sys::NoLock as i32);
        name
    }
}

/// # Safety
/// Called in a transaction.
unsafe fn is_hnsw(method: pg_sys::Oid) -> bool {
    // SAFETY: the caller's promise; a C string, or NULL.
    unsafe {
        let name = pg_sys::get_am_name(method);
        !name.is_null() && CStr::from_ptr(name) == c"hnsw"
    }
}

/// An expression that makes a vector of a value: `cast(global(item), numbers, explicit)`.
struct Vector {
    /// The call of the function that gives the global vector.
    global: *mut pg_sys::FuncExpr,
    item: *mut pg_sys::Expr,
    channels: i32,
}

impl Vector {
    fn of(expr: Expr<'_>, is_global: fn(pg_sys::Oid) -> bool) -> Option<Self> {
        // SAFETY: an expression; the tag says which struct a node is.
        unsafe {
            let cast = call(expr.node())?;
            let made = function((*cast).funcid)?;
            if !made.library.ends_with("/vector") || !CASTS.contains(&made.symbol.as_str()) {
                return None;
            }
            let [array, numbers, explicit] = pointers::<pg_sys::Expr>((*cast).args)[..] else { return None };
            let [numbers, explicit] = [numbers, explicit].map(|node| constant(node));
            let (Some(numbers), Some(_)) = (numbers, explicit) else { return None };
            let global = call(array)?;
            let [item] = pointers::<pg_sys::Expr>((*global).args)[..] else { return None };
            is_global((*global).funcid).then_some(Self { global, item, channels: numbers })
        }
    }
}

/// # Safety
/// `node` is an expression.
unsafe fn call(node: *mut pg_sys::Expr) -> Option<*mut pg_sys::FuncExpr> {
    // SAFETY: the caller's promise; the tag says which struct it is.
    unsafe { ((*node).type_ == pg_sys::NodeTag::T_FuncExpr).then_some(node.cast()) }
}

/// A constant that is passed by value, as a number.
///
/// # Safety
/// `node` is an expression.
unsafe fn constant(node: *mut pg_sys::Expr) -> Option<i32> {
    // SAFETY: the caller's promise; the tag says which struct it is.
    unsafe {
        let constant = node.cast::<pg_sys::Const>();
        let is_one = (*node).type_ == pg_sys::NodeTag::T_Const && (*constant).constbyval && !(*constant).constisnull;
        is_one.then(|| (*constant).constvalue.value() as i32)
    }
}

impl<'p> GlobalIndex<'p> {
    /// `expression of the column <#> the same expression of the query`, as the index orders by it.
    pub(super) fn order_by(&self, query: Expr<'p>) -> *mut pg_sys::Expr {
        // SAFETY: copies of expressions; `find` has seen the calls in the one that is copied. The operator takes two of
        // the expression's type, and orders by a double precision.
        unsafe {
            let copy = |expr: Expr<'p>| pg_sys::copyObjectImpl(expr.node().cast()).cast::<pg_sys::Expr>();
            let asked = copy(self.expr);
            if let Some(vector) = Vector::of(Expr::new(asked), |_| true) {
                (*vector.global).args = list_of([copy(query)]);
            }
            let none = pg_sys::InvalidOid;
            pg_sys::make_opclause(self.operator, pg_sys::FLOAT8OID, false, copy(self.expr), asked, none, none)
        }
    }
}
