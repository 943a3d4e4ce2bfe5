//! Text between Rust, which has UTF-8, and the server, which has the encoding of the database. Nothing else converts.
//!
//! What comes in is converted whole or refused with the server's own ERROR. What goes out is always said: a character
//! that the database's encoding lacks becomes a question mark. In a database of SQL_ASCII bytes go through as they are,
//! and what is no UTF-8 is refused where Rust has to read it.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

const UTF8: i32 = pg_sys::pg_enc::PG_UTF8 as i32;
const SQL_ASCII: i32 = pg_sys::pg_enc::PG_SQL_ASCII as i32;
/// Bytes that are converted at a time; what comes out of one has a bound.
const PIECE: usize = 4096;

fn encoding() -> i32 {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::GetDatabaseEncoding() }
}

/// A text of the server's.
///
/// Raises the server's ERROR (22021, 22P05) where it has no form in UTF-8.
pub fn from_server(text: &[u8]) -> String {
    // ASCII is a part of every encoding that a database may have.
    if text.is_ascii() || encoding() == UTF8 {
        return String::from_utf8_lossy(text).into_owned();
    }
    let length = i32::try_from(text.len()).unwrap_or(i32::MAX);
    // SAFETY: as many bytes as are said; what comes back are the same, or a NUL-terminated allocation for them alone.
    unsafe {
        let start = text.as_ptr().cast();
        let converted = pg_sys::pg_server_to_any(start, length, UTF8);
        if converted.cast_const() == start {
            return String::from_utf8_lossy(text).into_owned();
        }
        let copy = CStr::from_ptr(converted).to_string_lossy().into_owned();
        pg_sys::pfree(converted.cast());
        copy
    }
}

/// The same of a C string; empty where there is none.
///
/// # Safety
/// `text` is NULL or NUL-terminated.
pub unsafe fn from_c(text: *const std::ffi::c_char) -> String {
    // SAFETY: the caller's promise.
    if text.is_null() { String::new() } else { from_server(unsafe { CStr::from_ptr(text) }.to_bytes()) }
}

/// A text for the server, without the NULs that it cannot hold.
pub fn to_server(text: &str) -> CString {
    let database = encoding();
    let mut bytes = if text.is_ascii() || database == UTF8 || database == SQL_ASCII {
        text.as_bytes().to_vec()
    } else {
        convert(text, database)
    };
    bytes.retain(|byte| *byte != 0);
    CString::new(bytes).unwrap_or_default()
}

fn convert(text: &str, database: i32) -> Vec<u8> {
    // SAFETY: looks into a catalog cache.
    let conversion = unsafe { pg_sys::FindDefaultConversionProc(UTF8, database) };
    let mut all = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let piece = &rest[..rest.floor_char_boundary(PIECE)];
        let done = if conversion == pg_sys::InvalidOid {
            let ascii = piece.bytes().take_while(u8::is_ascii).count();
            all.extend_from_slice(&piece.as_bytes()[..ascii]);
            ascii
        } else {
            let mut from = piece.as_bytes().to_vec();
            let mut to = vec![0u8; (piece.len() + 1) * pg_sys::MAX_CONVERSION_GROWTH as usize + 1];
            // SAFETY: as many bytes as are said, and room for what the longest of them become; the server ends what it
            // writes with a NUL. It says how many it took: up to one that it cannot convert.
            let done = unsafe {
                pg_sys::pg_do_encoding_conversion_buf(
                    conversion,
                    UTF8,
                    database,
                    from.as_mut_ptr(),
                    from.len() as i32,
                    to.as_mut_ptr(),
                    to.len() as i32,
                    true,
                )
            };
            all.extend(to.iter().copied().take_while(|byte| *byte != 0));
            usize::try_from(done).unwrap_or(0)
        };
        rest = if done == 0 {
            all.push(b'?');
            &rest[first.len_utf8()..]
        } else {
            // Into no character's middle, whatever was said.
            &rest[rest.floor_char_boundary(done.min(piece.len())).max(first.len_utf8())..]
        };
    }
    all
}
