//! Shares of hits against k, a line for each ranking.

use grnet_data::output::chart::{Axis, columns, path, position, rows, spread, whisker};
use grnet_nn::ranking::protocol::TOP;
use maud::{Markup, html};

use crate::html::figures::{dashes, ink, percent};
use crate::report::{Method, Ranking, SetReport};

/// The chart. Lines are named at their ends; whiskers stand on what is decided between: graphs and globals.
pub fn chart(set: &SetReport, several: bool) -> Markup {
    let longest = set.rankings.first().map_or(1, |ranking| ranking.curve.len()).min(set.gallery).max(2);
    let lowest = set.rankings.iter().map(|r| r.top[0].low).fold(1.0, f64::min);
    // Lines may begin above 0, bars may not: the room is for what differs.
    let floor = (((lowest - 0.05) * 5.0).floor() / 5.0).clamp(0.0, 0.8);
    let (x, y) = (Axis::log(1.0, longest as f64, 40.0, 560.0), Axis::linear(floor, 1.0, 330.0, 14.0));
    let ends: Vec<f64> = set.rankings.iter().map(|ranking| y.at(ranking.curve[longest - 1])).collect();
    let labels = spread(&ends, 15.0, 14.0, 326.0);
    let decided = |ranking: &Ranking| matches!(ranking.method, Method::Graph | Method::Global);
    let sides = set.rankings.iter().filter(|ranking| decided(ranking)).count() as f64;
    let step = if floor < 0.4 { 0.2 } else { 0.1 };
    let shares: Vec<f64> = (0..).map(|n| floor + step * f64::from(n)).take_while(|v| *v < 1.001).collect();
    let mut before = 0.0;
    html! {
        svg viewBox="0 0 760 364" role="img" aria-label="Share of queries with the right garment among the first k" {
            (rows(&x, &y, &shares, |v| format!("{:.0}", v * 100.0)))
            (columns(&x, 330.0, &x.ticks(), |v| format!("{v:.0}")))
            text.tick x=(position(x.at(longest as f64) + 22.0)) y="348" { "k" }
            // The graphs last: they lie on top.
            @for graphs in [false, true] { @for (at, ranking) in set.rankings.iter().enumerate() {
                @if (ranking.method == Method::Graph) == graphs {
                    g style=(ink(ranking.method, ranking.model, several)) {
                        path.line.graph[graphs].aside[!decided(ranking)] stroke-dasharray=(dashes(ranking.method))
                            d=(path((1..=longest).map(|k| (x.at(k as f64), y.at(ranking.curve[k - 1]))))) {}
                        path.leader d=(path([(562.0, ends[at]), (576.0, labels[at])])) {}
                        text.label x="580" y=(position(labels[at] + 4.0)) { (ranking.name) }
                    }
                }
            } }
            @for ranking in set.rankings.iter().filter(|ranking| decided(ranking)) {
                @let aside = { before += 1.0; (before - (sides + 1.0) / 2.0) * 7.0 };
                g style=(ink(ranking.method, ranking.model, several)) {
                    @for (k, share) in TOP.iter().zip(&ranking.top).filter(|(k, _)| **k <= longest) {
                        @let at = x.at(*k as f64) + aside + if *k == 1 { (sides - 1.0) * 3.5 } else { 0.0 };
                        (whisker(at, y.at(share.low.max(floor)), y.at(share.high)))
                        circle.dot cx=(position(at)) cy=(position(y.at(share.value))) r="3.5" {
                            title { (ranking.name) ", top-" (k) ": " (percent(share.value)) " %" }
                        }
                    }
                }
            }
        }
    }
}
