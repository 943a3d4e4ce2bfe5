//! `grnet_train`: a model of the user's own, from a query's images.

use grnet_wire::{JobKind, JobState};
use pgrx::PgLogLevel;
use serde_json::Value as Json;

use crate::error::{Error, tell};
use crate::job::connection::{Finished, Job};
use crate::job::images;
use crate::pg::call::{Call, Value};
use crate::pg::catalog::{self, MODEL, MODEL_FILE};
use crate::pg::{datum, process};
use crate::{model, sql_functions};

sql_functions! {
    /// `grnet_train(name text, query text, options jsonb) → (model text, improved boolean, steps integer, report jsonb)`.
    grnet_train, pg_finfo_grnet_train => train;
}

fn train(call: &mut Call<'_>) -> Result<Value, Error> {
    let (Some(name), Some(query), Some(options)) = (call.text(0), call.server_text(1)?, call.jsonb(2)?) else {
        return Ok(None);
    };
    process::refuse_read_only(c"grnet_train()");
    // What would keep the model from being stored is said before an hour of work, and again after it.
    model::check_name(&name)?;
    model::refuse_taken_name(&name)?;
    for (table, right) in [("model", MODEL), ("model_file", MODEL_FILE)] {
        if !catalog::may_insert(&right) {
            return Err(Error::NoRight { table });
        }
    }
    let (base, options) = split_options(options)?;
    let start = model::file(model::resolve(base.as_deref())?)?;
    let mut job = Job::open(JobKind::Train, &name, &options, &start)?;
    drop(start);
    let count = images::bring(&query, JobKind::Train, &mut job)?;
    tell(PgLogLevel::NOTICE, format!("training \"{name}\" on {count} images"), None);
    let finished = job.run(say)?;
    warn_of_unreadable(&finished, finished.report["unreadable"].as_u64().unwrap_or(0), count);

    let outcome = Outcome::of(&finished.report)?;
    let id = if outcome.improved {
        let file = job.model(&finished)?;
        job.end()?;
        let made = model::check(&file)?;
        model::refuse_taken(&name, made.id)?;
        model::store(&name, &file, &made)?
    } else {
        job.end()?;
        tell(
            PgLogLevel::WARNING,
            format!("training \"{name}\" did not improve on its start, no model is registered"),
            Some(format!(
                "Top-1, 5, 20 and 50 of the graph on held-out items: {} before, {} at best after.",
                figures(&outcome.before),
                outcome.best.as_deref().map_or_else(|| "never measured".to_owned(), figures),
            )),
        );
        None
    };
    let row = vec![id, datum::boolean(outcome.improved), datum::int(outcome.steps), datum::jsonb(&finished.report)];
    call.return_record(row)
}

/// The option `model`, and the others as text for the engine.
///
/// # Errors
/// They are no object, or the model's name is no text.
fn split_options(options: Json) -> Result<(Option<String>, String), Error> {
    let Json::Object(mut options) = options else {
        return Err(Error::Argument("options must be a JSON object".into()));
    };
    let base = match options.remove("model") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(name),
        Some(other) => return Err(Error::Argument(format!("option \"model\" is {other}, allowed is a model's name"))),
    };
    Ok((base, Json::Object(options).to_string()))
}

/// Tells the user how far it is.
pub fn say(state: &JobState) {
    let mut message = format!("{} \"{}\": {}", state.kind.noun(), state.model, state.phase);
    if state.total > 0 {
        message += &format!(", {} of {}", state.done, state.total);
    }
    if let Some(loss) = state.loss {
        message += &format!(", loss {loss:.3}");
    }
    if let (Some(global), Some(graph)) = (state.global, state.graph) {
        message += &format!(", top-1 of the global {:.3}, of the graph {:.3}", global[0], graph[0]);
    }
    if let Some(left) = state.left_s.filter(|left| *left >= 1.0) {
        message += &format!(", about {left:.0} s left");
    }
    tell(PgLogLevel::NOTICE, message, None);
}

/// Warns of images that were left out, with what the process said of the first of them.
pub fn warn_of_unreadable(finished: &Finished, unreadable: u64, count: u64) {
    if unreadable > 0 {
        let detail = finished.words.join("\n") + "\nImages have the numbers of the query's rows, counted from 1.";
        let message = format!("{unreadable} of {count} images cannot be read and were left out");
        tell(PgLogLevel::WARNING, message, Some(detail));
    }
}

/// What a training's report says of its success.
struct Outcome {
    improved: bool,
    /// Steps of the weights that were kept.
    steps: i32,
    before: Vec<f64>,
    /// The best after at least one step.
    best: Option<Vec<f64>>,
}

impl Outcome {
    /// The engine's verdict, and the figures of the validations before any step and best behind some.
    fn of(report: &Json) -> Result<Self, Error> {
        let figures = |validation: &Json| -> Option<Vec<f64>> {
            validation["graph"]["top"].as_array()?.iter().map(Json::as_f64).collect()
        };
        let improved = report["improved"].as_bool().ok_or_else(unreadable)?;
        let steps = report["kept"]["step"].as_i64().ok_or_else(unreadable)?;
        let before = figures(&report["validations"][0]).ok_or_else(unreadable)?;
        let best = figures(&report["best"]);
        Ok(Self { improved, steps: i32::try_from(steps).unwrap_or(i32::MAX), before, best })
    }
}

fn unreadable() -> Error {
    Error::Protocol("A training's report has no validations.".into())
}

fn figures(shares: &[f64]) -> String {
    shares.iter().map(|share| format!("{share:.3}")).collect::<Vec<_>>().join("/")
}
