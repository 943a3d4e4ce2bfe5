//! The frame of charts: from values to positions, ticks and their lines.

use maud::{Markup, html};

/// One axis: values from `low` to `high` along positions from `from` to `to`.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Axis {
    /// Equal steps are equally far.
    pub fn linear(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self { low, high, from, to, log: false }
    }

    /// Equal factors are equally far; both ends are above 0.
    pub fn log(low: f64, high: f64, from: f64, to: f64) -> Self {
        // One value alone stands in the middle.
        let (low, high) = if high > low { (low, high) } else { (low / 2.0, high * 2.0) };
        Self { low, high, from, to, log: true }
    }

    /// The position of a value.
    pub fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + (self.to - self.from) * share
    }

    /// Of 1, 2, 5, 10, 20, … those between the ends.
    pub fn ticks(&self) -> Vec<f64> {
        let decades = (-3..9).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e)));
        decades.filter(|v| *v >= self.low * 0.999 && *v <= self.high * 1.001).collect()
    }
}

/// A position, to a tenth: the files stay small.
pub fn position(value: f64) -> String {
    format!("{value:.1}")
}

/// Horizontal lines at values of `y`, with their texts on the left.
pub fn rows(x: &Axis, y: &Axis, values: &[f64], text: impl Fn(f64) -> String) -> Markup {
    html! { @for &value in values {
        line.grid x1=(position(x.from)) x2=(position(x.to)) y1=(position(y.at(value))) y2=(position(y.at(value))) {}
        text.tick x=(position(x.from - 8.0)) y=(position(y.at(value) + 4.0)) text-anchor="end" { (text(value)) }
    } }
}

/// Texts below, at values of `x`.
pub fn columns(x: &Axis, below: f64, values: &[f64], text: impl Fn(f64) -> String) -> Markup {
    html! { @for &value in values {
        text.tick x=(position(x.at(value))) y=(position(below + 18.0)) text-anchor="middle" { (text(value)) }
    } }
}

/// A line through points.
pub fn path(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        path += &format!("{}{x:.1} {y:.1}", if path.is_empty() { "M" } else { "L" });
    }
    path
}

/// A vertical whisker with its caps.
pub fn whisker(x: f64, low: f64, high: f64) -> Markup {
    let line = format!("M{:.1} {low:.1}h6m-3 0V{high:.1}m-3 0h6", x - 3.0);
    html! { path.whisker d=(line) {} }
}

/// Positions of labels at least `gap` apart and within `from` to `to`, as near to where they belong as that allows.
pub fn spread(wanted: &[f64], gap: f64, from: f64, to: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut placed = wanted.to_vec();
    let mut least = from;
    for &label in &order {
        placed[label] = placed[label].max(least);
        least = placed[label] + gap;
    }
    let mut most = to;
    for &label in order.iter().rev() {
        placed[label] = placed[label].min(most);
        most = placed[label] - gap;
    }
    placed
}
