//! Which row a trigger is at, for the CONTEXT of an ERROR: the table and the row's key.
//!
//! In the bytes of the database's encoding, from the server and back to it.

use std::ffi::{CStr, c_char, c_int, c_void};

use pgrx::{PgLogLevel, pg_sys};

use super::report;
use super::row_trigger::RowTrigger;
use crate::error::Error;

/// Bytes of a value that are shown.
const SHOWN: c_int = 64;
/// Columns that are shown of a row without a key.
const COLUMNS: usize = 3;

/// Runs `body`, of whose reports each, the server's own ERRORs too, has a line of CONTEXT that says where the trigger is.
/// An error of ours is raised at once, while the line is there.
///
/// # Errors
/// None that returns.
pub fn within<T>(row: &RowTrigger, body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let mut line = describe(row);
    line.retain(|byte| *byte != 0);
    line.push(0);
    // SAFETY: both allocations are as large as what is written to them, and live as long as the memory in which the
    // trigger runs, which is freed after the statement's ERROR is reported. The stack is this process's alone; after an
    // ERROR pgrx's guard puts back what was there when it was entered, and the function's entry what was before that.
    let before = unsafe {
        let text = pg_sys::palloc(line.len()).cast::<u8>();
        std::ptr::copy_nonoverlapping(line.as_ptr(), text, line.len());
        let callback = pg_sys::palloc0(size_of::<pg_sys::ErrorContextCallback>());
        let callback = callback.cast::<pg_sys::ErrorContextCallback>();
        let before = pg_sys::error_context_stack;
        *callback = pg_sys::ErrorContextCallback { previous: before, callback: Some(show), arg: text.cast() };
        pg_sys::error_context_stack = callback;
        before
    };
    let value = body().unwrap_or_else(|error| {
        report::tell(PgLogLevel::ERROR, error.report());
        unreachable!("an ERROR does not return")
    });
    // SAFETY: what was there when the line was put on top; calls in between left the stack as it was.
    unsafe { pg_sys::error_context_stack = before }
    Ok(value)
}

/// Adds the line to the report that the server makes.
// SAFETY: the server alone calls it, with the text that was put beside it.
unsafe extern "C-unwind" fn show(line: *mut c_void) {
    // Only declared here: the bindings leave out what writes into a report.
    unsafe extern "C" {
        fn errcontext_msg(format: *const c_char, ...) -> c_int;
    }
    // SAFETY: a report is being made; the format asks for one C string.
    unsafe {
        pg_sys::set_errcontext_domain(std::ptr::null());
        errcontext_msg(c"%s".as_ptr(), line.cast::<c_char>());
    }
}

/// `grnet_features_trigger, table "item", row (sku)=(17)`.
fn describe(row: &RowTrigger) -> Vec<u8> {
    // SAFETY: the relation is open while the trigger runs; its name is NUL-terminated.
    let table = unsafe { CStr::from_ptr((*(*(*row.data).tg_relation).rd_rel).relname.data.as_ptr()) };
    let mut line = [b"grnet_features_trigger, table \"", table.to_bytes(), b"\""].concat();
    let columns = key(row);
    if !columns.is_empty() {
        let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        line.extend([b", row (", names.join(&b", "[..]).as_slice(), b")=(", &values.join(&b", "[..]), b")"].concat());
    } else if let Some(old) = row.old {
        // SAFETY: a row that is there has a place.
        let (block, line_number) = unsafe {
            let place = &(*old).t_self;
            ((u32::from(place.ip_blkid.bi_hi) << 16) | u32::from(place.ip_blkid.bi_lo), place.ip_posid)
        };
        line.extend(format!(", row (ctid)=({block},{line_number})").bytes());
    }
    line
}

/// Names and values of the columns that say which row it is: the primary key's, else the replica identity's, else of a new
/// row the first ones that are no picture. Empty where the user may not read them.
fn key(row: &RowTrigger) -> Vec<(Vec<u8>, Vec<u8>)> {
    // SAFETY: the relation and its description stay while the trigger runs.
    let (relation, columns, count) = unsafe {
        let relation = (*row.data).tg_relation;
        let columns = (*relation).rd_att;
        (relation, columns, (*columns).natts)
    };
    // SAFETY: as above; numbers are of its columns.
    let all = || (1..=count).filter(|number| unsafe { known(columns, *number) });
    // SAFETY: as above.
    let may_read = |number: &i32| unsafe { readable(relation, *number) };
    // SAFETY: as above.
    let show = |number: i32| unsafe { shown(row, number) };
    for kind in [
        pg_sys::IndexAttrBitmapKind::INDEX_ATTR_BITMAP_PRIMARY_KEY,
        pg_sys::IndexAttrBitmapKind::INDEX_ATTR_BITMAP_IDENTITY_KEY,
    ] {
        // SAFETY: as above; a copy of the server's set, freed with the trigger's memory.
        let set = unsafe { pg_sys::RelationGetIndexAttrBitmap(relation, kind) };
        let found: Vec<i32> = all()
            // SAFETY: a set of numbers, or NULL.
            .filter(|number| unsafe { pg_sys::bms_is_member(number - pg_sys::FirstLowInvalidHeapAttributeNumber, set) })
            .collect();
        if !found.is_empty() {
            let may = found.iter().all(may_read);
            return if may { found.into_iter().map(show).collect() } else { Vec::new() };
        }
    }
    if row.is_update() {
        return Vec::new();
    }
    // SAFETY: as above.
    let plain = |number: &i32| unsafe { is_plain(columns, *number) } && may_read(number);
    all().filter(plain).take(COLUMNS).map(show).collect()
}

/// Whether a column is of a type whose values say which row it is: of a fixed size, or a text.
///
/// # Safety
/// The description is a relation's, the number that of one of its columns.
unsafe fn is_plain(columns: pg_sys::TupleDesc, number: i32) -> bool {
    // SAFETY: the caller's promise.
    let kind = unsafe { pg_sys::getBaseType((*super::attribute(columns, number)).atttypid) };
    // SAFETY: a look-up in a catalog cache.
    let is_fixed = unsafe { pg_sys::get_typlen(kind) } > 0 && kind != pg_sys::BOXOID;
    is_fixed || kind == pg_sys::TEXTOID || kind == pg_sys::VARCHAROID
}

/// Whether a column is there and has its value already.
///
/// # Safety
/// The description is a relation's, the number that of one of its columns.
unsafe fn known(columns: pg_sys::TupleDesc, number: i32) -> bool {
    // SAFETY: the caller's promise.
    let column = unsafe { &*super::attribute(columns, number) };
    !column.attisdropped && column.attgenerated == 0
}

/// Whether the user may read a column of every row: no policy hides any.
///
/// # Safety
/// The relation is open.
unsafe fn readable(relation: pg_sys::Relation, column: i32) -> bool {
    // SAFETY: the caller's promise; rights and policies are looked up in catalog caches.
    unsafe {
        let (table, user) = ((*relation).rd_id, pg_sys::GetUserId());
        #[allow(clippy::useless_conversion, reason = "rights have 32 bits on 15 and 64 later")]
        let select = pg_sys::ACL_SELECT.into();
        let ok = pg_sys::AclResult::ACLCHECK_OK;
        let hidden = pg_sys::CheckEnableRlsResult::RLS_ENABLED as c_int;
        if pg_sys::check_enable_rls(table, pg_sys::InvalidOid, true) == hidden {
            return false;
        }
        pg_sys::pg_class_aclcheck(table, user, select) == ok
            || pg_sys::pg_attribute_aclcheck(table, column as i16, user, select) == ok
    }
}

/// A column's name and its value of the row, shortened.
///
/// # Safety
/// The number is that of a column of the trigger's relation.
unsafe fn shown(row: &RowTrigger, number: i32) -> (Vec<u8>, Vec<u8>) {
    // SAFETY: the caller's promise; names and values are C strings in the server's memory, freed with the trigger's.
    let (name, value) = unsafe {
        let columns = (*(*row.data).tg_relation).rd_att;
        let name = CStr::from_ptr((*super::attribute(columns, number)).attname.data.as_ptr()).to_bytes().to_vec();
        (name, pg_sys::SPI_getvalue(row.old.unwrap_or(row.new), columns, number))
    };
    if value.is_null() {
        return (name, b"null".to_vec());
    }
    // SAFETY: as above.
    let text = unsafe { CStr::from_ptr(value) }.to_bytes();
    let length = c_int::try_from(text.len()).unwrap_or(c_int::MAX);
    // SAFETY: a text of this length in the database's encoding.
    let cut = unsafe { pg_sys::pg_mbcliplen(value, length, SHOWN) }.max(0) as usize;
    let dots: &[u8] = if cut < text.len() { b"..." } else { b"" };
    (name, [&text[..cut], dots].concat())
}
