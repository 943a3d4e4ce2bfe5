//! What CREATE TRIGGER says between the parentheses: columns, and the model.

use pgrx::{PgLogLevel, pg_sys};

use super::USAGE;
use crate::error::{self, Error};
use crate::pg::row_trigger::{Column, RowTrigger};

/// How the argument begins that names the model.
const MODEL: &str = "model=";

/// The arguments, looked up in the table.
pub struct Arguments {
    /// Column of images.
    pub image: Column,
    /// Column of features.
    pub features: Column,
    /// Column of boxes.
    pub region: Option<Column>,
    /// Name of the model.
    pub model: Option<String>,
}

impl Arguments {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// They are too few or too many; a column is not there, of another type, or generated.
    pub fn of(row: &RowTrigger, features_type: pg_sys::Oid) -> Result<Self, Error> {
        let mut names = row.arguments();
        let model = names.pop_if(|last| last.starts_with(MODEL)).map(|last| last[MODEL.len()..].to_owned());
        let (image, features, region) = match names.as_slice() {
            [image, features] => (image, features, None),
            [image, features, region] => (image, features, Some(region)),
            _ => {
                let count = names.len();
                let message = format!(
                    "grnet_features_trigger takes 2 or 3 column names, and 'model=...' after them, {count} were given"
                );
                return Err(Error::Trigger { message, hint: USAGE });
            }
        };
        let arguments = Self {
            image: column(row, image, pg_sys::BYTEAOID, "bytea")?,
            features: column(row, features, features_type, "grnet_features")?,
            region: region.map(|region| column(row, region, pg_sys::BOXOID, "box")).transpose()?,
            model,
        };
        for (name, column) in names.iter().zip(arguments.columns()) {
            tell_what_is_missed(row, name, column);
        }
        Ok(arguments)
    }

    fn columns(&self) -> impl Iterator<Item = Column> {
        [self.image, self.features].into_iter().chain(self.region)
    }
}

fn column(row: &RowTrigger, name: &str, wanted: pg_sys::Oid, type_name: &str) -> Result<Column, Error> {
    let refuse = |message| Err(Error::Trigger { message, hint: USAGE });
    let table = row.table();
    let Some(column) = row.column(name) else {
        return refuse(format!("table \"{table}\" has no column \"{name}\""));
    };
    if column.type_id != wanted {
        return refuse(format!("column \"{name}\" of table \"{table}\" is not of type {type_name}"));
    }
    if column.generated {
        return Err(Error::Generated { table, column: name.to_owned() });
    }
    Ok(column)
}

/// Warns, once a session, of a trigger whose list of columns lacks one of its own: `UPDATE OF image` does not run where
/// somebody sets the features to NULL to have them made again.
fn tell_what_is_missed(row: &RowTrigger, name: &str, column: Column) {
    let (trigger, id) = row.trigger();
    if !row.misses(column) || !super::recent::first_time(id, name) {
        return;
    }
    let (table, hint) = (row.table(), "Create it without a list of columns: BEFORE INSERT OR UPDATE ON ...");
    error::warn(
        PgLogLevel::WARNING,
        format!("trigger \"{trigger}\" does not run where an UPDATE sets column \"{name}\" of table \"{table}\" alone"),
        "It was created with UPDATE OF and a list of columns that lacks this one.",
        hint,
    );
}
