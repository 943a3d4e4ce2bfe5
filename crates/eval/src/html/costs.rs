//! What each model's graph costs a pair against what it finds.

use grnet_data::output::chart::{Axis, columns, position, rows, spread, whisker};
use grnet_nn::ranking::protocol::TOP;
use maud::{Markup, html};

use crate::html::figures::{ink, percent};
use crate::report::{Method, Model, SetReport};

/// One model's graph.
struct Point<'a> {
    model: usize,
    name: &'a str,
    cost: f64,
    top: &'a grnet_score::metrics::Estimate,
}

/// Panels for top-1 and top-20, over costs in MFLOP a pair; nothing where there are no two costs to compare.
pub fn chart(set: &SetReport, models: &[Model]) -> Option<Markup> {
    let costs: Vec<f64> = models.iter().map(|model| model.mflop).filter(|cost| *cost > 0.0).collect();
    let (low, high) = costs.iter().fold((f64::MAX, 0.0f64), |(low, high), &cost| (low.min(cost), high.max(cost)));
    if costs.len() < 2 || high <= low {
        return None;
    }
    let panels = [0, 2].map(|k| panel(set, models, k, &Axis::log(low, high, 44.0, 330.0)));
    Some(html! { div.pair { @for panel in panels { figure { (panel) } } } })
}

fn panel(set: &SetReport, models: &[Model], k: usize, x: &Axis) -> Markup {
    let graphs = set.rankings.iter().filter(|ranking| ranking.method == Method::Graph);
    let points: Vec<Point<'_>> = graphs
        .filter(|ranking| models[ranking.model].mflop > 0.0)
        .map(|ranking| Point {
            model: ranking.model,
            name: &models[ranking.model].name,
            cost: models[ranking.model].mflop,
            top: &ranking.top[k],
        })
        .collect();
    let ends = points.iter().flat_map(|point| [point.top.low, point.top.high]);
    let (low, high) = ends.fold((1.0f64, 0.0f64), |(low, high), end| (low.min(end), high.max(end)));
    // To the next tenths, so that small differences can be seen.
    let (low, high) = ((low * 10.0).floor() / 10.0, ((high * 10.0).ceil() / 10.0).max(low + 0.1));
    let y = Axis::linear(low, high, 266.0, 12.0);
    let tenths: Vec<f64> =
        (0..=10).map(|n| f64::from(n) / 10.0).filter(|v| *v >= low - 1e-9 && *v <= high + 1e-9).collect();
    let labels = spread(&points.iter().map(|point| y.at(point.top.value)).collect::<Vec<_>>(), 15.0, 12.0, 262.0);
    html! {
        figcaption { b { "Cost and top-" (TOP[k]) } " % of queries, each model's graph" }
        svg viewBox="0 0 480 310" role="img" aria-label=(format!("Top-{} by cost of a pair", TOP[k])) {
            (rows(x, &y, &tenths, |v| format!("{:.0}", v * 100.0)))
            (columns(x, 266.0, &x.ticks(), |v| format!("{v}")))
            text.tick x="187" y="302" text-anchor="middle" { "MFLOP a pair" }
            @for (point, label) in points.iter().zip(labels) {
                @let (at, height) = (x.at(point.cost), y.at(point.top.value));
                g style=(ink(Method::Graph, point.model, true)) {
                    (whisker(at, y.at(point.top.low), y.at(point.top.high)))
                    line.leader x1=(position(at)) y1=(position(height)) x2="352" y2=(position(label)) {}
                    circle.dot cx=(position(at)) cy=(position(height)) r="3.5" {
                        title { (point.name) ", " (format!("{:.1}", point.cost)) " MFLOP: " (percent(point.top.value)) " %" }
                    }
                    text.label x="356" y=(position(label + 4.0)) { (point.name) }
                }
            }
        }
    }
}
