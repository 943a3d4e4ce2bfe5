//! The supervisor: a background worker that starts the engine, watches it, and ends with it.
//!
//! Started by the postmaster where the library is preloaded, else by the first backend that needs it. A lock file
//! makes it one a cluster. The engine dies with it in every case: it gets a parent-death signal and a pipe whose end it
//! watches.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ExitStatus};
use std::time::{Duration, Instant};

use grnet_wire::faults::{self, Operation};
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use pgrx::{log, pg_guard, pg_sys};
use rustix::process::{Pid, Signal, kill_process_group};

use super::log_forwarder::LogForwarder;
use super::run_folder::{self, State};
use super::start;
use crate::error::Error;
use crate::pg::interrupt::{self, Want};
use crate::pg::process;
use crate::settings::{self, EngineCommand};

/// The entry's name, as the server looks it up in the library.
const ENTRY: &str = "grnet_supervisor_main";
/// The longest pause between two starts that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// An engine that dies younger than this may have been killed by what it was asked.
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// Such deaths in a row that are taken for chance.
const SHORT_LIVES_FREE: u32 = 10;
/// The longest pause after engines that were ready.
const LONGEST_PAUSE_OF_THE_READY: Duration = Duration::from_secs(1);
/// How long the engine may take to end by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(2);

fn worker() -> BackgroundWorkerBuilder {
    BackgroundWorkerBuilder::new("grnet supervisor")
        .set_library("$libdir/grnet_pg")
        .set_function(ENTRY)
        .enable_shmem_access(None)
        // Also on a standby: scoring and embedding write nothing.
        .set_start_time(BgWorkerStartTime::ConsistentState)
}

/// Has the postmaster start a supervisor. Only while libraries are preloaded.
pub fn register() {
    worker().set_restart_time(Some(Duration::from_secs(1))).load();
}

/// The right to start a supervisor, if no other backend has it.
pub fn right_to_start() -> Result<Option<File>, Error> {
    run_folder::starter().map_err(|e| Error::EngineDown {
        reason: format!("The folder {} in the data directory cannot be used: {e}.", run_folder::FOLDER),
    })
}

/// Starts a supervisor from a backend. Where two backends do so at once, the lock decides, and the other one ends.
pub fn start() -> Result<(), Error> {
    match worker().set_notify_pid(process::pid()).load_dynamic() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::EngineDown {
            reason: "No background worker could be registered for its supervisor: raise max_worker_processes, \
                     or preload grnet_pg."
                .into(),
        }),
    }
}

/// The supervisor's entry, called by the server in a process of its own.
#[pg_guard]
// SAFETY: the name is the one that the registration passes to the server, and nothing else in the process has it.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "an exported entry; its body is safe")]
pub extern "C-unwind" fn grnet_supervisor_main(_argument: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGTERM | SignalWakeFlags::SIGHUP);
    let _lock: File = match run_folder::lock() {
        Ok(Some(lock)) => lock,
        Ok(None) => return,
        Err(e) => {
            log!("grnet: the supervisor's lock cannot be taken: {e}");
            return;
        }
    };
    Supervisor::new().run();
}

/// A running engine. Dropped, its pipe closes, and it ends.
struct Running {
    child: Child,
    _pipe: ChildStdin,
    words: LogForwarder,
    ready: bool,
    /// It was killed because it was not.
    overdue: bool,
    since: Instant,
}

struct Supervisor {
    command: EngineCommand,
    state: State,
    starts: u64,
    /// Engines in a row that were ready and lived shorter than [`SHORT_LIFE`].
    short_lives: u32,
}

impl Supervisor {
    fn new() -> Self {
        let state = State { supervisor: process::pid(), ..State::default() };
        Self { command: settings::engine_command(), state, starts: 0, short_lives: 0 }
    }

    fn run(&mut self) {
        // Before anybody takes the last supervisor's word for this one's.
        self.leave_state();
        let mut running = None;
        let mut next_start = Instant::now();
        while !BackgroundWorker::sigterm_received() {
            if BackgroundWorker::sighup_received() {
                process::reload_settings();
                let command = settings::engine_command();
                if command != self.command {
                    log!("grnet: settings changed, the engine is started again");
                    self.command = command;
                    self.state.failures = 0;
                    if let Some(engine) = running.take() {
                        end(engine);
                    }
                    next_start = Instant::now();
                }
            }
            match &mut running {
                None if Instant::now() >= next_start => {
                    running = self.start_engine();
                    if running.is_none() {
                        next_start = Instant::now() + self.pause();
                    }
                }
                None => {
                    let pause = next_start.saturating_duration_since(Instant::now());
                    interrupt::wait(None, pause);
                }
                Some(engine) => {
                    if let Some(status) = self.watch(engine) {
                        self.ended(running.take(), status);
                        next_start = Instant::now() + self.pause();
                    }
                }
            }
        }
        if let Some(engine) = running.take() {
            end(engine);
        }
        self.state.engine = None;
        self.leave_state();
        // Not 0, which would say that a preloaded supervisor is not wanted any more; at a shutdown it does not matter.
        process::exit(1);
    }

    /// The pause before the next start: none after an engine that had lived for a while, then longer and longer.
    /// An engine that was ready and soon died again counts as well: some image or model may kill each of them.
    fn pause(&self) -> Duration {
        let growing = |n: u32, most: Duration| Duration::from_millis(100 << n.min(7)).min(most);
        match (self.state.failures, self.short_lives) {
            (0, 0..=SHORT_LIVES_FREE) => Duration::ZERO,
            // Someone waits for the next engine, and it may well live: 5 s is what he is promised.
            (0, n) => growing(n - SHORT_LIVES_FREE, LONGEST_PAUSE_OF_THE_READY),
            (n, _) => growing(n, LONGEST_PAUSE),
        }
    }

    fn start_engine(&mut self) -> Option<Running> {
        // A socket of an engine that was killed: the lock says that nobody else's can be there.
        let _ = std::fs::remove_file(run_folder::SOCKET);
        let (program, mut command) = start::command(&self.command);
        let spawned = faults::check(Operation::Spawn).and_then(|()| command.spawn());
        self.starts += 1;
        self.state.restarts = self.starts - 1;
        match spawned {
            Ok(mut child) => {
                let words = LogForwarder::new(child.stderr.take());
                let pipe = child.stdin.take()?;
                self.state.engine = Some(child.id());
                self.leave_state();
                Some(Running { child, _pipe: pipe, words, ready: false, overdue: false, since: Instant::now() })
            }
            Err(e) => {
                log!("grnet: {} could not be started: {e}", program);
                self.state.failures += 1;
                self.state.last_exit = Some("the engine could not be started".into());
                self.state.last_words = Some(format!("{}: {e}", program));
                self.leave_state();
                None
            }
        }
    }

    /// Waits for the engine to say something or to end; its status where it ended.
    fn watch(&mut self, engine: &mut Running) -> Option<ExitStatus> {
        // Between start and readiness the socket is looked for more often, only to say so in the log.
        let patience = if engine.ready { Duration::from_secs(10) } else { Duration::from_millis(100) };
        match engine.words.stream() {
            Some(words) => interrupt::wait(Some((words, Want::Read)), patience),
            None => interrupt::wait(None, Duration::from_millis(50)),
        };
        engine.words.forward();
        if !engine.ready && std::fs::exists(run_folder::SOCKET).unwrap_or(false) {
            engine.ready = true;
            self.state.failures = 0;
            self.leave_state();
            log!(
                "grnet: the engine (pid {}) is ready after {} ms",
                engine.child.id(),
                engine.since.elapsed().as_millis()
            );
        }
        self.kill_where_it_hangs(engine);
        engine.child.try_wait().ok().flatten()
    }

    /// Kills an engine that is not ready after `grnet.engine_start_timeout`: it counts as one that failed, and the next one
    /// may come up.
    fn kill_where_it_hangs(&mut self, engine: &mut Running) {
        let limit = settings::engine_start_timeout();
        if engine.ready || engine.overdue || engine.since.elapsed() < limit {
            return;
        }
        engine.overdue = true;
        log!("grnet: the engine (pid {}) is not ready after {} ms and is killed", engine.child.id(), limit.as_millis());
        kill(&mut engine.child);
    }

    fn ended(&mut self, engine: Option<Running>, status: ExitStatus) {
        let Some(mut engine) = engine else { return };
        for _ in 0..64 {
            if !engine.words.forward() {
                break;
            }
        }
        engine.words.tell_lost();
        let how = match (status.code(), status.signal()) {
            _ if engine.overdue => {
                format!("a kill, since it was not ready after {} ms", settings::engine_start_timeout().as_millis())
            }
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "no status".into(),
        };
        self.state.last_exit = Some(format!("the engine (pid {}) ended with {how}", engine.child.id()));
        self.state.last_words = engine.words.last.take().filter(|_| !engine.ready);
        log!(
            "grnet: the engine (pid {}) ended with {how} after {} s",
            engine.child.id(),
            engine.since.elapsed().as_secs()
        );
        self.state.engine = None;
        if !engine.ready {
            self.state.failures += 1;
        } else if engine.since.elapsed() < SHORT_LIFE {
            self.short_lives += 1;
        } else {
            self.short_lives = 0;
        }
        self.leave_state();
    }

    fn leave_state(&self) {
        if let Err(e) = run_folder::leave_state(&self.state) {
            log!("grnet: the engine's state cannot be written: {e}");
        }
    }
}

/// Ends the engine: its pipe closes, it leaves by itself, or is killed.
fn end(engine: Running) {
    let Running { mut child, _pipe, .. } = engine;
    drop(_pipe);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(&mut child);
    let _ = child.wait();
}

/// Kills the engine and what it has started: it leads a group of its own. Fails only where it is gone already.
fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
}
