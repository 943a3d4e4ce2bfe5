//! Progress bars that appear only when the work takes longer than two seconds.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_secs(2);
/// Without a terminal (a log, CI) a line this often takes the bar's place.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of one piece of work.
pub struct Progress {
    bar: ProgressBar,
    what: &'static str,
    start: Instant,
    told: Mutex<Instant>,
    terminal: bool,
}

impl Progress {
    /// `what` is done `total` times; `unit` says what is counted.
    pub fn new(what: &'static str, unit: &str, total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let template = format!("{what} {{bar:32}} {{pos}}/{{len}}  {{per_sec}}  {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            let unit = unit.to_owned();
            let rate = move |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                // Nobody is there to tell: the text goes into memory.
                let _ = write!(out, "{:.1} {unit}/s", state.per_sec());
            };
            bar.set_style(style.progress_chars("━╸ ").with_key("per_sec", rate));
        }
        let now = Instant::now();
        Self { bar, what, start: now, told: Mutex::new(now), terminal: std::io::stderr().is_terminal() }
    }

    /// One more is done.
    pub fn step(&self) {
        self.bar.inc(1);
        if !self.terminal {
            self.line();
        } else if self.bar.is_hidden() && self.start.elapsed() > QUIET {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Seconds since the beginning.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn line(&self) {
        let Ok(mut told) = self.told.lock() else { return };
        if told.elapsed() >= LINE_EVERY {
            *told = Instant::now();
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
            eprintln!("{} {done}/{all}", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
