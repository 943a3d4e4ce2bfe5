//! `grnet-engine serve`: the server with real images and networks, as a process of its own.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use grnet_data::decode::decoder::ImageDecoder;
use grnet_nn::device::{Device, share_cores};

use crate::args::Args;
use crate::end::End;
use crate::error::ServeError;
use crate::jobs::commands::JobCommands;
use crate::log::log_event;
use crate::server::Server;
use crate::torch::TorchLoader;
use crate::{fence, parent_watch};

/// The variable that names the operation to fail on purpose (see `grnet_wire::faults`).
const FAIL_NTH: &str = "GRNET_FAIL_NTH";
/// How long a batch in the network may take when the end was asked for; below the parent watch's own limit.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until told to end.
///
/// # Errors
/// [`ServeError`] where it does not start, or a thread it cannot do without panicked.
pub fn run(args: &Args, commands: JobCommands) -> Result<(), ServeError> {
    let start = Instant::now();
    // Alone in this process: the fence is around this thread and what it starts.
    parent_watch::volunteer_for_oom();
    let fence = fenced(args);
    let (sender, events) = mpsc::channel();
    parent_watch::watch_signals(sender.clone()).map_err(ServeError::Thread)?;
    if args.parent_pipe {
        parent_watch::watch_parent(sender.clone()).map_err(ServeError::Thread)?;
    }

    share_cores(args.compute.threads());
    let loader = TorchLoader::new(args.compute.device, args.compute.precision)
        .map_err(|e| ServeError::Setting(e.to_string()))?;
    let settings = args.settings(fence, fail_nth()?);
    let server = match Server::start(
        settings,
        commands,
        Box::new(loader),
        Arc::new(ImageDecoder::default()),
        (sender, events),
    ) {
        Ok(server) => server,
        Err(ServeError::Ended(end @ (End::Signal(_) | End::ParentGone))) => {
            log_event!("ended before it was ready: {end}");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let (device, precision) = server.device();
    log_event!(
        "version {} ready after {:.1} s on {device} in {precision}, pid {}, socket {}",
        env!("CARGO_PKG_VERSION"),
        start.elapsed().as_secs_f64(),
        std::process::id(),
        args.socket.display()
    );

    let end = server.wait();
    log_event!("ends: {end}");
    if !server.stop(GRACE) {
        parent_watch::kill_now();
    }
    match end {
        End::Panicked(thread) => Err(ServeError::Panicked(thread)),
        End::Signal(_) | End::ParentGone => Ok(()),
    }
}

/// Puts up the fence where it is asked for, and says so.
fn fenced(args: &Args) -> String {
    if !args.fence {
        return "off".to_owned();
    }
    let folder = args.socket.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let fence = fence::raise(folder, args.compute.device != Device::Cpu && fence::gpu());
    log_event!("fenced off: {fence}");
    fence
}

fn fail_nth() -> Result<u64, ServeError> {
    match std::env::var(FAIL_NTH) {
        Err(_) => Ok(0),
        Ok(text) => text.parse().map_err(|_| ServeError::Setting(format!("{FAIL_NTH} is `{text}`, not a number"))),
    }
}
