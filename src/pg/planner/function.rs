//! Functions by what only a superuser can make: their C names and libraries.

use pgrx::pg_sys;

use crate::pg::datum;

/// A function written in C: the name in its library, and the library.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// The C name.
    pub symbol: String,
    /// The library as `CREATE FUNCTION` named it.
    pub library: String,
}

/// The C function behind an OID; `None` for functions in other languages.
pub fn function(oid: pg_sys::Oid) -> Option<Function> {
    let cache = pg_sys::SysCacheIdentifier::PROCOID as i32;
    let null = pg_sys::Datum::null();
    // SAFETY: a look-up in a catalog cache.
    let row = unsafe { pg_sys::SearchSysCache(cache, pg_sys::Datum::from(oid), null, null, null) };
    if row.is_null() {
        return None;
    }
    let text = |column: u32| {
        let mut missing = false;
        // SAFETY: a row of this cache's.
        let value = unsafe { pg_sys::SysCacheGetAttr(cache, row, column as pg_sys::AttrNumber, &mut missing) };
        (!missing).then(|| String::from_utf8_lossy(&datum::bytea(value)).into_owned())
    };
    let (symbol, library) = (text(pg_sys::Anum_pg_proc_prosrc), text(pg_sys::Anum_pg_proc_probin));
    // SAFETY: released once, after both texts were copied.
    unsafe { pg_sys::ReleaseSysCache(row) };
    Some(Function { symbol: symbol?, library: library? })
}
