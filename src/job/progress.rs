//! `grnet.stat_progress_train`: how far trainings and evaluations are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grnet_wire::{JobKind, JobState};

use crate::engine::stat::word;
use crate::engine::{client, run_folder};
use crate::error::Error;
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::sql_functions;

sql_functions! {
    /// The rows behind the view `grnet.stat_progress_train`.
    grnet_stat_progress_train, pg_finfo_grnet_stat_progress_train => stat_progress_train;
}

/// Columns, and which of them says the phase.
const COLUMNS: usize = 15;
const PHASE: usize = 4;
/// How long the view waits for an engine that does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

fn stat_progress_train(call: &mut Call<'_>) -> Result<Value, Error> {
    let asked = client::jobs(PATIENCE);
    let word = word(&asked, run_folder::supervised(), &run_folder::state());
    match asked {
        Ok(Some(jobs)) => call.return_rows(jobs.iter().map(row)),
        // A view for watching things must not fail with what it watches, nor look as if nothing ran.
        Ok(None) | Err(_) => call.return_rows([nobody(word)]),
    }
}

/// The row of an engine that does not say what runs.
fn nobody(word: &str) -> Vec<Value> {
    let mut row = vec![None; COLUMNS];
    row[PHASE] = datum::text(&format!("engine {word}"));
    row
}

fn row(state: &JobState) -> Vec<Value> {
    let count = |value: u64| datum::bigint(i64::try_from(value).unwrap_or(i64::MAX));
    let top1 = |shares: Option<[f64; 4]>| shares.and_then(|shares| datum::double(shares[0]));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let eta = state.left_s.map(|left| ((now + left) * 1e6) as i64);
    vec![
        datum::int(state.pid),
        datum::text(&state.database),
        datum::text(match state.kind {
            JobKind::Train => "train",
            JobKind::Evaluate => "evaluate",
        }),
        datum::text(&state.model),
        datum::text(&state.phase),
        count(state.images),
        count(state.items),
        count(state.bytes),
        count(state.done),
        count(state.total),
        state.loss.and_then(datum::double),
        top1(state.global),
        top1(state.graph),
        datum::timestamp(state.started_us),
        eta.and_then(datum::timestamp),
    ]
}
