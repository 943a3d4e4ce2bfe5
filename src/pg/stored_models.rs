//! Which models the values of a table's column name, read below SQL.
//!
//! A query on a table that may be anybody's would run code of his in the planner (conditions of partial indexes) and in the
//! executor (policies), with the rights of whoever drops a model. So rows are read as they lie there.

use pgrx::pg_sys;

use grnet_features::model_file::ModelId;
use grnet_features::value::{HEADER, model_in};

use super::open_table::OpenTable;

/// Whether one of a column's first values, of at most `most` rows that lie at the table's beginning, is of a model. False
/// too where somebody has the table locked.
pub fn holds(table: pg_sys::Oid, column: i16, model: ModelId, most: usize) -> bool {
    let Some(open) = OpenTable::try_open(table) else { return false };
    let number = i32::from(column);
    let is_table = matches!(open.kind(), b'r' | b'm') && open.has_varlenas(number);
    let found = is_table
        && open
            .find(most, |row| row.beginning(number, HEADER, |bytes| model_in(bytes) == Some(model))?.then_some(()))
            .is_some();
    open.close();
    found
}
