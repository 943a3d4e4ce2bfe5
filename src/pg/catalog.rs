//! Reading the extension's own tables below SQL.
//!
//! Scores are IMMUTABLE and PARALLEL SAFE, run under any role and any search_path, and yet need a model's head. A scan
//! at this level checks no rights, plans nothing and takes no snapshot of the transaction's; what it finds is keyed by
//! a digest, so it is the same for everybody and for ever.

use std::ffi::CStr;

use pgrx::{Spi, pg_sys};

use super::datum::Detoasted;
use super::open_table::OpenTable;
use super::{encoding, extension_tables};
use crate::error::Error;

/// Name of the schema that holds the extension's tables.
pub const SCHEMA: &CStr = c"grnet";

/// A table of the extension's, with the columns that are read.
pub struct Table {
    /// Its name in [`SCHEMA`].
    pub name: &'static CStr,
    /// Names and types of its first columns, all varlenas.
    pub columns: [(&'static CStr, pg_sys::Oid); 2],
}

/// Names and ids of models.
pub const MODEL: Table = Table { name: c"model", columns: [(c"name", pg_sys::TEXTOID), (c"id", pg_sys::TEXTOID)] };

/// Ids and files of models.
pub const MODEL_FILE: Table =
    Table { name: c"model_file", columns: [(c"id", pg_sys::TEXTOID), (c"file", pg_sys::BYTEAOID)] };

/// Looks through a table for the first row whose text column `key` (counted from 0) equals `wanted`, and gives column
/// `value` as bytes. `None` where there is no such row, or no such table.
///
/// # Errors
/// There is no memory for the bytes, or what has the table's name is not the extension's table.
pub fn find(table: &Table, key: usize, wanted: &str, value: usize) -> Result<Option<Vec<u8>>, Error> {
    find_with(table, key, wanted, value, |stored| stored.whole())
}

/// The same, with what `take` makes of the stored value.
///
/// # Errors
/// As [`find`], and what `take` says.
pub fn find_with<T>(
    table: &Table,
    key: usize,
    wanted: &str,
    value: usize,
    take: impl FnOnce(&Stored<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let wanted = encoding::to_server(wanted);
    find_where(table, key, |found| *found == *wanted.to_bytes(), value, take)
}

/// The same with a condition on the key.
fn find_where<T>(
    table: &Table,
    key: usize,
    mut wanted: impl FnMut(&[u8]) -> bool,
    value: usize,
    take: impl FnOnce(&Stored<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let Some(relation) = oid_of(table) else { return Ok(None) };
    extension_tables::check_kind(table, relation)?;
    let open = OpenTable::open(relation);
    extension_tables::check(table, &open)?;
    let (key, value) = (key as i32 + 1, value as i32 + 1);
    let mut take = Some(take);
    let found = open.find(usize::MAX, |row| {
        let datum = row.value(value)?;
        let take = take.take_if(|_| row.varlena(key).is_some_and(|key| wanted(&key)))?;
        Some(take(&Stored { datum, row: std::marker::PhantomData }))
    });
    open.close();
    found.transpose()
}

/// The number of what has a table's name; `None` where nothing has.
fn oid_of(table: &Table) -> Option<pg_sys::Oid> {
    // SAFETY: looks names up in catalog caches.
    unsafe {
        let schema = pg_sys::get_namespace_oid(SCHEMA.as_ptr(), true);
        if schema == pg_sys::InvalidOid {
            return None;
        }
        let relation = pg_sys::get_relname_relid(table.name.as_ptr(), schema);
        (relation != pg_sys::InvalidOid).then_some(relation)
    }
}

/// A text or bytea of a row on which a scan stands.
pub struct Stored<'a> {
    datum: pg_sys::Datum,
    row: std::marker::PhantomData<&'a ()>,
}

impl Stored<'_> {
    /// All of its bytes.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn whole(&self) -> Result<Vec<u8>, Error> {
        // SAFETY: a varlena of the row, by the only place that makes one.
        unsafe { Detoasted::new(self.datum) }.copy()
    }

    /// `length` of its bytes from `from` on, or as many as there are. Of a value that lies out of line and uncompressed
    /// no more are fetched.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn part(&self, from: usize, length: usize) -> Result<Vec<u8>, Error> {
        let (Ok(from), Ok(length)) = (i32::try_from(from), i32::try_from(length)) else {
            return Ok(Vec::new());
        };
        // SAFETY: as above; the slice is an allocation of its own, freed with the value that is made of it.
        unsafe {
            let slice = pg_sys::pg_detoast_datum_slice(self.datum.cast_mut_ptr(), from, length);
            let copy = Detoasted::new(pg_sys::Datum::from(slice)).copy();
            pg_sys::pfree(slice.cast());
            copy
        }
    }
}

/// Whether the current user may put rows into a table.
pub fn may_insert(table: &Table) -> bool {
    // SAFETY: looks names, the current user id and rights up in catalog caches.
    unsafe {
        let schema = pg_sys::get_namespace_oid(SCHEMA.as_ptr(), true);
        let relid = pg_sys::get_relname_relid(table.name.as_ptr(), schema);
        #[allow(clippy::useless_conversion, reason = "rights have 32 bits on 15 and 64 later")]
        let answer = pg_sys::pg_class_aclcheck(relid, pg_sys::GetUserId(), pg_sys::ACL_INSERT.into());
        answer == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// Raises the server's own ERROR where the current user may not execute a function.
pub fn require_execute(function: pg_sys::Oid) {
    // SAFETY: as above; the name is the server's memory, or NULL where the function is gone.
    unsafe {
        #[allow(clippy::useless_conversion, reason = "rights have 32 bits on 15 and 64 later")]
        let execute = pg_sys::ACL_EXECUTE.into();
        #[cfg(feature = "pg15")]
        let answer = pg_sys::pg_proc_aclcheck(function, pg_sys::GetUserId(), execute);
        #[cfg(not(feature = "pg15"))]
        let answer = pg_sys::object_aclcheck(pg_sys::ProcedureRelationId, function, pg_sys::GetUserId(), execute);
        if answer != pg_sys::AclResult::ACLCHECK_OK {
            pg_sys::aclcheck_error(answer, pg_sys::ObjectType::OBJECT_FUNCTION, pg_sys::get_func_name(function));
        }
    }
}

/// Whether the current user may know where things lie on the server's disk: who may read every setting.
pub fn may_see_paths() -> bool {
    // SAFETY: looks the current user id and its memberships up in catalog caches.
    unsafe { pg_sys::has_privs_of_role(pg_sys::GetUserId(), pg_sys::Oid::from(pg_sys::ROLE_PG_READ_ALL_SETTINGS)) }
}

/// Refuses to give `given` columns where the SQL declares another number.
///
/// # Errors
/// It does: library and SQL are of different versions.
pub fn same_columns(declared: pg_sys::TupleDesc, given: usize) -> Result<(), Error> {
    // SAFETY: NULL where nothing is declared, or the description of a declared row.
    let declared = unsafe { declared.as_ref() }.map_or(0, |row| usize::try_from(row.natts).unwrap_or(0));
    if declared == given {
        return Ok(());
    }
    let sql = "SELECT extversion FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'grnet_pg'";
    let version = Spi::get_one::<String>(sql).ok().flatten().unwrap_or_else(|| "unknown".into());
    Err(Error::Versions { declared, given, version })
}

/// Whether the current user is a superuser.
pub fn superuser() -> bool {
    // SAFETY: looks at the current user id and a catalog cache.
    unsafe { pg_sys::superuser() }
}

/// Column `value` (counted from 0) of the only row of a table. `None` where there are none or several, or no such table.
///
/// # Errors
/// As [`find`].
pub fn sole(table: &Table, value: usize) -> Result<Option<String>, Error> {
    let Some(first) = find_where(table, value, |_| true, value, |stored| stored.whole())? else {
        return Ok(None);
    };
    let another = find_where(table, value, |other| *other != *first, value, |_| Ok(()))?;
    Ok(another.is_none().then(|| encoding::from_server(&first)))
}
