//! The results as a picture: time and recall against the number of items, and time against what a filter lets pass.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use crate::measure::Kind;
use crate::report::Step;

const SIZE: (u32, u32) = (1380, 480);
const FONT: &str = "sans-serif";

/// What a line shows.
struct Line {
    name: &'static str,
    kind: Kind,
    colour: RGBColor,
}

/// Colours that also people tell apart who see red and green alike (Okabe and Ito).
const LINES: [Line; 6] = [
    Line { name: "exact", kind: Kind::Exact, colour: RGBColor(0, 0, 0) },
    Line { name: "exact, i16", kind: Kind::ExactI16, colour: RGBColor(150, 150, 150) },
    Line { name: "shortlist 1,000", kind: Kind::Shortlist(1_000), colour: RGBColor(213, 94, 0) },
    Line { name: "shortlist 200", kind: Kind::Shortlist(200), colour: RGBColor(0, 114, 178) },
    Line { name: "shortlist 100", kind: Kind::Shortlist(100), colour: RGBColor(0, 158, 115) },
    Line { name: "pgvector alone", kind: Kind::Pgvector, colour: RGBColor(170, 120, 160) },
];

type Canvas<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Outcome = Result<(), Box<dyn Error>>;

/// Draws all steps into one file.
///
/// # Errors
/// The file cannot be written.
pub fn draw(path: &Path, steps: &[Step]) -> Outcome {
    let canvas = SVGBackend::new(path, SIZE).into_drawing_area();
    canvas.fill(&WHITE)?;
    let panels = canvas.split_evenly((1, 3));
    let of = |kind: Kind, what: &dyn Fn(&crate::measure::Figures) -> f64| -> Vec<(f64, f64)> {
        let point = |step: &Step| step.of(kind, 100).map(|figures| (step.size as f64, what(figures)));
        steps.iter().filter_map(point).collect()
    };
    let (first, last) = (steps.first().map_or(1, |s| s.size) as f64, steps.last().map_or(1, |s| s.size) as f64);
    let sizes = (first * 0.8..last * 1.25).log_scale();

    let times: Points = LINES.iter().map(|line| (line, of(line.kind, &|figures| figures.p50))).collect();
    let frame = Frame { title: "one client, median", x: "items", y: "ms", has_legend: false };
    panel(&panels[0], &frame, sizes.clone(), milliseconds(&times).log_scale(), &times)?;
    let found: Points = LINES.iter().map(|line| (line, of(line.kind, &|figures| figures.recall))).collect();
    let frame = Frame { title: "found of the exact first 20", x: "items", y: "recall@20", has_legend: true };
    panel(&panels[1], &frame, sizes, 0.0..1.02, &found)?;
    let Some(step) = steps.last() else { return Ok(()) };
    let filtered = |kind: Kind| -> Vec<(f64, f64)> {
        let point = |passing: usize| step.of(kind, passing).map(|figures| (passing as f64, figures.p50));
        [1, 10, 50, 100].into_iter().filter_map(point).collect()
    };
    let filtered: Points =
        LINES.iter().map(|line| (line, filtered(line.kind))).filter(|(_, points)| points.len() > 1).collect();
    let title = format!("with a filter, {} items", number(step.size as f64));
    let frame = Frame { title: &title, x: "per cent of the rows that pass", y: "ms", has_legend: false };
    panel(&panels[2], &frame, (0.8..125.0).log_scale(), milliseconds(&filtered).log_scale(), &filtered)?;
    canvas.present()?;
    Ok(())
}

/// One chart: its title, its axes and whether it explains the colours.
struct Frame<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    has_legend: bool,
}

/// The points of each line.
type Points = Vec<(&'static Line, Vec<(f64, f64)>)>;

fn milliseconds(lines: &Points) -> Range<f64> {
    let values = || lines.iter().flat_map(|(_, points)| points.iter().map(|(_, y)| *y));
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.1, f64::max));
    low.min(high) * 0.6..high * 1.6
}

fn panel<X, Y>(canvas: &Canvas<'_>, frame: &Frame<'_>, x: X, y: Y, lines: &Points) -> Outcome
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(canvas)
        .caption(frame.title, (FONT, 18))
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .x_desc(frame.x)
        .y_desc(frame.y)
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .draw()?;
    for (line, points) in lines.iter().filter(|(_, points)| !points.is_empty()) {
        let style = line.colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, line.colour.filled())))?;
    }
    if frame.has_legend {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .background_style(WHITE.mix(0.85))
            .label_font((FONT, 14))
            .draw()?;
    }
    Ok(())
}

/// A number without needless digits, thousands apart.
fn number(value: f64) -> String {
    if value >= 1_000.0 {
        format!("{},{:03}", value as u64 / 1_000, value as u64 % 1_000)
    } else if value.fract().abs() < 1e-6 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
