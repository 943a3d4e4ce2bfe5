//! Bars for each stratum: where a ranking is strong, and where it is not.

use grnet_data::output::chart::{Axis, position};
use grnet_score::metrics::Estimate;
use maud::{Markup, html};

use crate::html::figures::{ink, percent};
use crate::report::{Method, SetReport};

/// Which of top-1, 5, 20 and 50 are shown, side by side.
const SHOWN: [(usize, &str); 2] = [(0, "top-1"), (2, "top-20")];

const ROW: f64 = 19.0;

/// The chart: a group for all queries and one for each stratum, a bar for each ranking.
pub fn chart(set: &SetReport, several: bool) -> Markup {
    let all: Vec<&[Estimate; 4]> = set.rankings.iter().map(|ranking| &ranking.top).collect();
    let mut groups = vec![("all", set.queries, all)];
    groups.extend(set.strata.iter().map(|s| (s.name, s.queries, s.rankings.iter().map(|r| &r.top).collect())));
    let group = ROW * set.rankings.len() as f64 + 40.0;
    let height = 24.0 + group * groups.len() as f64;
    let names = set.rankings.iter().map(|ranking| ranking.name.chars().count()).max().unwrap_or(0);
    let left = (names as f64 * 6.6 + 12.0).clamp(120.0, 300.0);
    let width = (760.0 - left) / 2.0;
    html! {
        svg viewBox=(format!("0 0 760 {height:.0}")) role="img" aria-label="Shares of hits by stratum" {
            @for (side, (_, title)) in SHOWN.iter().enumerate() {
                text.label x=(position(left + width * side as f64)) y="14" { (title) }
            }
            @for (number, (name, queries, tops)) in groups.iter().enumerate() {
                @let top = 24.0 + group * number as f64;
                text.head x="0" y=(position(top + 18.0)) { (name) tspan.tick { "  " (queries) " queries" } }
                @for (at, ranking) in set.rankings.iter().enumerate() {
                    @let middle = top + 26.0 + ROW * (at as f64 + 0.5);
                    text.name.strong[ranking.method == Method::Graph] x=(position(left - 8.0)) y=(position(middle + 4.0)) text-anchor="end" {
                        (ranking.name)
                    }
                    g style=(ink(ranking.method, ranking.model, several)) { @for (side, (k, title)) in SHOWN.iter().enumerate() {
                        @let start = left + width * side as f64;
                        @let x = Axis::linear(0.0, 1.0, start, start + width - 62.0);
                        (bar(&x, middle, &tops[at][*k], &format!("{}, {name}, {title}", ranking.name), ranking.method == Method::Graph))
                    } }
                }
            }
        }
    }
}

fn bar(x: &Axis, middle: f64, share: &Estimate, title: &str, strong: bool) -> Markup {
    let whisker = format!("M{:.1} {:.1}v6m0 -3H{:.1}m0 -3v6", x.at(share.low), middle - 3.0, x.at(share.high));
    html! {
        rect.track x=(position(x.at(0.0))) y=(position(middle - 6.0)) width=(position(x.at(1.0) - x.at(0.0))) height="12" rx="2" {}
        rect.bar.strong[strong] x=(position(x.at(0.0))) y=(position(middle - 6.0)) width=(position(x.at(share.value) - x.at(0.0))) height="12" rx="2" {
            title { (title) ": " (percent(share.value)) " %" }
        }
        path.halo d=(whisker) {}
        path.over d=(whisker) {}
        text.value x=(position(x.at(1.0) + 8.0)) y=(position(middle + 4.0)) { (percent(share.value)) }
    }
}
