//! What a setting is for everybody, whatever this session set it to.

use std::ffi::CStr;

use pgrx::{FromDatum, pg_sys};

use super::encoding;
use super::open_table::OpenTable;

/// The shared catalog of settings for roles and databases, and its index on both. Fixed numbers of the server's.
const SETTINGS: u32 = 2964;
const SETTINGS_INDEX: u32 = 2965;
/// Its columns.
const DATABASE: i16 = 1;
const ROLE: i16 = 2;
const VALUES: i32 = 3;

/// Where a setting's value at the session's start came from.
pub enum Start {
    /// The server: its configuration, its command line, the built-in default.
    Server(String),
    /// The role or the connection, which hide what the server says.
    Session,
}

/// What `ALTER DATABASE ... SET` says of a setting for this database, or else `ALTER ROLE ALL SET` for all.
pub fn of_database(name: &str) -> Option<String> {
    // SAFETY: reads the number of this process's database.
    let database = unsafe { pg_sys::MyDatabaseId };
    stored(database, name).or_else(|| stored(pg_sys::InvalidOid, name))
}

/// A setting of a database, or of all where there is none, that is no role's.
fn stored(database: pg_sys::Oid, name: &str) -> Option<String> {
    let catalog = OpenTable::open(pg_sys::Oid::from(SETTINGS));
    let wanted = [(DATABASE, database), (ROLE, pg_sys::InvalidOid)];
    let found = catalog.find_equal(pg_sys::Oid::from(SETTINGS_INDEX), wanted, |row| {
        // SAFETY: the column is a text[].
        let values = unsafe { pgrx::Array::<&[u8]>::from_datum(row.value(VALUES)?, false) };
        values?.iter().flatten().find_map(|pair| value_of(pair, name))
    });
    catalog.close();
    found
}

/// The value of `name=value`.
fn value_of(pair: &[u8], name: &str) -> Option<String> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    pair[..at].eq_ignore_ascii_case(name.as_bytes()).then(|| encoding::from_server(&pair[at + 1..]))
}

/// What a text setting was when the session began. `None` where there is no such setting.
pub fn at_start(name: &CStr) -> Option<Start> {
    let found = all().into_iter().find(|one| {
        // SAFETY: a setting of the server's, whose name is a C string.
        unsafe { CStr::from_ptr((**one).name) == name }
    })?;
    // SAFETY: as above.
    let (kind, source) = unsafe { ((*found).vartype, (*found).reset_source) };
    if kind != pg_sys::config_type::PGC_STRING {
        return None;
    }
    if source > pg_sys::GucSource::PGC_S_GLOBAL {
        return Some(Start::Session);
    }
    // SAFETY: a setting of type text begins with what all have; its start value is a C string or NULL.
    let value = unsafe {
        let value = (*found.cast::<pg_sys::config_string>()).reset_val;
        if value.is_null() { c"" } else { CStr::from_ptr(value) }
    };
    Some(Start::Server(encoding::from_server(value.to_bytes())))
}

/// All settings that there are.
fn all() -> Vec<*mut pg_sys::config_generic> {
    // SAFETY: the server's own list of settings, as long as it says.
    unsafe {
        #[cfg(feature = "pg15")]
        let (all, count) = (pg_sys::get_guc_variables(), pg_sys::GetNumConfigOptions());
        #[cfg(not(feature = "pg15"))]
        let (all, count) = {
            let mut count = 0;
            (pg_sys::get_guc_variables(&mut count), count)
        };
        std::slice::from_raw_parts(all, count.max(0) as usize).to_vec()
    }
}
