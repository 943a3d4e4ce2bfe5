//! Tables of photos: comma-separated values or Parquet, row by row.

mod csv;
mod parquet;
mod row;

use std::path::Path;

use row::Header;
pub use row::Row;

use crate::network::EngineError;

/// Columns that a table of photos may have; docs/training.md says what they mean.
const COLUMNS: [&str; 12] =
    ["file", "item", "domain", "left", "top", "width", "height", "view", "occlusion", "cropping", "split", "set"];

/// The rows of a table; a file that ends in `.parquet` is Parquet, any other comma-separated values. Columns that are
/// not known are left alone.
///
/// # Errors
/// It cannot be read, has a column twice or lacks one of the `needed`, or a row is not as the header says; the line (in
/// Parquet the row) is named.
pub fn table(path: &Path, needed: &[&str]) -> Result<Vec<Row>, EngineError> {
    let rows = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
        parquet::read(path, needed)?
    } else {
        csv::read(path, needed)?
    };
    match rows.is_empty() {
        true => Err(EngineError::Dataset { path: path.to_owned(), reason: "the table has no row".to_owned() }),
        false => Ok(rows),
    }
}
