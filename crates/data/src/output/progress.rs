//! How far a command is: bars for people on standard error, or lines of JSON for a program on standard output.
//!
//! A process has one style, chosen when it starts, like libtorch's threads: what is deep inside a training need not be
//! handed a place to report to.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::output::print::say;

/// How to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Style {
    /// A bar and lines of text on standard error.
    #[default]
    Bars,
    /// A [`Line`] of JSON on standard output every now and then; the report is the last one.
    Json,
}

/// Whether the style is JSON.
static JSON: AtomicBool = AtomicBool::new(false);

/// Lines of JSON come at most this often, but for a phase's first and last and for validations.
const PAUSE: Duration = Duration::from_millis(200);

/// Chooses the style of this process.
pub fn choose(style: Style) {
    JSON.store(style == Style::Json, Ordering::Relaxed);
}

/// The style of this process.
pub fn style() -> Style {
    if JSON.load(Ordering::Relaxed) { Style::Json } else { Style::Bars }
}

/// A word about the work, as one line of JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What is being done: `maps`, `steps`, …
    pub phase: String,
    /// Images or steps done in this phase.
    pub done: u64,
    /// Images or steps of this phase.
    pub total: u64,
    /// The last loss, in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// After a validation: top-1, 5, 20 and 50 of the model's global vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub global: Option<[f64; 4]>,
    /// After a validation: top-1, 5, 20 and 50 of the graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<[f64; 4]>,
}

/// A part of the work whose length is known. Dropped, its bar is gone.
#[derive(Debug)]
pub struct Phase {
    name: &'static str,
    bar: ProgressBar,
    loss: Option<f64>,
    told: Option<Instant>,
}

/// Begins a phase of `total` things called `what`: `images`, `steps`.
pub fn begin(total: u64, what: &'static str) -> Phase {
    let bar = ProgressBar::new(total);
    if style() == Style::Json {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = format!("{{bar:30}} {{pos}}/{{len}} {what} {{elapsed}} (+{{eta}}) {{msg}}");
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut phase = Phase { name: what, bar, loss: None, told: None };
    phase.tell();
    phase
}

impl Phase {
    /// `n` more are done.
    pub fn inc(&mut self, n: u64) {
        self.bar.inc(n);
        let last = self.bar.position() == self.bar.length().unwrap_or(0);
        if last || self.told.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.tell();
        }
    }

    /// The loss of the step that [`inc`](Self::inc) counts next.
    pub fn loss(&mut self, loss: f64) {
        self.loss = Some(loss);
        self.bar.set_message(format!("loss {loss:.4}"));
    }

    /// A validation: a `line` for people, its figures for a program.
    pub fn validated(&mut self, line: &str, global: [f64; 4], graph: [f64; 4]) {
        match style() {
            Style::Bars => self.say(line),
            Style::Json => write(&Line { global: Some(global), graph: Some(graph), ..self.line() }),
        }
    }

    /// Says a line on standard error, above the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    fn line(&self) -> Line {
        Line {
            phase: self.name.to_owned(),
            done: self.bar.position(),
            total: self.bar.length().unwrap_or(0),
            loss: self.loss,
            ..Line::default()
        }
    }

    fn tell(&mut self) {
        if style() == Style::Json {
            self.told = Some(Instant::now());
            write(&self.line());
        }
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Writes a line. Whoever no longer listens has ended the work by other means, or lets it go on.
fn write(line: &Line) {
    if let Ok(text) = serde_json::to_string(line) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

/// A command's result as text: in JSON, on one line and under the name `report`, the other style's choice otherwise.
///
/// # Errors
/// The report cannot be written as JSON.
pub fn report<T: Serialize>(
    report: &T,
    otherwise: impl FnOnce(&T) -> Result<String, serde_json::Error>,
) -> Result<String, serde_json::Error> {
    match style() {
        Style::Json => Ok(serde_json::json!({ "report": report }).to_string()),
        Style::Bars => otherwise(report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_known_and_comes_back() {
        let line = Line { phase: "steps".into(), done: 3, total: 9, loss: Some(0.5), ..Line::default() };
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(text, r#"{"phase":"steps","done":3,"total":9,"loss":0.5}"#);
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
        let figures = Line { graph: Some([0.1, 0.2, 0.3, 0.4]), ..line };
        assert_eq!(serde_json::from_str::<Line>(&serde_json::to_string(&figures).unwrap()).unwrap(), figures);
    }

    #[test]
    fn a_phase_counts_and_keeps_its_loss() {
        let mut phase = begin(2, "steps");
        phase.inc(1);
        phase.loss(0.25);
        phase.inc(1);
        assert_eq!(
            phase.line(),
            Line { phase: "steps".into(), done: 2, total: 2, loss: Some(0.25), ..Line::default() }
        );
    }
}
