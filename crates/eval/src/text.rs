//! An evaluation as a table for people.

use std::fmt::Write;

use grnet_nn::ranking::protocol::TOP;
use grnet_score::metrics::Estimate;

use crate::report::{Gain, Report, SetReport, Shortlists};

/// A block for each set of queries: the rankings, what the graphs gain, what shortlists keep, and the strata.
pub fn text(report: &Report) -> String {
    report.sets.iter().map(|set| block(set, report)).collect::<Vec<_>>().join("\n\n")
}

/// What does not count, in words; empty where everything counts.
pub fn left_out(set: &SetReport) -> String {
    let SetReport { unreadable, without_item, not_in_gallery, .. } = set;
    let counts = [
        (unreadable, "images cannot be read"),
        (without_item, "queries have no item"),
        (not_in_gallery, "queries' items are not in the gallery"),
    ];
    counts.iter().filter(|(count, _)| **count > 0).map(|(count, what)| format!("; {count} {what}")).collect()
}

fn block(set: &SetReport, report: &Report) -> String {
    let mut out =
        format!("{}: {} queries, {} images in the gallery{}", set.set, set.queries, set.gallery, left_out(set));
    let width = set.rankings.iter().map(|r| r.name.len()).max().unwrap_or(0);
    let gains = set.rankings.iter().flat_map(|r| r.gains.iter().map(|gain| label(set, &r.name, gain).len()));
    let width = gains.max().unwrap_or(0).max(width).max(24);
    table(&mut out, set, width, |at| &set.rankings[at].top, |at| &set.rankings[at].gains);
    let several = report.models.len() > 1;
    for Shortlists { model, lengths } in &set.shortlists {
        let whose = if several { format!("{}: ", report.models[*model].name) } else { String::new() };
        if lengths.iter().any(|s| s.milliseconds.is_some()) {
            shortlists(&mut out, &whose, lengths, width);
            continue;
        }
        let shares = lengths.iter().filter(|s| s.length < set.gallery);
        let shares: Vec<String> = shares.map(|s| format!("{}: {:.3}", s.length, s.recall)).collect();
        if !shares.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\n{:<width$}   {}", format!("{whose}kept by a shortlist of"), shares.join("   "));
        }
    }
    for stratum in &set.strata {
        let _ = write!(out, "\n\n{}, {}: {} queries", set.set, stratum.name, stratum.queries);
        table(&mut out, set, width, |at| &stratum.rankings[at].top, |at| &stratum.rankings[at].gains);
    }
    if !set.strata.is_empty() && !set.empty_strata.is_empty() {
        let _ = write!(out, "\n\n{}: no query is {}", set.set, set.empty_strata.join(" or "));
    }
    out
}

/// Rankings of a set or a stratum: shares, then gains.
fn table<'a>(
    out: &mut String,
    set: &SetReport,
    width: usize,
    top: impl Fn(usize) -> &'a [Estimate; 4],
    gains: impl Fn(usize) -> &'a [Gain],
) {
    let heads: String = TOP.iter().map(|k| format!("{:>24}", format!("top-{k}"))).collect();
    let _ = write!(out, "\n{:<width$}{heads}", "");
    for (at, ranking) in set.rankings.iter().enumerate() {
        let _ = write!(out, "\n{:<width$}{}", ranking.name, top(at).iter().map(share).collect::<String>());
    }
    for (at, ranking) in set.rankings.iter().enumerate() {
        for gain in gains(at) {
            let label = label(set, &ranking.name, gain);
            let _ = write!(out, "\n{label:<width$}{}", gain.top.iter().map(points).collect::<String>());
        }
    }
}

fn label(set: &SetReport, name: &str, gain: &Gain) -> String {
    format!("{name} - {}", set.rankings[gain.over].name)
}

fn shortlists(out: &mut String, whose: &str, lengths: &[crate::report::Shortlist], width: usize) {
    let heads: String = TOP.iter().map(|k| format!("{:>10}", format!("top-{k}"))).collect();
    let _ = write!(out, "\n{:<width$}{:>10}{heads}{:>14}", format!("{whose}shortlist of"), "kept", "ms a query");
    for s in lengths {
        let top: String = s.top.iter().map(|k| format!("{:>10.3}", k.value)).collect();
        let time = s.milliseconds.map_or(String::new(), |ms| format!("{ms:.1}"));
        let _ = write!(out, "\n{:<width$}{:>10.3}{top}{time:>14}", format!("  {}", s.length), s.recall);
    }
}

/// A share and its interval.
pub fn share(estimate: &Estimate) -> String {
    let Estimate { value, low, high } = estimate;
    format!("{:>24}", format!("{value:.3} [{low:.3}, {high:.3}]"))
}

/// A difference in points, and its interval.
pub fn points(estimate: &Estimate) -> String {
    let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(|v| v * 100.0);
    format!("{:>24}", format!("{value:+.1} [{low:+.1}, {high:+.1}]"))
}
