//! What a query is ordered by.

use std::marker::PhantomData;

use pgrx::pg_sys;

use crate::ffi::planner::{Expr, Query, oids, pointers};

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
        unsafe {
            let keys = pointers::<pg_sys::PathKey>((*query.root).sort_pathkeys);
            let wanted = pointers::<pg_sys::PathKey>((*query.root).query_pathkeys);
            let key = *keys.first()?;
            let class = (*key).pk_eclass;
            let mut members = pointers::<pg_sys::EquivalenceMember>((*class).ec_members);
            // Before PostgreSQL 18 the copies for partitions stand beside the others.
            members.retain(|member| !(**member).em_is_child);
            let [member] = members[..] else { return None };
            if wanted.first() != Some(&key) || (*class).ec_has_volatile {
                return None;
            }
            Some(Self { key, expr: Expr::new((*member).em_expr) })
        }
    }

    /// The key itself.
    pub(super) fn key(self) -> *mut pg_sys::PathKey {
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
    pub(super) expr: Expr<'p>,
    rule: Rule,
    life: PhantomData<&'p ()>,
}

/// How a sort orders by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
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
        // SAFETY: the caller's promise; the operator is looked up as `prepare_sort_from_pathkeys` does.
        unsafe {
            let class = (*key).pk_eclass;
            let members = pointers::<pg_sys::EquivalenceMember>((*class).ec_members).into_iter();
            let member = members.into_iter().find(|member| !(**member).em_is_child)?;
            if (*class).ec_has_volatile {
                return None;
            }
            let (family, of) = ((*key).pk_opfamily, (*member).em_datatype);
            #[cfg(feature = "pg18")]
            let operator = pg_sys::get_opfamily_member_for_cmptype(family, of, of, (*key).pk_cmptype);
            #[cfg(not(feature = "pg18"))]
            let operator = pg_sys::get_opfamily_member(family, of, of, (*key).pk_strategy as i16);
            let (collation, nulls_first) = ((*class).ec_collation, (*key).pk_nulls_first);
            (operator != pg_sys::InvalidOid).then(|| Self {
                expr: Expr::new((*member).em_expr),
                rule: Rule { operator, collation, nulls_first },
                life: PhantomData,
            })
        }
    }

    /// How it orders, as a list that a plan can hold.
    pub(super) fn how(self) -> *mut pg_sys::List {
        let Rule { operator, collation, nulls_first } = self.rule;
        let numbers = [operator, collation, pg_sys::Oid::from(u32::from(nulls_first))];
        // SAFETY: a list of numbers, which begins as NULL.
        numbers.into_iter().fold(std::ptr::null_mut(), |list, number| unsafe { pg_sys::lappend_oid(list, number) })
    }
}

impl Rule {
    /// What [`SortKey::how`] made a list of.
    ///
    /// # Safety
    /// It did.
    pub unsafe fn of(list: *mut pg_sys::List) -> Self {
        // SAFETY: the caller's promise.
        let [operator, collation, nulls_first] = unsafe { oids(list) }[..] else { unreachable!("as made in how()") };
        Self { operator, collation, nulls_first: nulls_first != pg_sys::InvalidOid }
    }
}
