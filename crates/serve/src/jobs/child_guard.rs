//! The process of a job: started, listened to, and killed when nobody waits for it any more.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use grnet_wire::faults::{self, Operation};

/// Holds a process, and lets go of none.
#[derive(Debug, Default)]
pub struct ChildGuard(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    child: Option<Child>,
    /// Nobody waits any more: nothing is to be started.
    ended: bool,
}

impl ChildGuard {
    /// Starts the engine's own program with these arguments; its words for people go to a file.
    ///
    /// # Errors
    /// The process cannot be started, or nobody waits for it any more.
    pub fn start(&self, arguments: &[String], words: &Path) -> io::Result<ChildStdout> {
        // The running program, not what an upgrade may have put in its place.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("grnet-engine");
        let own = std::process::id().to_string();
        command.args(["--progress", "json", "--child-of", &own]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(words)?);
        let mut held = self.held();
        if held.ended {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        faults::check(Operation::Spawn)?;
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"));
        held.child = Some(child);
        output
    }

    /// Waits for the process's end.
    ///
    /// # Errors
    /// There is none, or the system does not say.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            // A statement of its own: what a `match` or an `if let` looks at keeps the lock until its end.
            let status = self.look()?;
            if let Some(status) = status {
                return Ok(status);
            }
            // It has closed its output, so this is the end.
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn look(&self) -> io::Result<Option<ExitStatus>> {
        self.held().child.as_mut().ok_or_else(|| io::Error::other("there is no process"))?.try_wait()
    }

    /// Kills the process, if there is one, and lets none be started.
    pub fn end(&self) {
        let mut held = self.held();
        held.ended = true;
        let Some(child) = &mut held.child else { return };
        // Fails only where it has ended already.
        let _ = child.kill();
        drop(held);
        let _ = self.wait();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_the_process_does_not_keep_others_from_it() -> io::Result<()> {
        let guard = ChildGuard::default();
        guard.held().child = Some(Command::new("sleep").arg("1000").spawn()?);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| guard.wait());
            let free = (0..100).filter(|_| {
                thread::sleep(Duration::from_millis(1));
                guard.0.try_lock().is_ok()
            });
            let free = free.count();
            guard.end();
            assert!(free > 50, "the lock was free in {free} of 100 looks");
            assert!(waiting.join().is_ok_and(|status| status.is_ok_and(|status| !status.success())));
        });
        Ok(())
    }
}
