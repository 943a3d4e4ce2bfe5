//! Which model a trigger makes features with.
//!
//! Never the session's: two sessions with different settings would put features of two models into one column, and no
//! ranking of the table would work any more.

use std::cell::RefCell;

use grnet_features::model_file::ModelId;
use pgrx::{PgLogLevel, pg_sys};

use super::arguments::Arguments;
use super::recent;
use crate::error::{self, Error};
use crate::pg::row_trigger::RowTrigger;
use crate::pg::{catalog, extension_tables, guc_source, process};
use crate::{model, settings};

thread_local! {
    /// The name found last, and when: in which statement, and after which change of models. A COPY of a million rows looks
    /// once.
    static FOUND: RefCell<Option<((i64, u64), String)>> = const { RefCell::new(None) };
}

/// The model that the trigger names. Without a name: the database's own default, its only model, or the server's default,
/// in this order.
///
/// # Errors
/// The model is not in this database, or no default is the same for all sessions.
pub fn of_trigger(row: &RowTrigger, arguments: &Arguments) -> Result<ModelId, Error> {
    if let Some(name) = &arguments.model {
        return model::resolve(Some(name));
    }
    let name = default_name()?;
    let id = model::resolve(Some(&name))?;
    let session = settings::model();
    // Of a model that is not here nobody expects anything: no NOTICE where the setting was left as it is.
    if session != name && model::resolve(Some(&session)).is_ok() && recent::first_time(pg_sys::InvalidOid, &session) {
        error::warn(
            PgLogLevel::NOTICE,
            format!("the trigger of table \"{}\" uses model \"{name}\", not \"{session}\"", row.table()),
            "A trigger does not follow the setting grnet.model of a session: all rows of a table must have one model.",
            "Name the model in the trigger: grnet_features_trigger('image', 'features', 'model=...').",
        );
    }
    Ok(id)
}

fn default_name() -> Result<String, Error> {
    let now = (process::statement(), extension_tables::changes());
    let known = FOUND.with_borrow(|found| found.as_ref().filter(|(at, _)| *at == now).map(|(_, name)| name.clone()));
    if let Some(name) = known {
        return Ok(name);
    }
    let name = match (guc_source::of_database("grnet.model"), catalog::sole(&catalog::MODEL, 0)?) {
        (Some(name), _) => name,
        (None, Some(only)) => only,
        (None, None) => match guc_source::at_start(c"grnet.model") {
            Some(guc_source::Start::Server(name)) => name,
            Some(guc_source::Start::Session) | None => return Err(Error::NoCommonModel),
        },
    };
    FOUND.set(Some((now, name.clone())));
    Ok(name)
}
