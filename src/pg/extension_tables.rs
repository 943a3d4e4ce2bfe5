//! Whether what has a table's name is the extension's table, and when that, or a model, has to be looked at again.
//!
//! A view or a foreign table in the place of one, a superuser's mistake, has no rows that can be scanned; a table of
//! somebody else's would bring in models past the checks.

use std::cell::Cell;
use std::ffi::CStr;
use std::sync::Once;

use pgrx::pg_sys;

use super::call::{Call, Value};
use super::catalog::{SCHEMA, Table};
use super::encoding;
use super::open_table::OpenTable;
use super::row_trigger::trigger_data;
use crate::error::Error;

const EXTENSION: &CStr = c"grnet_pg";
/// There are two tables.
const TABLES: usize = 2;

thread_local! {
    /// Tables that were checked and have not changed since.
    static CHECKED: Cell<[pg_sys::Oid; TABLES]> = const { Cell::new([pg_sys::InvalidOid; TABLES]) };
    static CHANGES: Cell<u64> = const { Cell::new(0) };
}

/// Counts what may have changed tables or models. What was read of them holds as long as the number stays.
pub fn changes() -> u64 {
    CHANGES.get()
}

/// Refuses what is no plain table, before it is opened.
///
/// # Errors
/// What it is instead.
pub fn check_kind(table: &Table, relation: pg_sys::Oid) -> Result<(), Error> {
    // SAFETY: looks into a catalog cache.
    let kind = unsafe { pg_sys::get_rel_relkind(relation) } as u8;
    let what = match kind {
        b'r' => return Ok(()),
        b'v' => "a view",
        b'm' => "a materialised view",
        b'f' => "a foreign table",
        b'p' => "a partitioned table",
        _ => "no table",
    };
    Err(refuse(table, format!("It is {what}.")))
}

fn refuse(table: &Table, reason: String) -> Error {
    Error::NotOurs { table: table.name.to_string_lossy().into_owned(), reason }
}

/// Refuses an open table that is not the extension's: no member of it, of other columns, or of an owner who is neither
/// the extension's nor a superuser.
///
/// # Errors
/// What is wrong with it.
pub fn check(table: &Table, open: &OpenTable) -> Result<(), Error> {
    let relation = open.oid();
    if CHECKED.get().contains(&relation) {
        return Ok(());
    }
    watch();
    if !is_member(relation) {
        return Err(refuse(table, "It is no member of the extension grnet_pg.".into()));
    }
    let owner = open.owner();
    if !owns_schema(owner) {
        // SAFETY: looks a name up in a catalog cache; a copy of a C string, or NULL.
        let owner = unsafe { encoding::from_c(pg_sys::GetUserNameFromId(owner, true)) };
        return Err(refuse(table, format!("It belongs to \"{owner}\", who does not own the schema.")));
    }
    for (number, wanted) in (1..).zip(&table.columns) {
        if open.column(number) != Some(*wanted) {
            return Err(refuse(table, format!("Its column {number} is not {}.", wanted.0.to_string_lossy())));
        }
    }
    let [first, _] = CHECKED.get();
    CHECKED.set([relation, first]);
    Ok(())
}

/// Whether a relation is a member of the extension.
fn is_member(relation: pg_sys::Oid) -> bool {
    // SAFETY: looks into catalogs.
    unsafe {
        let extension = pg_sys::get_extension_oid(EXTENSION.as_ptr(), true);
        extension != pg_sys::InvalidOid
            && pg_sys::getExtensionOfObject(pg_sys::RelationRelationId, relation) == extension
    }
}

/// Whether a role has the rights of the owner of the extension's schema.
fn owns_schema(role: pg_sys::Oid) -> bool {
    // SAFETY: look names and rights up in catalog caches.
    unsafe {
        let schema = pg_sys::get_namespace_oid(SCHEMA.as_ptr(), true);
        #[cfg(feature = "pg15")]
        let owns = pg_sys::pg_namespace_ownercheck(schema, role);
        #[cfg(not(feature = "pg15"))]
        let owns = pg_sys::object_ownercheck(pg_sys::NamespaceRelationId, schema, role);
        owns
    }
}

/// From now on the server says when a table changes.
fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        // SAFETY: the library is never unloaded; once a process, of which the server allows ten.
        unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(changed), pg_sys::Datum::null()) }
    });
}

// SAFETY: the server alone calls this, with the table that changed, or none where all may have. It does nothing that can
// fail.
unsafe extern "C-unwind" fn changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    if relation == pg_sys::InvalidOid || CHECKED.get().contains(&relation) {
        CHECKED.set([pg_sys::InvalidOid; TABLES]);
        CHANGES.set(CHANGES.get().wrapping_add(1));
    }
}

/// Has every session hear, when this transaction commits, that the table of the running trigger has changed. `None` where
/// no trigger is running.
pub fn tell_of_change(call: &Call<'_>) -> Option<Value> {
    let data = trigger_data(call)?;
    // SAFETY: its relation is open while the trigger runs.
    unsafe { pg_sys::CacheInvalidateRelcache((*data).tg_relation) };
    // An AFTER trigger's result is not looked at.
    Some(Some(pg_sys::Datum::null()))
}
