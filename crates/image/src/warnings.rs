//! What libjpeg complains about while it goes on: whether a picture's coded data ended before the picture did.
//!
//! Half a picture has grey below it, and nothing but a warning says so. The warnings go to a function that libjpeg is
//! given with its other ways to report, and which the `mozjpeg` crate leaves empty: this is the crate's only unsafe code.

#![allow(unsafe_code)]

use mozjpeg_sys::{JWRN_HIT_MARKER, jpeg_common_struct, jpeg_error_mgr, jpeg_std_error};
use std::cell::Cell;
use std::os::raw::c_int;

thread_local! {
    /// A decoder runs on one thread from beginning to end.
    static ENDED_EARLY: Cell<bool> = const { Cell::new(false) };
}

/// Ways to report that unwind at an error, as those of the `mozjpeg` crate do, and remember an early end.
pub(crate) fn reporting() -> jpeg_error_mgr {
    ENDED_EARLY.set(false);
    // SAFETY: every field of this C struct is a number, a pointer or an optional function: all zeros are none of each.
    let mut manager: jpeg_error_mgr = unsafe { std::mem::zeroed() };
    // SAFETY: it fills the struct in, which is ours alone, and keeps no pointer to it.
    unsafe { jpeg_std_error(&mut manager) };
    manager.error_exit = Some(unwind);
    manager.emit_message = Some(remember);
    manager
}

/// Whether the data of the picture decoded since [`reporting`] ended before it was complete.
pub(crate) fn ended_early() -> bool {
    ENDED_EARLY.get()
}

/// Below zero are warnings, the others only tell what happens.
// SAFETY: it is called by libjpeg alone, with a struct that it has just written a message's number into.
unsafe extern "C-unwind" fn remember(info: &mut jpeg_common_struct, level: c_int) {
    // SAFETY: `err` points to what `reporting` made, in the decoder that is calling, as long as it lives.
    let code = unsafe { (*info.err).msg_code };
    if level < 0 && code == JWRN_HIT_MARKER as c_int {
        ENDED_EARLY.set(true);
    }
}

/// Must not return: libjpeg goes no further after an error.
// SAFETY: it is called by libjpeg alone; the functions between it and `guarded` are compiled for unwinding.
unsafe extern "C-unwind" fn unwind(info: &mut jpeg_common_struct) {
    // SAFETY: as in `remember`.
    let (format, code) = unsafe { ((*info.err).format_message, (*info.err).msg_code) };
    let mut words = format!("error {code}");
    if let Some(format) = format {
        let mut text = [0u8; 80];
        let place = &raw mut text;
        // SAFETY: libjpeg writes a string of at most 80 bytes with its zero there. The declaration takes what it writes
        // to for constant, so it is given the address of what may change.
        unsafe { format(info, &*place) };
        let text = std::hint::black_box(text);
        let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
        words = String::from_utf8_lossy(&text[..end]).into_owned();
    }
    // Past the panic hook: a broken image is nothing to print.
    std::panic::resume_unwind(Box::new(words));
}
