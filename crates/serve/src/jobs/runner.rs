//! Listening to a job's process: its words become the state that everybody may see, its end the answer.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Instant;

use grnet_data::output::progress::Line;
use grnet_wire::{Failure, JobFault, JobKind, JobRefusal, JobState, Reply};
use serde_json::Value;

use crate::client::Client;
use crate::jobs::refusal::refusal;
use crate::jobs::registry::OpenJob;

/// The model that a training makes, in the job's folder.
pub const MODEL: &str = "model.safetensors";
/// What the process says to people, likewise.
const WORDS: &str = "words";
/// Lines of it that are passed on, and letters of each.
const LAST_WORDS: usize = 10;
const LONGEST_WORD: usize = 500;
/// Longest line that is taken for one.
const LONGEST_LINE: u64 = 16 << 20;

/// What a runner needs.
pub struct Runner {
    /// The job.
    pub(super) open: Arc<OpenJob>,
    /// Who waits for it.
    pub client: Arc<Client>,
    /// The id of the request to run it.
    pub id: u64,
}

impl Runner {
    /// Runs the process and sends its end.
    pub fn run(&self, arguments: &[String], folder: &Path) {
        let reply = match self.listen(arguments, folder) {
            Ok(report) => {
                let model_bytes = fs::metadata(folder.join(MODEL)).map_or(0, |file| file.len());
                self.open.change(|state| "fetching the result".clone_into(&mut state.phase));
                Reply::Finished { id: self.id, report, words: words(folder), model_bytes }
            }
            Err(refusal) => Reply::Failed { id: self.id, failure: Failure::Job(refusal) },
        };
        self.client.send(reply);
    }

    fn listen(&self, arguments: &[String], folder: &Path) -> Result<String, JobRefusal> {
        let noun = self.open.kind.noun();
        let failed = |detail: String| JobRefusal {
            detail: Some(detail),
            ..refusal(JobFault::Failed, format!("the {noun} failed"))
        };
        let output = self.open.guard.start(arguments, &folder.join(WORDS));
        let output = output.map_err(|error| failed(format!("Its process could not be started: {error}.")))?;
        let mut output = BufReader::new(output);
        let (mut report, mut pace) = (None, Pace::default());
        let mut line = String::new();
        while (&mut output).take(LONGEST_LINE).read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            if let Ok(word) = serde_json::from_str::<Line>(&line) {
                let state = self.open.change(|state| {
                    pace.note(state, word);
                    state.clone()
                });
                self.client.tell(Reply::Progress { id: self.id, state });
            } else if let Ok(Value::Object(mut last)) = serde_json::from_str(&line) {
                report = last.remove("report");
            }
            line.clear();
        }
        // Where its output could not be read to the end, it must not wait for a reader.
        drop(output);
        let status = self.open.guard.wait().map_err(|error| failed(format!("Its process is lost: {error}.")))?;
        match report {
            Some(report) if status.success() => Ok(report.to_string()),
            _ => Err(failed(self.reason(status, folder))),
        }
    }

    /// Why a process that failed did so: its last words, or how it ended.
    fn reason(&self, status: ExitStatus, folder: &Path) -> String {
        use std::os::unix::process::ExitStatusExt;
        let last = words(folder).pop();
        let last = last.map(|word| word.trim_start_matches("grnet-engine: ").to_owned());
        match (status.signal(), last) {
            (Some(signal), _) => format!("Its process was ended by signal {signal}."),
            (None, Some(word)) => {
                let mut letters = word.chars();
                let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
                format!("{first}{}.", letters.as_str().trim_end_matches('.'))
            }
            (None, None) => format!("Its process ended with exit code {}.", status.code().unwrap_or(-1)),
        }
    }
}

/// The last words of the process. The folder's own path says nothing to a user.
fn words(folder: &Path) -> Vec<String> {
    let text = fs::read(folder.join(WORDS)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).replace(&format!("{}/", folder.display()), "");
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_WORDS));
    last.map(|line| line.chars().take(LONGEST_WORD).collect()).collect()
}

/// How fast a phase goes.
#[derive(Debug, Default)]
struct Pace {
    phase: String,
    began: Option<Instant>,
}

impl Pace {
    /// Puts a word into the state.
    fn note(&mut self, state: &mut JobState, word: Line) {
        if self.phase != word.phase {
            self.phase.clone_from(&word.phase);
            self.began = Some(Instant::now());
        }
        let over = word.done >= word.total;
        state.phase = match (&*word.phase, state.kind) {
            ("images", JobKind::Evaluate) if over => "ranking".to_owned(),
            ("images", _) if over => "preparing".to_owned(),
            ("images", _) => "computing maps".to_owned(),
            ("steps", _) if over => "writing the model".to_owned(),
            ("steps", _) => "training".to_owned(),
            (other, _) => other.to_owned(),
        };
        (state.done, state.total) = (word.done, word.total);
        state.loss = word.loss.or(state.loss);
        state.global = word.global.or(state.global);
        state.graph = word.graph.or(state.graph);
        let took = self.began.map_or(0.0, |began| began.elapsed().as_secs_f64());
        let left = word.total.saturating_sub(word.done) as f64;
        state.left_s = (word.done > 0).then(|| took / word.done as f64 * left);
    }
}
