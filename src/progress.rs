//! `grnet.stat_progress_train`: how far trainings and evaluations are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grnet_wire::{StudyKind, StudyState};

use crate::engine::client;
use crate::error::Error;
use crate::ffi::call::{Call, Value};
use crate::ffi::datum;
use crate::sql_functions;

sql_functions! {
    /// The rows behind the view `grnet.stat_progress_train`.
    grnet_stat_progress_train, pg_finfo_grnet_stat_progress_train => stat_progress_train;
}

/// How long the view waits for an engine that does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

fn stat_progress_train(call: &mut Call<'_>) -> Result<Value, Error> {
    let studies = client::studies(PATIENCE)?;
    call.return_rows(studies.iter().map(row))
}

fn row(state: &StudyState) -> Vec<Value> {
    let count = |value: u64| datum::bigint(i64::try_from(value).unwrap_or(i64::MAX));
    let top1 = |shares: Option<[f64; 4]>| shares.and_then(|shares| datum::double(shares[0]));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let eta = state.left_s.map(|left| ((now + left) * 1e6) as i64);
    vec![
        datum::int(state.pid),
        datum::text(&state.database),
        datum::text(match state.kind {
            StudyKind::Train => "train",
            StudyKind::Evaluate => "evaluate",
        }),
        datum::text(&state.model),
        datum::text(&state.phase),
        count(state.photos),
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
