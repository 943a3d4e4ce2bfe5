//! Signals, for tests that stop, interrupt and kill the processes of a cluster.

use rustix::process::{Pid, Signal as Number, kill_process};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A signal to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ends the process at once; it cannot do anything about it.
    Kill,
    /// Freezes the process.
    Stop,
    /// Lets a frozen process go on.
    Continue,
    /// Asks the process to end (a backend: ends the session; a postmaster: smart shutdown).
    Terminate,
    /// A backend: cancels the statement; a postmaster: fast shutdown.
    Interrupt,
    /// A postmaster: immediate shutdown.
    Quit,
}

/// Sends a signal; false where there is no such process (or it is not ours to signal).
pub fn send(pid: u32, signal: Signal) -> bool {
    let number = match signal {
        Signal::Kill => Number::KILL,
        Signal::Stop => Number::STOP,
        Signal::Continue => Number::CONT,
        Signal::Terminate => Number::TERM,
        Signal::Interrupt => Number::INT,
        Signal::Quit => Number::QUIT,
    };
    // 0 and negative numbers would mean whole groups.
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, number).is_ok())
}

/// Whether a process runs. One that has ended and waits for its parent to notice does not.
pub fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // The state follows the program's name, which stands in parentheses and may hold anything.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// Whether a folder is the process's current one, by whatever path.
pub(crate) fn works_in(pid: u32, folder: &Path) -> std::io::Result<bool> {
    let place = |path: &Path| std::fs::metadata(path).map(|found| (found.dev(), found.ino()));
    Ok(place(Path::new(&format!("/proc/{pid}/cwd")))? == place(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_lives_until_it_is_killed() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(is_alive(child.id()));
        assert!(send(child.id(), Signal::Kill));
        while is_alive(child.id()) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!send(child.id(), Signal::Kill));
    }

    #[test]
    fn no_process_has_the_number_0() {
        assert!(!send(0, Signal::Continue));
        assert!(!send(u32::MAX, Signal::Continue));
        assert!(is_alive(std::process::id()));
    }

    #[test]
    fn a_process_works_in_its_current_folder() {
        let here = std::env::current_dir().unwrap();
        assert!(works_in(std::process::id(), &here).unwrap());
        assert!(!works_in(std::process::id(), Path::new("/proc")).unwrap());
        assert!(works_in(u32::MAX, Path::new("/no/such/folder")).is_err(), "two that are not there are not the same");
    }
}
