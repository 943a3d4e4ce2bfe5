//! What a query is ordered by.

use std::marker::PhantomData;

use pgrx::pg_sys;

use super::{Expr, Path, Query, pointers};

/// The first of the keys that a query is ordered by, where nothing but the order asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Order<'p> {
    key: *mut pg_sys::PathKey,
    expr: Expr<'p>,
}

impl<'p> Order<'p> {
    /// That of a query whose rows keep the order of its tables. A key that an equality shares is left out: a merge join
    /// would rely on its order, and rows of a shortlist are not sorted throughout.
    pub fn first(query: Query<'p>) -> Option<Self> {
        // SAFETY: the planner's lists of path keys, which are the same where they are equal.
        let [keys, wanted] = unsafe {
            [(*query.root).sort_pathkeys, (*query.root).query_pathkeys].map(|keys| pointers::<pg_sys::PathKey>(keys))
        };
        let key = *keys.first()?;
        // SAFETY: a path key of the planner's.
        let (members, is_volatile) = unsafe { class(key) };
        let [member] = members[..] else { return None };
        if wanted.first() != Some(&key) || is_volatile {
            return None;
        }
        // SAFETY: a member's expression lives as long as the planning.
        Some(Self { key, expr: unsafe { Expr::new((*member).em_expr) } })
    }

    /// The key itself.
    pub(in crate::pg) fn key(self) -> *mut pg_sys::PathKey {
        self.key
    }

    /// What it orders by.
    pub fn expr(self) -> Expr<'p> {
        self.expr
    }

    /// Whether large values come first.
    pub fn is_descending(self) -> bool {
        // SAFETY: as above.
        #[cfg(feature = "pg18")]
        return unsafe { (*self.key).pk_cmptype == pg_sys::CompareType::COMPARE_GT };
        // SAFETY: as above.
        #[cfg(not(feature = "pg18"))]
        return unsafe { (*self.key).pk_strategy == pg_sys::BTGreaterStrategyNumber as i32 };
    }

    /// Whether NULLs come before all else.
    pub fn has_nulls_first(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.key).pk_nulls_first }
    }
}

/// A further key: rows of equal scores stand in its order.
#[derive(Debug, Clone, Copy)]
pub struct SortKey<'p> {
    /// What it orders by.
    pub expr: Expr<'p>,
    rule: SortRule,
    life: PhantomData<&'p ()>,
}

/// How a sort orders by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortRule {
    /// `<` or `>` of its type.
    pub operator: pg_sys::Oid,
    /// That of a text, or none.
    pub collation: pg_sys::Oid,
    /// Whether NULLs come before all else.
    pub nulls_first: bool,
}

impl<'p> SortKey<'p> {
    /// All keys of a query of one table but the first; `None` where one of them is volatile.
    pub fn further(query: Query<'p>) -> Option<Vec<Self>> {
        // SAFETY: the planner's list of path keys; their classes have members, of expressions that live as long.
        unsafe {
            let keys = pointers::<pg_sys::PathKey>((*query.root).sort_pathkeys);
            keys.into_iter().skip(1).map(|key| Self::of(key)).collect()
        }
    }

    /// # Safety
    /// A path key of a query of one table.
    unsafe fn of(key: *mut pg_sys::PathKey) -> Option<Self> {
        // SAFETY: the caller's promise.
        let (members, is_volatile) = unsafe { class(key) };
        let member = *members.first().filter(|_| !is_volatile)?;
        // SAFETY: the caller's promise; the operator is looked up as `prepare_sort_from_pathkeys` does.
        let operator = unsafe {
            let (family, of) = ((*key).pk_opfamily, (*member).em_datatype);
            #[cfg(feature = "pg18")]
            let operator = pg_sys::get_opfamily_member_for_cmptype(family, of, of, (*key).pk_cmptype);
            #[cfg(not(feature = "pg18"))]
            let operator = pg_sys::get_opfamily_member(family, of, of, (*key).pk_strategy as i16);
            operator
        };
        // SAFETY: the caller's promise.
        let (collation, nulls_first) = unsafe { ((*(*key).pk_eclass).ec_collation, (*key).pk_nulls_first) };
        // SAFETY: a member's expression lives as long as the planning.
        let expr = unsafe { Expr::new((*member).em_expr) };
        let rule = SortRule { operator, collation, nulls_first };
        (operator != pg_sys::InvalidOid).then_some(Self { expr, rule, life: PhantomData })
    }

    /// How it orders.
    pub fn rule(self) -> SortRule {
        self.rule
    }
}

impl SortRule {
    /// The rule as OIDs, which a plan can hold.
    pub fn oids(self) -> [pg_sys::Oid; 3] {
        [self.operator, self.collation, pg_sys::Oid::from(u32::from(self.nulls_first))]
    }

    /// What [`oids`](Self::oids) gave.
    pub fn of(oids: [pg_sys::Oid; 3]) -> Self {
        let [operator, collation, nulls_first] = oids;
        Self { operator, collation, nulls_first: nulls_first != pg_sys::InvalidOid }
    }
}

/// The order that a path claims for its rows.
#[derive(Debug, Clone, Copy)]
pub struct PathKeys<'p> {
    list: *mut pg_sys::List,
    life: PhantomData<&'p ()>,
}

impl<'p> PathKeys<'p> {
    /// That of another path.
    pub fn of(path: Path<'p>) -> Self {
        // SAFETY: a path of the planner's.
        Self { list: unsafe { (*path.path).pathkeys }, life: PhantomData }
    }

    /// A query's first key alone.
    pub fn first(order: Order<'p>) -> Self {
        Self { list: super::list_of([order.key]), life: PhantomData }
    }

    /// The list.
    pub(in crate::pg) fn list(self) -> *mut pg_sys::List {
        self.list
    }
}

/// The members of a key's class, and whether one is volatile.
///
/// # Safety
/// A path key of the planner's.
pub(super) unsafe fn class(key: *mut pg_sys::PathKey) -> (Vec<*mut pg_sys::EquivalenceMember>, bool) {
    // SAFETY: the caller's promise; a class is a list of members.
    unsafe {
        let class = (*key).pk_eclass;
        let mut members = pointers::<pg_sys::EquivalenceMember>((*class).ec_members);
        // Before PostgreSQL 18 the copies for partitions stand beside the others.
        members.retain(|member| !(**member).em_is_child);
        (members, (*class).ec_has_volatile)
    }
}
