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
use super::text;
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
///
/// # Safety
/// `relation` is open.
pub unsafe fn check(table: &Table, relation: pg_sys::Relation) -> Result<(), Error> {
    // SAFETY: the caller's promise; the others look into catalogs. Column numbers are at most those that there are.
    unsafe {
        let relid = (*relation).rd_id;
        if CHECKED.get().contains(&relid) {
            return Ok(());
        }
        watch();
        let extension = pg_sys::get_extension_oid(EXTENSION.as_ptr(), true);
        if extension == pg_sys::InvalidOid
            || pg_sys::getExtensionOfObject(pg_sys::RelationRelationId, relid) != extension
        {
            return Err(refuse(table, "It is no member of the extension grnet_pg.".into()));
        }
        let owner = (*(*relation).rd_rel).relowner;
        if !owns_schema(owner) {
            let owner = text::from_c(pg_sys::GetUserNameFromId(owner, true));
            return Err(refuse(table, format!("It belongs to \"{owner}\", who does not own the schema.")));
        }
        let columns = (*relation).rd_att;
        for (number, (name, kind)) in (1..).zip(&table.columns) {
            let there = number <= (*columns).natts
                && pg_sys::SPI_gettypeid(columns, number) == *kind
                && CStr::from_ptr(pg_sys::SPI_fname(columns, number)) == *name;
            if !there {
                return Err(refuse(table, format!("Its column {number} is not {}.", name.to_string_lossy())));
            }
        }
        let [first, _] = CHECKED.get();
        CHECKED.set([relid, first]);
        Ok(())
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
    let node = call.context();
    // SAFETY: a non-null context of this tag is the trigger manager's, and its relation is open while the trigger runs.
    unsafe {
        if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_TriggerData {
            return None;
        }
        pg_sys::CacheInvalidateRelcache((*node.cast::<pg_sys::TriggerData>()).tg_relation);
    }
    // An AFTER trigger's result is not looked at.
    Some(Some(pg_sys::Datum::null()))
}
