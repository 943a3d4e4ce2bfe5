//! The server's process: its folders, its pid, and children that must not outlive it.

use std::ffi::CStr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use pgrx::pg_sys;

use super::encoding;

/// Where the server's installation keeps loadable libraries.
pub fn library_dir() -> PathBuf {
    // SAFETY: filled in at start, before any library is loaded, and never changed; NUL-terminated.
    let path = unsafe { CStr::from_ptr((&raw const pg_sys::pkglib_path).cast()) };
    PathBuf::from(path.to_string_lossy().into_owned())
}

/// Where the server's installation keeps shared data.
pub fn share_dir() -> PathBuf {
    let mut path = [0u8; pg_sys::MAXPGPATH as usize];
    // SAFETY: my_exec_path is set at start; get_share_path writes at most MAXPGPATH bytes, NUL-terminated.
    unsafe {
        pg_sys::get_share_path((&raw const pg_sys::my_exec_path).cast(), path.as_mut_ptr().cast());
    }
    let end = path.iter().position(|b| *b == 0).unwrap_or(0);
    PathBuf::from(String::from_utf8_lossy(&path[..end]).into_owned())
}

/// This process's id as the server counts it.
pub fn pid() -> i32 {
    // SAFETY: set once at the start of every server process.
    unsafe { pg_sys::MyProcPid }
}

/// When the statement began that a client has sent last, in microseconds: the same in all of it, functions included.
pub fn statement() -> i64 {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}

/// The name of this process's database.
pub fn database() -> String {
    // SAFETY: looks the name up in a catalog cache; the copy is the server's memory, NUL-terminated, or NULL.
    unsafe { encoding::from_c(pg_sys::get_database_name(pg_sys::MyDatabaseId)) }
}

/// Raises an ERROR where the transaction, or the server, may only read.
pub fn refuse_read_only(command: &CStr) {
    // SAFETY: looks at two flags of the server; the name is a C string.
    unsafe { pg_sys::PreventCommandIfReadOnly(command.as_ptr()) }
}

/// Has no backtrace taken where an ERROR crosses Rust frames, whatever RUST_BACKTRACE says: it costs 70 to 140 ms each
/// time, and where memory has run out the symbols no longer fit and the session waits for ever on a lock of its own.
pub fn take_no_backtraces() {
    // SAFETY: called while the library is loaded, when this process has one thread.
    unsafe { std::env::set_var("RUST_LIB_BACKTRACE", "0") }
}

/// Ends this process as the server's processes end, with an exit code. Never returns, though not every version's
/// declaration says so.
pub fn exit(code: i32) {
    // SAFETY: runs the server's exit callbacks; called from a worker's main function, holding nothing.
    unsafe {
        pg_sys::proc_exit(code);
    }
}

/// Reads the configuration files again, as every process does after SIGHUP.
pub fn reload_settings() {
    // SAFETY: called from the supervisor's main loop, outside any transaction, as the function expects.
    unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) }
}

/// Makes `command`'s child die with this process, inherit none of its files but the three standard ones, and never become
/// more than it is: no program that it runs gets the rights of its file's owner (`no_new_privs`).
pub fn bind_to_this_process(command: &mut Command) {
    // A group of its own: what is sent to the supervisor's group is not meant for it.
    command.process_group(0);
    // SAFETY: between fork and exec only three system calls are made, all safe there; none allocates.
    unsafe { command.pre_exec(bind) };
}

/// What [`bind_to_this_process`] does, in the child.
fn bind() -> std::io::Result<()> {
    // SAFETY: a system call with numbers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: as above.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // Kernels before 5.11 lack the flag; the server opens its files close-on-exec on its own since 16.
    // By number: glibc has a name for it since 2.34 only.
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    Ok(())
}
