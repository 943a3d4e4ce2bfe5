//! Tables of images: comma-separated values or Parquet, row by row.

mod csv;
mod parquet;
pub mod row;

use std::path::Path;

use crate::error::DataError;
use crate::table::row::Row;

/// The rows of a table; a file that ends in `.parquet` is Parquet, any other comma-separated values. Columns that are
/// not known are left alone.
///
/// # Errors
/// It cannot be read, has a column twice or lacks one of the `needed`, or a row is not as the header says; the line (in
/// Parquet the row) is named.
pub fn read(path: &Path, needed: &[&str]) -> Result<Vec<Row>, DataError> {
    let rows = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
        parquet::read(path, needed)?
    } else {
        csv::read(path, needed)?
    };
    match rows.is_empty() {
        true => Err(DataError::Dataset { path: path.to_owned(), reason: "the table has no row".to_owned() }),
        false => Ok(rows),
    }
}
