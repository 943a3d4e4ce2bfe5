//! What a setting is for everybody, whatever this session set it to.

use std::ffi::{CStr, c_int};

use pgrx::{FromDatum, pg_sys};

use super::text;

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
    // SAFETY: the catalog and its index are there in every server; both keys are of type oid; the row is read while the
    // scan stands on it; the third column is a text[].
    unsafe {
        let relation = pg_sys::table_open(pg_sys::Oid::from(SETTINGS), pg_sys::AccessShareLock as c_int);
        let mut keys = [pg_sys::ScanKeyData::default(); 2];
        let equal = pg_sys::BTEqualStrategyNumber as u16;
        let compare = pg_sys::Oid::from(pg_sys::F_OIDEQ);
        pg_sys::ScanKeyInit(&mut keys[0], DATABASE, equal, compare, database.into());
        pg_sys::ScanKeyInit(&mut keys[1], ROLE, equal, compare, pg_sys::InvalidOid.into());
        let index = pg_sys::Oid::from(SETTINGS_INDEX);
        let scan = pg_sys::systable_beginscan(relation, index, true, std::ptr::null_mut(), 2, keys.as_mut_ptr());
        let row = pg_sys::systable_getnext(scan);
        let mut null = true;
        let values = if row.is_null() {
            None
        } else {
            let values = pg_sys::SPI_getbinval(row, (*relation).rd_att, VALUES, &mut null);
            pgrx::Array::<&[u8]>::from_datum(values, null)
        };
        let found = values.and_then(|values| values.iter().flatten().find_map(|pair| value_of(pair, name)));
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as c_int);
        found
    }
}

/// The value of `name=value`.
fn value_of(pair: &[u8], name: &str) -> Option<String> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    pair[..at].eq_ignore_ascii_case(name.as_bytes()).then(|| text::from_server(&pair[at + 1..]))
}

/// What a text setting was when the session began. `None` where there is no such setting.
pub fn at_start(name: &CStr) -> Option<Start> {
    // SAFETY: the server's own list of settings, as long as it says; a setting of type text begins with what all have; its
    // start value is a C string or NULL.
    unsafe {
        #[cfg(feature = "pg15")]
        let (all, count) = (pg_sys::get_guc_variables(), pg_sys::GetNumConfigOptions());
        #[cfg(not(feature = "pg15"))]
        let (all, count) = {
            let mut count = 0;
            (pg_sys::get_guc_variables(&mut count), count)
        };
        let found =
            (0..count.max(0) as usize).map(|at| *all.add(at)).find(|one| CStr::from_ptr((**one).name) == name)?;
        if (*found).vartype != pg_sys::config_type::PGC_STRING {
            return None;
        }
        if (*found).reset_source > pg_sys::GucSource::PGC_S_GLOBAL {
            return Some(Start::Session);
        }
        let value = (*found.cast::<pg_sys::config_string>()).reset_val;
        let value = if value.is_null() { c"" } else { CStr::from_ptr(value) };
        Some(Start::Server(text::from_server(value.to_bytes())))
    }
}
