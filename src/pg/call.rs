//! One call of an SQL function: its arguments, its result, and what it remembers between calls.

use std::ffi::CString;

use pgrx::{FromDatum, PgMemoryContexts, pg_sys};

use super::datum::{self, Detoasted};
use super::{catalog, encoding, report};
use crate::error::Error;

/// The result of an SQL function: a datum of the declared type, or NULL.
pub type Value = Option<pg_sys::Datum>;

/// The arguments and the memory of one call.
pub struct Call<'a> {
    info: &'a mut pg_sys::FunctionCallInfoBaseData,
}

impl<'a> Call<'a> {
    /// Wraps what the server passes to a function.
    ///
    /// # Safety
    /// `info` is what the server passed to the running version-1 function, and is used for no longer than it runs.
    pub unsafe fn new(info: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: the caller's promise; the server's pointer is valid and not aliased while the function runs.
        Self { info: unsafe { &mut *info } }
    }

    /// Number of arguments.
    pub fn arguments(&self) -> usize {
        usize::try_from(self.info.nargs).unwrap_or(0)
    }

    /// Argument `index`, `None` if it is NULL or was not passed.
    pub fn datum(&self, index: usize) -> Option<pg_sys::Datum> {
        if index >= self.arguments() {
            return None;
        }
        // SAFETY: the server allocates `nargs` elements behind the header, and `index` is below that.
        let argument = unsafe { *self.info.args.as_ptr().add(index) };
        (!argument.isnull).then_some(argument.value)
    }

    /// A varlena argument (bytea, text, grnet_features, …), fetched and decompressed.
    pub fn varlena(&self, index: usize) -> Option<Detoasted<'_>> {
        // SAFETY: `sql/` declares a varlena type for every argument that is asked for in this way.
        self.datum(index).map(|datum| unsafe { Detoasted::new(datum) })
    }

    /// A text argument.
    pub fn text(&self, index: usize) -> Option<String> {
        self.varlena(index).map(|value| encoding::from_server(&value))
    }

    /// A text argument as the server has it: SQL, which goes back to the server.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn server_text(&self, index: usize) -> Result<Option<CString>, Error> {
        let copy = self.varlena(index).map(|value| value.copy()).transpose()?;
        // The server's text has no NUL.
        Ok(copy.map(|copy| CString::new(copy).unwrap_or_default()))
    }

    /// An integer argument.
    pub fn int(&self, index: usize) -> Option<i32> {
        self.datum(index).map(|datum| datum.value() as i32)
    }

    /// A boolean argument; false where it is NULL or was not passed.
    pub fn boolean(&self, index: usize) -> bool {
        self.datum(index).is_some_and(|datum| datum.value() as u8 != 0)
    }

    /// A `cstring` argument: the text a type's input function gets.
    pub fn cstring(&self, index: usize) -> Option<String> {
        // SAFETY: only input functions ask, and the server passes them a C string.
        self.datum(index).map(|datum| unsafe { encoding::from_c(datum.cast_mut_ptr()) })
    }

    /// A `box` argument as left, top, width, height.
    pub fn rectangle(&self, index: usize) -> Option<[f64; 4]> {
        self.datum(index).map(super::datum::rectangle)
    }

    /// A `bytea[]` argument; its elements are borrowed, and `None` where they are NULL.
    pub fn varlena_array(&self, index: usize) -> Option<pgrx::Array<'_, &[u8]>> {
        let datum = self.datum(index)?;
        // SAFETY: `sql/` declares `bytea[]` for the argument.
        unsafe { pgrx::Array::<&[u8]>::from_datum(datum, false) }
    }

    /// A `real[]` argument; `None` elements are NULL.
    pub fn real_array(&self, index: usize) -> Option<Vec<Option<f32>>> {
        let datum = self.datum(index)?;
        // SAFETY: `sql/` declares `real[]` for the argument.
        unsafe { Vec::<Option<f32>>::from_datum(datum, false) }
    }

    /// A `jsonb` argument.
    ///
    /// # Errors
    /// It has a number or a depth that Rust does not read.
    pub fn jsonb(&self, index: usize) -> Result<Option<serde_json::Value>, Error> {
        self.datum(index).map(datum::json).transpose()
    }

    /// The bytes left in the message that a type's receive function gets.
    pub fn message(&self) -> Option<Vec<u8>> {
        let buffer: *mut pg_sys::StringInfoData = self.datum(0)?.cast_mut_ptr();
        // SAFETY: only the receive function asks, and the server passes it a StringInfo; the cursor never exceeds
        // the length, and pq_getmsgbytes checks against both.
        unsafe {
            let left = (*buffer).len - (*buffer).cursor;
            let start = pg_sys::pq_getmsgbytes(buffer, left);
            Some(std::slice::from_raw_parts(start.cast::<u8>(), left as usize).to_vec())
        }
    }

    /// What this place in the query remembers between calls; made by `T::default()` at the first call and dropped
    /// with the memory the server keeps for the call site. Every function uses one type `T` throughout.
    pub fn call_site_cache<T: Default + 'static>(&mut self) -> &'a mut T {
        // SAFETY: `flinfo` is set for every call through the executor and the function manager; `fn_extra` is ours
        // alone, always holds the same type for one C function, and lives as long as `fn_mcxt`, which outlives the call.
        unsafe {
            let site = &mut *self.info.flinfo;
            if site.fn_extra.is_null() {
                let memory = PgMemoryContexts::For(site.fn_mcxt).leak_and_drop_on_delete(T::default());
                site.fn_extra = memory.cast();
            }
            &mut *site.fn_extra.cast::<T>()
        }
    }

    /// OID of the type `grnet_features` in the schema of the running function, which is the extension's.
    pub fn features_type(&self) -> pg_sys::Oid {
        // SAFETY: `flinfo` is set as above; the name is a C string; both functions only look at catalog caches.
        unsafe {
            let schema = pg_sys::get_func_namespace((*self.info.flinfo).fn_oid);
            pg_sys::GetSysCacheOid(
                pg_sys::SysCacheIdentifier::TYPENAMENSP as i32,
                pg_sys::Anum_pg_type_oid as pg_sys::AttrNumber,
                pg_sys::Datum::from(c"grnet_features".as_ptr()),
                pg_sys::Datum::from(schema),
                pg_sys::Datum::null(),
                pg_sys::Datum::null(),
            )
        }
    }

    /// The node the server passes beside the arguments: a trigger's data, or the wish for a set.
    pub fn context(&self) -> *mut pg_sys::Node {
        self.info.context
    }

    /// Returns a set: each row has one value for each column of the declared result.
    ///
    /// # Errors
    /// The SQL of another version declares others.
    pub fn return_rows(&mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> Result<Value, Error> {
        let mut rows = rows.into_iter().peekable();
        let mut columns = std::ptr::null_mut();
        // SAFETY: fills in the description of the declared result.
        unsafe { pg_sys::get_call_result_type(self.info, std::ptr::null_mut(), &mut columns) };
        if let Some(row) = rows.peek() {
            catalog::same_columns(columns, row.len())?;
        }
        // SAFETY: raises an ERROR where the caller cannot take a set, and otherwise fills in both fields that are used.
        let set = unsafe {
            pg_sys::InitMaterializedSRF(self.info, 0);
            self.info.resultinfo.cast::<pg_sys::ReturnSetInfo>()
        };
        for row in rows {
            let mut nulls: Vec<bool> = row.iter().map(Option::is_none).collect();
            let mut values: Vec<pg_sys::Datum> = row.into_iter().map(|v| v.unwrap_or(pg_sys::Datum::null())).collect();
            let (values, nulls) = (values.as_mut_ptr(), nulls.as_mut_ptr());
            // SAFETY: as many values as columns, by `same_columns`; the server copies them.
            unsafe { pg_sys::tuplestore_putvalues((*set).setResult, (*set).setDesc, values, nulls) };
        }
        Ok(None)
    }

    /// Returns a record: one value for each column of the declared result.
    ///
    /// # Errors
    /// The SQL of another version declares others.
    pub fn return_record(&mut self, row: Vec<Value>) -> Result<Value, Error> {
        let mut nulls: Vec<bool> = row.iter().map(Option::is_none).collect();
        let mut values: Vec<pg_sys::Datum> = row.into_iter().map(|v| v.unwrap_or(pg_sys::Datum::null())).collect();
        let mut columns = std::ptr::null_mut();
        // SAFETY: the functions that return records are declared so in `sql/`, with as many columns as the arrays have
        // values, which is checked; the tuple is the server's and lives as long as the call's memory.
        unsafe {
            pg_sys::get_call_result_type(self.info, std::ptr::null_mut(), &mut columns);
            catalog::same_columns(columns, values.len())?;
            let columns = pg_sys::BlessTupleDesc(columns);
            let tuple = pg_sys::heap_form_tuple(columns, values.as_mut_ptr(), nulls.as_mut_ptr());
            Ok(Some(pg_sys::heap_copy_tuple_as_datum(tuple, columns)))
        }
    }

    /// Hands a result to the server.
    pub fn finish(self, value: Value) -> pg_sys::Datum {
        self.info.isnull = value.is_none();
        value.unwrap_or(pg_sys::Datum::null())
    }
}

/// Runs an SQL function.
///
/// # Safety
/// As for [`Call::new`] and [`report::entry`].
pub unsafe fn run(info: pg_sys::FunctionCallInfo, body: fn(&mut Call<'_>) -> Result<Value, Error>) -> pg_sys::Datum {
    // SAFETY: the caller's promise.
    unsafe {
        report::entry(|| {
            let mut call = Call::new(info);
            let value = body(&mut call)?;
            Ok(call.finish(value))
        })
    }
}

/// Declares SQL functions: for each, the entry the server calls (which makes an ERROR of a panic) and the
/// record that says it uses the version-1 calling convention. The body is safe: `fn(&mut Call) -> Result<Value, Error>`.
#[macro_export]
macro_rules! sql_functions {
    ($($(#[$doc:meta])* $name:ident, $info:ident => $body:path;)*) => {$(
        $(#[$doc])*
        // SAFETY: the name has our prefix, so that no other library's symbol is taken for it, and the signature is the
        // version-1 calling convention's, which the record below announces.
        #[unsafe(no_mangle)]
        #[allow(unsafe_code, reason = "an exported entry; its body is safe")]
        pub unsafe extern "C-unwind" fn $name(info: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum {
            // SAFETY: the server calls this entry with its own call information, for the time of the call; it does
            // nothing else.
            unsafe { $crate::pg::call::run(info, $body) }
        }

        /// Says that the function of the same name uses the version-1 calling convention.
        // SAFETY: the server looks this name up beside the function's and expects this signature; the prefix is ours.
        #[unsafe(no_mangle)]
        #[allow(unsafe_code, reason = "an exported name")]
        pub extern "C" fn $info() -> &'static pgrx::pg_sys::Pg_finfo_record {
            const RECORD: pgrx::pg_sys::Pg_finfo_record = pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
            &RECORD
        }
    )*};
}
