//! The engine lives only as long as the process that started it, and ends when it is told to.

use std::io::{self, Read};
use std::sync::mpsc::Sender;
use std::time::Duration;
use std::{fs, thread};

use rustix::process::{Signal, getpid, getppid, kill_process, set_parent_process_death_signal};
use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::end::{End, Event};
use crate::log::log_event;

/// How long the end may take when it was asked for.
const TOLD: Duration = Duration::from_secs(3);
/// How long the end may take when nobody is left who would wait for it.
const ORPHANED: Duration = Duration::from_millis(300);
/// Between a backend's 0 and the 1000 of what is always killed first: memory runs out because of images.
const OOM_SCORE: &str = "800";

/// Reports signals that ask for the end.
///
/// # Errors
/// The handlers or their thread cannot be set up.
pub fn watch_signals(events: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGQUIT])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            end(&events, End::Signal(signal), TOLD);
        }
    })?;
    Ok(())
}

/// Ties this process to its parent, in two ways: the kernel kills it with the parent's thread that started it (which
/// also reaches a stopped process), and the pipe on its standard input ends with the parent and all its threads.
///
/// # Errors
/// The tie cannot be made, or the parent is gone already.
pub fn watch_parent(events: Sender<Event>) -> io::Result<()> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != parent {
        return Err(io::Error::other("the process that started the engine is gone"));
    }
    thread::Builder::new().name("parent".into()).spawn(move || {
        let mut byte = [0; 64];
        loop {
            match io::stdin().lock().read(&mut byte) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        end(&events, End::ParentGone, ORPHANED);
    })?;
    Ok(())
}

/// Makes this process, not a backend, the kernel's choice when memory runs out.
pub fn volunteer_for_oom() {
    if let Err(error) = fs::write("/proc/self/oom_score_adj", OOM_SCORE) {
        log_event!("oom_score_adj stays as it is: {error}");
    }
}

/// Asks for the end and makes sure that it comes.
fn end(events: &Sender<Event>, end: End, grace: Duration) {
    let _ = events.send(Event::End(end));
    thread::sleep(grace);
    kill_now();
}

/// Ends this process without running anything of it any more: libtorch's destructors do not stand a network at work.
pub fn kill_now() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}
