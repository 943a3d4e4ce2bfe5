//! An evaluation as a table for people.

use std::fmt::Write;

use grnet_core::metrics::Estimate;

use super::ranking::TOP;
use super::run::EvalReport;

/// A block for each set of queries: the three rankings, what the graph gains, and what shortlists keep.
pub fn text(reports: &[EvalReport]) -> String {
    reports.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

fn block(report: &EvalReport) -> String {
    let EvalReport { set, gallery, unreadable, without_item, not_in_gallery, intervals, .. } = report;
    let queries = report.graph.queries;
    let mut out = format!("{set}: {queries} queries, {gallery} photos in the gallery");
    for (count, what) in [
        (unreadable, "photos cannot be read"),
        (without_item, "queries have no item"),
        (not_in_gallery, "queries' items are not in the gallery"),
    ] {
        if *count > 0 {
            // Writing to a string cannot fail.
            let _ = write!(out, "; {count} {what}");
        }
    }
    let heads: String = TOP.iter().map(|k| format!("{:>24}", format!("top-{k}"))).collect();
    let _ = write!(out, "\n{:<24}{heads}", "");
    for (name, row) in
        [("backbone's global", &intervals.backbone), ("model's global", &intervals.global), ("graph", &intervals.graph)]
    {
        let _ = write!(out, "\n{name:<24}{}", row.iter().map(share).collect::<String>());
    }
    for (name, row) in [("graph - model's global", &report.over_global), ("graph - backbone's", &report.over_backbone)]
    {
        let _ = write!(out, "\n{name:<24}{}", row.iter().map(points).collect::<String>());
    }
    let kept = report.recall.iter().filter(|(n, _)| *n < *gallery);
    let kept: Vec<String> = kept.map(|(n, share)| format!("{n}: {share:.3}")).collect();
    if !kept.is_empty() {
        let _ = write!(out, "\nkept by a shortlist of   {}", kept.join("   "));
    }
    out
}

/// A share and its interval.
fn share(estimate: &Estimate) -> String {
    let Estimate { value, low, high } = estimate;
    format!("{:>24}", format!("{value:.3} [{low:.3}, {high:.3}]"))
}

/// A difference in points, and its interval.
fn points(estimate: &Estimate) -> String {
    let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(|v| v * 100.0);
    format!("{:>24}", format!("{value:+.1} [{low:+.1}, {high:+.1}]"))
}
