//! The shortlist's length against what is found and what it costs: two panels over one axis, never two scales in one.

use grnet_data::output::chart::{Axis, columns, path, position, rows, spread, whisker};
use maud::{Markup, html};

use crate::html::figures::percent;
use crate::report::Shortlist;

/// Which of top-1, 5, 20 and 50 have a line, with the colours' numbers.
const LINES: [(usize, &str, usize); 3] = [(3, "top-50", 3), (2, "top-20", 2), (0, "top-1", 0)];

/// The chart.
pub fn chart(lengths: &[Shortlist]) -> Markup {
    let (Some(first), Some(last)) = (lengths.first(), lengths.last()) else { return html! {} };
    let x = Axis::log(first.length as f64, last.length as f64, 44.0, 372.0);
    let y = Axis::linear(0.0, 1.0, 226.0, 12.0);
    let mut ends: Vec<f64> = LINES.iter().map(|(k, ..)| y.at(last.top[*k].value)).collect();
    ends.push(y.at(last.recall));
    let labels = spread(&ends, 15.0, 12.0, 222.0);
    let times: Vec<(f64, f64)> = lengths.iter().filter_map(|s| Some((s.length as f64, s.milliseconds?))).collect();
    let longest = lengths.iter().map(|s| s.length as f64).collect::<Vec<_>>();
    let height = if times.is_empty() { 270 } else { 400 };
    let below = if times.is_empty() { 226.0 } else { 356.0 };
    html! {
        svg viewBox=(format!("0 0 460 {height}")) role="img" aria-label="Accuracy and time by length of the shortlist" {
            (rows(&x, &y, &[0.0, 0.25, 0.5, 0.75, 1.0], |v| format!("{:.0}", v * 100.0)))
            g style="color:var(--grey)" {
                path.line stroke-dasharray="2 3" d=(path(lengths.iter().map(|s| (x.at(s.length as f64), y.at(s.recall))))) {}
                text.label x="380" y=(position(labels[3] + 4.0)) { "kept on it" }
            }
            @for (at, (k, name, colour)) in LINES.iter().enumerate() {
                g style=(format!("color:var(--c{colour})")) {
                    path.line.graph d=(path(lengths.iter().map(|s| (x.at(s.length as f64), y.at(s.top[*k].value))))) {}
                    @for s in lengths {
                        @let (place_x, share) = (x.at(s.length as f64), &s.top[*k]);
                        (whisker(place_x, y.at(share.low), y.at(share.high)))
                        circle.dot cx=(position(place_x)) cy=(position(y.at(share.value))) r="3" {
                            title { (name) ", shortlist of " (s.length) ": " (percent(share.value)) " %" }
                        }
                    }
                    text.label x="380" y=(position(labels[at] + 4.0)) { (name) }
                }
            }
            @if !times.is_empty() { (time(&x, &times)) }
            (columns(&x, below, &fitting(&x, &longest), |v| format!("{v:.0}")))
            text.tick x="208" y=(position(below + 36.0)) text-anchor="middle" { "images that the graph scores for a query" }
        }
    }
}

/// The lower panel: milliseconds a query, each point that has room with its figure.
fn time(x: &Axis, times: &[(f64, f64)]) -> Markup {
    let most = times.iter().map(|(_, ms)| *ms).fold(f64::MIN_POSITIVE, f64::max);
    let y = Axis::linear(0.0, most, 356.0, 276.0);
    let lengths: Vec<f64> = times.iter().map(|(length, _)| *length).collect();
    let named = fitting(x, &lengths);
    let figure = |ms: f64| if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") };
    html! {
        (rows(x, &y, &[0.0], |_| "0".to_owned()))
        g style="color:var(--ink)" {
            path.line d=(path(times.iter().map(|(n, ms)| (x.at(*n), y.at(*ms))))) {}
            @for (at, (length, ms)) in times.iter().enumerate() {
                circle.dot cx=(position(x.at(*length))) cy=(position(y.at(*ms))) r="3" { title { (length) " images: " (figure(*ms)) " ms" } }
                @if at + 1 == times.len() {
                    text.label x="380" y=(position(y.at(*ms) + 4.0)) { (figure(*ms)) " ms" }
                    text.tick x="380" y=(position(y.at(*ms) + 19.0)) { "a query" }
                } @else if named.contains(length) {
                    text.value x=(position(x.at(*length))) y=(position(y.at(*ms) - 8.0)) text-anchor="middle" { (figure(*ms)) }
                }
            }
        }
    }
}

/// Those of the lengths whose texts have room, the last one first.
fn fitting(x: &Axis, lengths: &[f64]) -> Vec<f64> {
    let mut chosen: Vec<f64> = Vec::new();
    for &length in lengths.iter().rev() {
        if chosen.last().is_none_or(|&next| x.at(next) - x.at(length) > 30.0) {
            chosen.push(length);
        }
    }
    chosen
}
