//! Which models the values of a table's column name, read below SQL.
//!
//! A query on a table that may be anybody's would run code of his in the planner (conditions of partial indexes) and in the
//! executor (policies), with the rights of whoever drops a model. So rows are read as they lie there.

use pgrx::pg_sys;

use grnet_core::features::{HEADER, model_in};
use grnet_core::model::ModelId;

use super::datum::Detoasted;

/// Whether one of a column's first values, of at most `most` rows that lie at the table's beginning, is of a model. False
/// too where somebody has the table locked.
pub fn holds(table: pg_sys::Oid, column: i16, model: ModelId, most: usize) -> bool {
    // SAFETY: the relation is locked before it is opened, and closed again, also by the transaction's end after an ERROR;
    // its kind is that of a table, and the column there and of a varlena type, since a lock is held: both are looked at
    // again behind it. A row is used only while the scan stands on it.
    unsafe {
        let lock = pg_sys::AccessShareLock as i32;
        if !pg_sys::ConditionalLockRelationOid(table, lock) {
            return false;
        }
        let relation = pg_sys::try_relation_open(table, pg_sys::NoLock as i32);
        if relation.is_null() {
            pg_sys::UnlockRelationOid(table, lock);
            return false;
        }
        let kind = (*(*relation).rd_rel).relkind as u8;
        let columns = (*relation).rd_att;
        let there = (kind == b'r' || kind == b'm') && i32::from(column) <= (*columns).natts && {
            let column = &*super::attribute(columns, i32::from(column));
            column.attlen == -1 && !column.attisdropped
        };
        let found = there && scan(relation, column, model, most);
        pg_sys::relation_close(relation, lock);
        found
    }
}

/// # Safety
/// The relation is an open table with a varlena column of that number.
unsafe fn scan(relation: pg_sys::Relation, column: i16, model: ModelId, most: usize) -> bool {
    // SAFETY: the caller's promise. NULL: a snapshot of its own, of what is committed now and what this transaction did.
    unsafe {
        let scan = pg_sys::systable_beginscan(
            relation,
            pg_sys::InvalidOid,
            false,
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
        );
        let mut found = false;
        for _ in 0..most {
            let row = pg_sys::systable_getnext(scan);
            if row.is_null() || found {
                break;
            }
            super::interrupt::check();
            let mut null = true;
            let value = pg_sys::SPI_getbinval(row, (*relation).rd_att, i32::from(column), &mut null);
            if !null {
                let header = pg_sys::pg_detoast_datum_slice(value.cast_mut_ptr(), 0, HEADER as i32);
                found = model_in(&Detoasted::new(pg_sys::Datum::from(header))) == Some(model);
                pg_sys::pfree(header.cast());
            }
        }
        pg_sys::systable_endscan(scan);
        found
    }
}
