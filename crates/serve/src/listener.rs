//! Letting clients in: who they are, how many there are, and a thread for each.

use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use std::{io, thread};

use grnet_wire::faults::{self, Operation};

use crate::log::log_event;
use crate::session;
use crate::shared::Shared;

/// Rest after a failed accept: without file descriptors it would fail again at once, for as long as they last.
const BACK_OFF: Duration = Duration::from_millis(10);
/// The same trouble is logged at most this often.
const QUIET: Duration = Duration::from_secs(1);

/// Lets clients in until the server stops.
pub fn run(shared: &Arc<Shared>, listener: &UnixListener) {
    let mut logged: Option<Instant> = None;
    loop {
        let accepted = faults::check(Operation::Accept).and_then(|()| listener.accept());
        if shared.stopped.load(Ordering::Acquire) {
            return;
        }
        let result = accepted.and_then(|(stream, _)| let_in(shared, stream));
        if let Err(error) = result {
            if logged.is_none_or(|at| at.elapsed() > QUIET) {
                log_event!("a client could not be let in: {error}");
                logged = Some(Instant::now());
            }
            thread::sleep(BACK_OFF);
        }
    }
}

/// Starts a session, or says why there is none.
fn let_in(shared: &Arc<Shared>, stream: UnixStream) -> io::Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(&stream)?;
    let (own, pid) = (rustix::process::geteuid(), peer.pid.as_raw_nonzero().get());
    if peer.uid != own {
        log_event!("client {pid} refused: it runs as user {}, the engine as {}", peer.uid.as_raw(), own.as_raw());
        session::refuse(&stream, "the engine serves its own user only");
        return Ok(());
    }
    let limit = shared.limits.max_connections;
    if !make_room(shared, limit) {
        session::refuse(&stream, &format!("{limit} connections are open, the engine's limit"));
        return Ok(());
    }
    let counted = Counted(Arc::clone(shared));
    let spare = stream.try_clone()?;
    let spawned = faults::check(Operation::Spawn).and_then(|()| {
        thread::Builder::new()
            .name("session".into())
            .stack_size(session::STACK)
            .spawn(move || session::run(&counted.0, stream, pid))
    });
    if spawned.is_err() {
        session::refuse(&spare, "the engine could not start a thread for the connection");
    }
    spawned.map(|_| ())
}

/// Counts a connection in, closing an idle one where the limit is reached.
fn make_room(shared: &Shared, limit: u64) -> bool {
    if shared.counters.connect(limit) {
        return true;
    }
    // Its session notices at once, and gives its place back when its thread ends.
    shared.clients.close_idlest()
        && (0..100).any(|_| {
            thread::sleep(Duration::from_millis(1));
            shared.counters.connect(limit)
        })
}

/// A connection's place among the counted ones, given back however its thread ends.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.counters.disconnect();
    }
}
