//! The server's lists of pointers.

use std::ffi::c_void;

use pgrx::pg_sys;

/// The elements of a list.
///
/// # Safety
/// `list` is NULL or a list of pointers to `T`.
pub unsafe fn pointers<T>(list: *mut pg_sys::List) -> Vec<*mut T> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise; a list has as many elements as it says.
    unsafe { (0..(*list).length as usize).map(|at| (*(*list).elements.add(at)).ptr_value.cast()).collect() }
}

/// A list of pointers, in the current memory context.
pub fn list_of<T>(items: impl IntoIterator<Item = *mut T>) -> *mut pg_sys::List {
    // SAFETY: an empty list is NULL, and lappend gives the list with one element more.
    items.into_iter().fold(std::ptr::null_mut(), |list, item| unsafe { pg_sys::lappend(list, item.cast::<c_void>()) })
}

/// The numbers of a list of numbers.
///
/// # Safety
/// `list` is NULL or a list of integers.
pub unsafe fn numbers(list: *mut pg_sys::List) -> Vec<i32> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise; a list has as many elements as it says.
    unsafe { (0..(*list).length as usize).map(|at| (*(*list).elements.add(at)).int_value).collect() }
}

/// The OIDs of a list of OIDs.
///
/// # Safety
/// `list` is NULL or a list of OIDs.
pub unsafe fn oids(list: *mut pg_sys::List) -> Vec<pg_sys::Oid> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise; a list has as many elements as it says.
    unsafe { (0..(*list).length as usize).map(|at| (*(*list).elements.add(at)).oid_value).collect() }
}
