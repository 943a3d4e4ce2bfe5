//! Expressions.

use std::marker::PhantomData;

use pgrx::pg_sys;

use super::{Query, pointers};
use crate::pg::report;

/// An expression of the query.
#[derive(Debug, Clone, Copy)]
pub struct Expr<'p> {
    node: *mut pg_sys::Expr,
    life: PhantomData<&'p ()>,
}

/// A parameter, with its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// The statement's, given by whoever runs it.
    Given(pg_sys::Oid),
    /// Computed while it runs, by a sub-select or by the level above.
    Computed(pg_sys::Oid),
}

/// Whether values of a type have different lengths, and so may lie out of line.
pub fn is_variable(of: pg_sys::Oid) -> bool {
    // SAFETY: a look-up in a catalog cache.
    unsafe { pg_sys::get_typlen(of) == -1 }
}

/// Two expressions are equal where they always give the same value, as the planner sees it.
impl PartialEq for Expr<'_> {
    fn eq(&self, other: &Self) -> bool {
        // SAFETY: both are expressions, by the promise of `new`.
        unsafe { pg_sys::equal(self.node.cast(), other.node.cast()) }
    }
}

impl<'p> Expr<'p> {
    /// Wraps an expression.
    ///
    /// # Safety
    /// `node` is an expression that lives as long as `'p`.
    pub(in crate::pg) unsafe fn new(node: *mut pg_sys::Expr) -> Self {
        Self { node, life: PhantomData }
    }

    /// The node itself.
    pub(in crate::pg) fn node(self) -> *mut pg_sys::Expr {
        self.node
    }

    /// The function and both arguments, if this is a call or an operator of two arguments of types that are not the
    /// server's own: what no other is asked, so that a query without them costs nothing.
    pub fn call(self) -> Option<(pg_sys::Oid, [Expr<'p>; 2])> {
        let (function, arguments) = self.function_call().or_else(|| self.operator_call())?;
        let [left, right] = arguments[..] else { return None };
        // SAFETY: an expression, by the promise of `new`.
        let own = u32::from(unsafe { pg_sys::exprType(left.node.cast()) }) >= pg_sys::FirstNormalObjectId;
        own.then_some((function, [left, right]))
    }

    /// The function and the arguments, if this is an operator.
    fn operator_call(self) -> Option<(pg_sys::Oid, Vec<Expr<'p>>)> {
        // SAFETY: the promise of `new`; the tag says which struct a node is.
        unsafe {
            if (*self.node).type_ != pg_sys::NodeTag::T_OpExpr {
                return None;
            }
            let call = &*self.node.cast::<pg_sys::OpExpr>();
            let known = call.opfuncid;
            let function = if known == pg_sys::InvalidOid { pg_sys::get_opcode(call.opno) } else { known };
            let arguments = pointers::<pg_sys::Expr>(call.args).into_iter().map(|argument| Self::new(argument));
            Some((function, arguments.collect()))
        }
    }

    /// The function and the arguments, if this is a call of one.
    pub fn function_call(self) -> Option<(pg_sys::Oid, Vec<Expr<'p>>)> {
        // SAFETY: the promise of `new`; the tag says which struct a node is.
        unsafe {
            if (*self.node).type_ != pg_sys::NodeTag::T_FuncExpr {
                return None;
            }
            let call = &*self.node.cast::<pg_sys::FuncExpr>();
            let arguments = pointers::<pg_sys::Expr>(call.args).into_iter().map(|argument| Self::new(argument));
            Some((call.funcid, arguments.collect()))
        }
    }

    /// The same call with other arguments, of the same types.
    ///
    /// # Panics
    /// If it is no call of a function.
    pub fn with_arguments(self, arguments: &[Expr<'p>]) -> Expr<'p> {
        assert!(self.function_call().is_some(), "no call");
        // SAFETY: the promise of `new`; copies of expressions.
        unsafe {
            let copy = |node: *mut pg_sys::Expr| pg_sys::copyObjectImpl(node.cast()).cast::<pg_sys::Expr>();
            let call = copy(self.node).cast::<pg_sys::FuncExpr>();
            (*call).args = super::list_of(arguments.iter().map(|argument| copy(argument.node)));
            Self::new(call.cast())
        }
    }

    /// Two expressions and an operator that gives a `double precision` of them.
    pub fn distance(operator: pg_sys::Oid, left: Expr<'p>, right: Expr<'p>) -> Expr<'p> {
        let none = pg_sys::InvalidOid;
        // SAFETY: copies of expressions.
        unsafe {
            let [left, right] = [left, right].map(|side| pg_sys::copyObjectImpl(side.node.cast()).cast());
            Self::new(pg_sys::make_opclause(operator, pg_sys::FLOAT8OID, false, left, right, none, none))
        }
    }

    /// Where a row of a table lies (`ctid`).
    pub(in crate::pg) fn row_identity(table: pg_sys::Index) -> Expr<'p> {
        let column = pg_sys::SelfItemPointerAttributeNumber as pg_sys::AttrNumber;
        // SAFETY: a new node of the planner's memory.
        unsafe {
            let node = pg_sys::makeVar(table as i32, column, pg_sys::TIDOID, -1, pg_sys::InvalidOid, 0);
            Self::new(node.cast())
        }
    }

    /// The number, if this is a constant that is passed by value.
    pub fn constant(self) -> Option<i32> {
        // SAFETY: the promise of `new`; the tag says which struct a node is.
        unsafe {
            let constant = self.node.cast::<pg_sys::Const>();
            let is_one =
                (*self.node).type_ == pg_sys::NodeTag::T_Const && (*constant).constbyval && !(*constant).constisnull;
            is_one.then(|| (*constant).constvalue.value() as i32)
        }
    }

    /// Its type, of a domain the one that it is over.
    pub fn type_id(self) -> pg_sys::Oid {
        // SAFETY: an expression, by the promise of `new`.
        unsafe { pg_sys::getBaseType(pg_sys::exprType(self.node.cast())) }
    }

    /// What kind of parameter it is, if it is one.
    pub fn param(self) -> Option<Param> {
        // SAFETY: as above; the tag says which struct a node is.
        unsafe {
            if (*self.node).type_ != pg_sys::NodeTag::T_Param {
                return None;
            }
            let kind = (*self.node.cast::<pg_sys::Param>()).paramkind;
            let of = self.type_id();
            Some(if kind == pg_sys::ParamKind::PARAM_EXTERN { Param::Given(of) } else { Param::Computed(of) })
        }
    }

    /// Whether it is a sub-select that is evaluated with it.
    pub fn is_subselect(self) -> bool {
        // SAFETY: as above.
        let tag = unsafe { (*self.node).type_ };
        tag == pg_sys::NodeTag::T_SubPlan || tag == pg_sys::NodeTag::T_AlternativeSubPlan
    }

    /// Whether evaluating it again may give another value.
    pub fn is_volatile(self) -> bool {
        // SAFETY: as above.
        unsafe { pg_sys::contain_volatile_functions(self.node.cast()) }
    }

    /// Whether a column of this query level is in it.
    pub fn has_columns(self) -> bool {
        // SAFETY: an expression, by the promise of `new`.
        unsafe { pg_sys::contain_var_clause(self.node.cast()) }
    }

    /// The columns in it, and what the planner holds places for.
    pub fn columns(self) -> Vec<Expr<'p>> {
        let flags = pg_sys::PVC_INCLUDE_AGGREGATES | pg_sys::PVC_INCLUDE_WINDOWFUNCS | pg_sys::PVC_INCLUDE_PLACEHOLDERS;
        // SAFETY: as above; the list holds expressions.
        unsafe {
            let columns = pg_sys::pull_var_clause(self.node.cast(), flags as i32);
            pointers(columns).into_iter().map(|column| Self::new(column)).collect()
        }
    }

    /// Whether it has a sub-select that is evaluated with it.
    pub fn has_subselects(self) -> bool {
        // SAFETY: as above.
        unsafe { pg_sys::contain_subplans(self.node.cast()) }
    }

    /// Whether all its columns are of `relation`.
    pub fn is_of(self, query: Query<'p>, relation: super::Relation<'p>) -> bool {
        // SAFETY: as above; sets of relations are read only.
        unsafe {
            let relations = pg_sys::pull_varnos(query.root, self.node.cast());
            pg_sys::bms_is_subset(relations, relation.all_of_it())
        }
    }

    /// What evaluating it costs: once, and each time.
    pub fn cost(self, query: Query<'p>) -> (f64, f64) {
        let mut cost = pg_sys::QualCost::default();
        // SAFETY: as above; the result is the caller's.
        unsafe { pg_sys::cost_qual_eval_node(&mut cost, self.node.cast(), query.root) };
        (cost.startup, cost.per_tuple)
    }

    /// The expression itself and all below it for which `wanted` gives something, outermost first; what is inside such a
    /// one is not looked at.
    pub fn find<T>(self, wanted: &mut dyn FnMut(Expr<'p>) -> Option<T>, found: &mut Vec<(Expr<'p>, T)>) {
        if let Some(thing) = wanted(self) {
            found.push((self, thing));
            return;
        }
        let mut below: Vec<*mut pg_sys::Node> = Vec::new();
        // SAFETY: an expression; the walker calls `collect` with each node directly below and with our vector.
        unsafe { pg_sys::expression_tree_walker(self.node.cast(), Some(collect), (&raw mut below).cast()) };
        for node in below {
            // SAFETY: what is below an expression is an expression or a list of them, and lives as long.
            unsafe { Self::new(node.cast()).find(wanted, found) };
        }
    }
}

/// Notes a node, and goes no deeper.
// SAFETY: the server alone calls this, with the vector that it was given above.
unsafe extern "C-unwind" fn collect(node: *mut pg_sys::Node, below: *mut std::ffi::c_void) -> bool {
    let body = || {
        if !node.is_null() {
            // SAFETY: the vector outlives the walk, and nobody else uses it meanwhile.
            unsafe { (*below.cast::<Vec<*mut pg_sys::Node>>()).push(node) };
        }
        false
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}
