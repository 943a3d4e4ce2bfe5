//! `grnet_evaluate`: how well a model ranks a query's images.

use grnet_wire::JobKind;
use serde_json::Value as Json;

use crate::error::Error;
use crate::job::connection::Job;
use crate::job::{images, train};
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::{model, settings, sql_functions};

sql_functions! {
    /// `grnet_evaluate(query text, model text, options jsonb) → setof record`: a row for each set,
    /// stratum and ranking.
    grnet_evaluate, pg_finfo_grnet_evaluate => evaluate;
}

fn evaluate(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(query) = call.server_text(0)? else {
        return call.return_rows(Vec::new());
    };
    let name = call.text(1).unwrap_or_else(settings::model);
    let options = match call.jsonb(2)? {
        None => "{}".to_owned(),
        Some(options @ Json::Object(_)) => options.to_string(),
        Some(_) => return Err(Error::Argument("options must be a JSON object".into())),
    };
    let file = model::file(model::resolve(Some(&name))?)?;
    let mut job = Job::open(JobKind::Evaluate, &name, &options, &file)?;
    drop(file);
    let count = images::bring(&query, JobKind::Evaluate, &mut job)?;
    let finished = job.run(train::say)?;
    job.end()?;
    let sets = finished.report["sets"].as_array().map(Vec::as_slice).unwrap_or_default();
    // An image of the gallery is left out of every set.
    let unreadable = sets.iter().filter_map(|set| set["unreadable"].as_u64()).max().unwrap_or(0);
    train::warn_of_unreadable(&finished, unreadable, count);
    let rows: Option<Vec<_>> = sets.iter().flat_map(rows).collect();
    let rows = rows.ok_or_else(|| Error::Protocol("An evaluation's report lacks a figure.".into()))?;
    call.return_rows(rows)
}

/// The rankings of a set of queries, of all and of each stratum; `None` for one that lacks a figure.
fn rows(set: &Json) -> Vec<Option<Vec<Value>>> {
    let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
    let rankings = list(&set["rankings"]);
    let mut rows: Vec<_> = rankings.iter().map(|ranking| row(set, None, &rankings, ranking, ranking)).collect();
    for stratum in list(&set["strata"]) {
        let figures = list(&stratum["rankings"]);
        rows.extend(
            rankings
                .iter()
                .zip(&figures)
                .map(|(ranking, figures)| row(set, Some(&stratum), &rankings, ranking, figures)),
        );
    }
    rows
}

/// One ranking of a set of queries, with the figures of all or of a stratum.
fn row(set: &Json, stratum: Option<&Json>, rankings: &[Json], ranking: &Json, figures: &Json) -> Option<Vec<Value>> {
    let count = |value: &Json| Some(datum::int(i32::try_from(value.as_u64()?).unwrap_or(i32::MAX)));
    let part = |estimates: &Json, name: &str| {
        estimates.as_array()?.iter().map(|estimate| estimate[name].as_f64()).collect::<Option<Vec<_>>>()
    };
    // A graph is compared with several others; what it reorders is what it has to beat.
    let gains = figures["gains"].as_array()?.iter();
    let over = |gain: &&Json| {
        let over = gain["over"].as_u64().and_then(|over| rankings.get(usize::try_from(over).ok()?));
        over.is_some_and(|over| over["method"] == "global")
    };
    let gains = gains.filter(over).map(|gain| &gain["top"]).next();
    let gain = |name: &str| match gains {
        Some(gains) => Some(datum::double_array(part(gains, name)?)),
        None => Some(None),
    };
    // What does not count is counted by set.
    let of_set = |name: &str| if stratum.is_some() { Some(None) } else { count(&set[name]) };
    let mut row = vec![
        datum::text(set["set"].as_str()?),
        match stratum {
            Some(stratum) => datum::text(stratum["name"].as_str()?),
            None => None,
        },
        datum::text(ranking["method"].as_str()?),
        count(&stratum.unwrap_or(set)["queries"])?,
        count(&set["gallery"])?,
        of_set("not_in_gallery")?,
        of_set("unreadable")?,
    ];
    let top = &figures["top"];
    let shares = part(top, "value")?;
    row.extend((0..4).map(|k| shares.get(k).copied().and_then(datum::double)));
    row.extend([datum::double_array(part(top, "low")?), datum::double_array(part(top, "high")?)]);
    row.extend([gain("value")?, gain("low")?, gain("high")?]);
    Some(row)
}
