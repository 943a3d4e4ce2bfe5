//! `grnet.stat_engine`: what the engine does.

use std::time::Duration;

use grnet_wire::Stats;

use crate::engine::client;
use crate::engine::run_folder::{self, State};
use crate::error::Error;
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::sql_functions;

sql_functions! {
    /// The row behind the view `grnet.stat_engine`.
    grnet_stat_engine, pg_finfo_grnet_stat_engine => stat_engine;
}

/// How long the view waits for an engine that does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The engine's state, by what came of asking it.
pub fn word<T>(asked: &Result<Option<T>, Error>, supervised: bool, state: &State) -> &'static str {
    match asked {
        Ok(Some(_)) => "running",
        Ok(None) if supervised && state.failures > 0 => "failing",
        Ok(None) if supervised => "starting",
        Ok(None) => "stopped",
        Err(_) => "not responding",
    }
}

fn stat_engine(call: &mut Call<'_>) -> Result<Value, Error> {
    let state = run_folder::state();
    let supervised = run_folder::supervised();
    let asked = client::stats(PATIENCE);
    let word = word(&asked, supervised, &state);
    let stats = asked.ok().flatten();
    let count = |value: u64| datum::bigint(i64::try_from(value).unwrap_or(i64::MAX));
    let of = |read: fn(&Stats) -> u64| stats.as_ref().and_then(|s| count(read(s)));
    let mean = |sum: fn(&Stats) -> f64, n: fn(&Stats) -> u64| {
        stats.as_ref().filter(|s| n(s) > 0).and_then(|s| datum::double(sum(s) / n(s) as f64))
    };
    let supervisor = Some(state.supervisor).filter(|_| supervised);
    let row = vec![
        datum::text(word),
        stats.as_ref().map(|s| s.pid).or(state.engine.filter(|_| supervised)).and_then(|pid| datum::int(pid as i32)),
        supervisor.and_then(datum::int),
        stats.as_ref().and_then(|s| datum::text(&s.version)),
        stats.as_ref().and_then(|s| datum::text(&s.device)),
        stats.as_ref().and_then(|s| datum::text(&s.precision)),
        stats.as_ref().and_then(|s| datum::text(&s.fence)),
        stats.as_ref().and_then(|s| datum::double(s.uptime_s)),
        if supervised { count(state.restarts) } else { None },
        of(|s| s.connections),
        of(|s| s.queued),
        of(|s| s.queued_max),
        of(|s| s.requests),
        of(|s| s.images),
        of(|s| s.batches),
        of(|s| s.refused),
        of(|s| s.busy),
        of(|s| s.abandoned),
        mean(|s| s.decode_ms, |s| s.images),
        mean(|s| s.model_ms, |s| s.batches),
        mean(|s| s.latency_ms, |s| s.requests),
        stats.as_ref().and_then(|s| datum::double(s.latency_max_ms)),
        of(|s| s.resident_bytes),
        state.told().as_deref().filter(|_| supervised).and_then(datum::text),
    ];
    call.return_rows([row])
}
