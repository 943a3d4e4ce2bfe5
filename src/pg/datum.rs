//! Values between Rust and the server.

use std::ops::Deref;

use pgrx::{IntoDatum, pg_sys};

use super::call::Value;
use crate::error::Error;

/// The bytes of a varlena, fetched from TOAST and decompressed where needed; a copy made for that is freed at once,
/// so that a scan of 10,000 values does not hold 70 MB.
pub struct Detoasted<'a> {
    bytes: &'a [u8],
    copy: *mut pg_sys::varlena,
}

impl Detoasted<'_> {
    /// Fetches a value.
    ///
    /// # Safety
    /// `datum` is a varlena that lives at least as long as the result.
    pub unsafe fn new(datum: pg_sys::Datum) -> Self {
        let original = datum.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: the caller's promise; the detoasted pointer is the original or a fresh allocation, and
        // VARDATA_ANY/VARSIZE_ANY_EXHDR describe exactly the bytes behind its header.
        unsafe {
            let plain = pg_sys::pg_detoast_datum_packed(original);
            let bytes =
                std::slice::from_raw_parts(pgrx::vardata_any(plain).cast::<u8>(), pgrx::varsize_any_exhdr(plain));
            Self { bytes, copy: if plain == original { std::ptr::null_mut() } else { plain } }
        }
    }
}

impl Detoasted<'_> {
    /// A copy of the bytes on Rust's heap, for what outlives the value.
    ///
    /// # Errors
    /// There is no memory for it: an allocation that fails elsewhere in Rust ends the process, and with it every
    /// session of the server.
    pub fn copy(&self) -> Result<Vec<u8>, Error> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(self.len()).map_err(|_| Error::NoMemory { bytes: self.len() })?;
        copy.extend_from_slice(self);
        Ok(copy)
    }
}

impl Deref for Detoasted<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl Drop for Detoasted<'_> {
    fn drop(&mut self) {
        if !self.copy.is_null() {
            // SAFETY: `copy` is the allocation that detoasting made for this value alone.
            unsafe { pg_sys::pfree(self.copy.cast()) }
        }
    }
}

/// A varlena (bytea, grnet_features) made of bytes.
pub fn varlena(bytes: &[u8]) -> Value {
    bytes.into_datum()
}

/// A text.
pub fn text(value: &str) -> Value {
    super::encoding::to_server(value).as_bytes().into_datum()
}

/// A double precision.
pub fn double(value: f64) -> Value {
    value.into_datum()
}

/// A real.
pub fn real(value: f32) -> Value {
    value.into_datum()
}

/// A boolean.
pub fn boolean(value: bool) -> Value {
    value.into_datum()
}

/// An integer.
pub fn int(value: i32) -> Value {
    value.into_datum()
}

/// A bigint.
pub fn bigint(value: i64) -> Value {
    value.into_datum()
}

/// A `real[]`.
pub fn real_array(values: Vec<f32>) -> Value {
    values.into_datum()
}

/// A `double precision[]`.
pub fn double_array(values: Vec<f64>) -> Value {
    values.into_datum()
}

/// A `timestamptz`, from microseconds since 1970.
pub fn timestamp(unix_us: i64) -> Value {
    // The server counts from the year 2000, 10,957 days later.
    Some(pg_sys::Datum::from(unix_us.saturating_sub(10_957 * 86_400 * 1_000_000)))
}

/// A `jsonb`.
pub fn jsonb(value: &serde_json::Value) -> Value {
    let text = super::encoding::to_server(&value.to_string());
    let argument = Some(pg_sys::Datum::from(text.as_ptr()));
    // SAFETY: the type's input function, which takes a C string and copies what it needs.
    unsafe { pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[argument]) }
}

/// What a value of type jsonb says.
///
/// # Errors
/// It has a number or a depth that Rust does not read.
pub fn json(value: pg_sys::Datum) -> Result<serde_json::Value, Error> {
    // SAFETY: only called with arguments that `sql/` declares as jsonb; the type's output function gives a C string of
    // the server's memory.
    let text = unsafe {
        pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(value)])
            .map(|text| super::encoding::from_c(text.cast_mut_ptr()))
            .unwrap_or_default()
    };
    serde_json::from_str(&text).map_err(|error| Error::Argument(format!("a JSON value cannot be read: {error}")))
}

/// A C string: what a type's output function returns.
pub fn cstring(value: &str) -> Value {
    let text = super::encoding::to_server(value);
    // SAFETY: a C string, which is copied.
    Some(pg_sys::Datum::from(unsafe { pg_sys::pstrdup(text.as_ptr()) }))
}

/// A one-dimensional array of varlenas of type `element` (storage alignment int4), NULL where there is no value.
pub fn varlena_array(values: &[Option<Vec<u8>>], element: pg_sys::Oid) -> Value {
    let mut nulls: Vec<bool> = values.iter().map(Option::is_none).collect();
    let mut datums: Vec<pg_sys::Datum> =
        values.iter().map(|v| v.as_deref().and_then(varlena).unwrap_or(pg_sys::Datum::null())).collect();
    let (mut size, mut lower) = (values.len() as i32, 1);
    if values.is_empty() {
        // SAFETY: a type.
        return Some(pg_sys::Datum::from(unsafe { pg_sys::construct_empty_array(element) }));
    }
    let (datums, nulls) = (datums.as_mut_ptr(), nulls.as_mut_ptr());
    let align = pg_sys::TYPALIGN_INT as std::ffi::c_char;
    // SAFETY: both arrays have `size` elements; `element` is a varlena type with int4 alignment (checked by the one
    // caller's declaration in `sql/`); the server copies everything.
    let array =
        unsafe { pg_sys::construct_md_array(datums, nulls, 1, &mut size, &mut lower, element, -1, false, align) };
    Some(pg_sys::Datum::from(array))
}

/// Size in bytes of a bytea, decompressed, without fetching it: what limits are checked against.
pub fn size_of(image: pg_sys::Datum) -> usize {
    // SAFETY: only called with datums of type bytea (an argument so declared, a column that was checked to be one);
    // the function reads the header or the TOAST pointer only.
    let with_header = unsafe { pg_sys::toast_raw_datum_size(image) };
    with_header.saturating_sub(pg_sys::VARHDRSZ)
}

/// The bytes of a value of type bytea.
pub fn bytea<'a>(image: pg_sys::Datum) -> Detoasted<'a> {
    // SAFETY: only called with columns that were checked to be bytea, of a row that outlives the trigger's run.
    unsafe { Detoasted::new(image) }
}

/// The bytes of a value in the features column of a row. A column of another varlena type holds no features, which
/// whoever parses the bytes finds; a column of a fixed-size type is refused by the type check of the row's own update.
pub fn features<'a>(value: pg_sys::Datum) -> Detoasted<'a> {
    // SAFETY: the trigger checked that the column's type is grnet_features before it asks.
    unsafe { Detoasted::new(value) }
}

/// Left, top, width, height of a value of type box.
pub fn rectangle(area: pg_sys::Datum) -> [f64; 4] {
    // SAFETY: only called with datums of type box: an argument so declared, or a column that was checked to be one.
    let area = unsafe { *area.cast_mut_ptr::<pg_sys::BOX>() };
    // A box's corners are sorted when it is read: `high` is the larger in both directions.
    [area.low.x, area.low.y, area.high.x - area.low.x, area.high.y - area.low.y]
}
