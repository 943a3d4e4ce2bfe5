//! Temporary tables in a query.

use pgrx::pg_sys;

use super::pointers;

/// Whether a query, one in its FROM or one in its WITH reads a temporary table. What is below its expressions has been
/// made plans of its own by the time a path is made.
///
/// # Safety
/// `query` is a query of the planner's.
pub unsafe fn is_read_by(query: *mut pg_sys::Query) -> bool {
    // SAFETY: the caller's promise; lists hold range table entries and expressions of WITH, whose queries are queries
    // also where they change data.
    unsafe {
        let mut entries = pointers::<pg_sys::RangeTblEntry>((*query).rtable).into_iter();
        let with = pointers::<pg_sys::CommonTableExpr>((*query).cteList).into_iter();
        let mut queries = with.map(|with| (*with).ctequery);
        entries.any(|entry| reads(&*entry))
            || queries.any(|query| (*query).type_ == pg_sys::NodeTag::T_Query && is_read_by(query.cast()))
    }
}

/// Whether an entry of a range table is a temporary table, or a query that reads one.
///
/// # Safety
/// An entry of the planner's.
unsafe fn reads(entry: &pg_sys::RangeTblEntry) -> bool {
    match entry.rtekind {
        pg_sys::RTEKind::RTE_RELATION => {
            // SAFETY: a look-up in a catalog cache.
            let persistence = unsafe { pg_sys::get_rel_persistence(entry.relid) };
            persistence as u8 == pg_sys::RELPERSISTENCE_TEMP
        }
        // SAFETY: the caller's promise.
        pg_sys::RTEKind::RTE_SUBQUERY => !entry.subquery.is_null() && unsafe { is_read_by(entry.subquery) },
        _ => false,
    }
}
