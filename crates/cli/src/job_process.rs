//! The command line's side of a process that the server starts for a job: it lives no longer than the server, and
//! gives way to it.

use std::{fs, io, process};

use rustix::process::{Pid, Signal, getppid, nice, set_parent_process_death_signal};

/// How much further back than the server: a session beside a training embeds 0.65 to 0.92 of the images that it does
/// alone on two busy cores (`tests/benches/training.rs`), and a training on an idle machine has all of it.
const NICENESS: i32 = 10;
/// Above the server's own: when memory runs out, the job goes.
const OOM_SCORE: &str = "1000";

/// Ties this process to the process `parent` that started it, and puts it behind the server's own.
///
/// # Errors
/// The tie cannot be made, or the parent is gone already.
pub fn serve_under(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // After the signal was set: a parent that died before would never send it.
    if getppid().map(Pid::as_raw_pid).and_then(|pid| u32::try_from(pid).ok()) != Some(parent) {
        return Err(io::Error::other(format!("process {} was not started by process {parent}", process::id())));
    }
    nice(NICENESS)?;
    // It was started through /proc/self/exe, and would be called `exe` in lists.
    let _ = fs::write("/proc/self/comm", "grnet-job");
    // Where the kernel does not allow it, the server's own score stays.
    let _ = fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    Ok(())
}
