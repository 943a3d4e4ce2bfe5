//! A training as a picture: the loss, and how the graph and the global vector rank what is held out.

use grnet_data::output::chart::{Axis, columns, path, position, rows, spread};
use maud::{Markup, html};

use crate::validate::Validation;

/// Steps lie along these positions, and the panels on top of each other: figures above, loss below.
const ACROSS: (f64, f64) = (52.0, 560.0);
const FIGURES: (f64, f64) = (300.0, 54.0);
const LOSS: (f64, f64) = (452.0, 346.0);

/// Which of top-1, 5, 20 and 50 have lines, and their colours (Okabe and Ito's, told apart by the colour-blind).
const LINES: [(usize, &str, &str); 3] = [(0, "top-1", "#0072b2"), (1, "top-5", "#d55e00"), (2, "top-20", "#009e73")];

const STYLE: &str = "svg{background:#fff;color:#222;font:12px system-ui,sans-serif}.grid{stroke:#ddd}.tick{fill:#666}\
                     .label,.title{fill:currentColor}.title{font-weight:600}path{fill:none;stroke:currentColor;stroke-width:2}\
                     .kept{stroke:#888;stroke-dasharray:2 3}";

/// The picture, as SVG. The graph's lines are solid, the global vector's dashed; a dotted line stands where the weights
/// come from.
pub fn svg(history: &[Validation], kept: usize) -> String {
    let (Some(first), Some(last)) = (history.first(), history.last()) else { return String::new() };
    let x = Axis::linear(first.step as f64, last.step.max(first.step + 1) as f64, ACROSS.0, ACROSS.1);
    let lowest = history.iter().map(|v| v.graph.top[0].min(v.global.top[0])).fold(1.0, f64::min);
    let floor = ((lowest * 10.0).floor() / 10.0).clamp(0.0, 0.9);
    let y = Axis::linear(floor, 1.0, FIGURES.0, FIGURES.1);
    let shares: Vec<f64> = (0..=10).map(|n| f64::from(n) / 10.0).filter(|v| *v >= floor - 1e-9).collect();
    let ends: Vec<f64> = LINES.iter().map(|(k, ..)| y.at(last.graph.top[*k])).collect();
    let labels = spread(&ends, 15.0, FIGURES.1, FIGURES.0);
    let every = history.len().div_ceil(8);
    let steps: Vec<f64> = history.iter().step_by(every).map(|v| v.step as f64).collect();
    let line = |k: usize, graph: bool| {
        path(history.iter().map(|v| (x.at(v.step as f64), y.at(if graph { v.graph.top[k] } else { v.global.top[k] }))))
    };
    let at = position(x.at(history[kept.min(history.len() - 1)].step as f64));
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 490" width="990" height="735" role="img" aria-label="Training" {
            style { (STYLE) }
            text.title x="52" y="20" { "Garments held out: right among the first k, %" }
            text.tick x="52" y="38" { "solid: graph, dashed: global vector, dotted: kept" }
            (rows(&x, &y, &shares, |v| format!("{:.0}", v * 100.0)))
            path.kept d=(format!("M{at} {}V{}", FIGURES.1, LOSS.0)) {}
            @for (line_at, (k, name, colour)) in LINES.iter().enumerate() {
                g style=(format!("color:{colour}")) {
                    path stroke-dasharray="5 4" stroke-opacity="0.7" d=(line(*k, false)) {}
                    path d=(line(*k, true)) {}
                    text.label x="570" y=(position(labels[line_at] + 4.0)) { (name) }
                }
            }
            (loss(history, &x))
            (columns(&x, LOSS.0, &steps, |v| format!("{v:.0}")))
            text.tick x="306" y="486" text-anchor="middle" { "steps" }
        }
    };
    picture.into_string()
}

/// The lower panel; empty before the first step.
fn loss(history: &[Validation], x: &Axis) -> Markup {
    let losses: Vec<(f64, f64)> = history.iter().filter_map(|v| Some((v.step as f64, v.loss?))).collect();
    let most = losses.iter().map(|(_, loss)| *loss).fold(f64::MIN_POSITIVE, f64::max);
    let y = Axis::linear(0.0, most, LOSS.0, LOSS.1);
    html! {
        text.title x="52" y="334" { "Mean loss between validations" }
        (rows(x, &y, &[0.0, most / 2.0, most], |v| format!("{v:.1}")))
        path d=(path(losses.iter().map(|(step, loss)| (x.at(*step), y.at(*loss))))) {}
        @for (step, loss) in &losses { circle cx=(position(x.at(*step))) cy=(position(y.at(*loss))) r="3" {} }
    }
}

#[cfg(test)]
mod tests {
    use grnet_nn::ranking::protocol::TopK;

    use super::*;

    fn history(tops: &[f64]) -> Vec<Validation> {
        let top = |top: f64| TopK { queries: 10, top: [top, top, 1.0, 1.0] };
        let one = |(at, &t): (usize, &f64)| {
            let loss = (at > 0).then_some(4.0 / at as f64);
            Validation { step: 50 * at, loss, global: top(0.5), graph: top(t) }
        };
        tops.iter().enumerate().map(one).collect()
    }

    #[test]
    fn every_validation_is_a_point_inside_the_picture() {
        for tops in [&[0.5][..], &[0.0, 0.3, 1.0], &[0.97; 40]] {
            let picture = svg(&history(tops), tops.len() - 1);
            assert!(picture.starts_with("<svg") && picture.ends_with("</svg>"));
            assert_eq!(picture.matches("<circle").count(), tops.len() - 1);
            let numbers = picture.split(['M', 'L', ' ', '"', 'V']).filter_map(|word| word.parse::<f64>().ok());
            assert!(numbers.into_iter().all(|n| (-1.0..=1000.0).contains(&n)), "{picture}");
            assert!(!picture.contains("NaN") && !picture.contains("inf"));
        }
    }
}
