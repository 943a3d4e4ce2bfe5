//! A job: a training or an evaluation, over many images and for a long time, in a process of its own.
//!
//! [`Request::Job`](crate::Request::Job) opens it, [`Request::Images`](crate::Request::Images) brings its images in
//! pieces, [`Request::Run`](crate::Request::Run) starts it and is answered by as many
//! [`Reply::Progress`](crate::Reply::Progress) as there are words, then by its end;
//! [`Request::Piece`](crate::Request::Piece) fetches the model. It ends with its connection.

use serde::{Deserialize, Serialize};

use crate::Region;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobKind {
    /// A model is trained.
    Train,
    /// A model is measured.
    Evaluate,
}

impl JobKind {
    /// The engine's command for it.
    pub fn command(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Evaluate => "eval",
        }
    }

    /// What it is to people.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Evaluate => "evaluation",
        }
    }
}

/// An image of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobImage<'a> {
    /// Encoded image bytes.
    #[serde(with = "serde_bytes", borrow)]
    pub bytes: &'a [u8],
    /// The part to look at; `None` is all of it.
    pub region: Option<Region>,
    /// The garment; `None` is a distractor.
    pub item: Option<&'a str>,
    /// Whether it is a seller's image.
    pub shop: bool,
    /// An evaluation's list of queries that a consumer's image belongs to.
    pub set: &'a str,
    /// View, occlusion and cropping, as a table writes them; an empty one is not annotated.
    #[serde(borrow)]
    pub strata: [&'a str; 3],
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobState {
    /// What is done.
    pub kind: JobKind,
    /// The backend that waits for it.
    pub pid: i32,
    /// That backend's database.
    pub database: String,
    /// The model's name: the one to be made, or the one that is measured.
    pub model: String,
    /// What is being done.
    pub phase: String,
    /// Images collected.
    pub images: u64,
    /// Garments among them.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Images or steps done in this phase.
    pub done: u64,
    /// Images or steps of this phase; 0 where nobody knows.
    pub total: u64,
    /// The last loss.
    pub loss: Option<f64>,
    /// The last validation's top-1, 5, 20 and 50 of the global vector.
    pub global: Option<[f64; 4]>,
    /// The same of the graph.
    pub graph: Option<[f64; 4]>,
    /// When it began, in microseconds since 1970.
    pub started_us: i64,
    /// Seconds that the phase will take on, as far as its pace tells.
    pub left_s: Option<f64>,
}

/// Why a job is refused or has failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRefusal {
    /// The kind, for the SQLSTATE.
    pub fault: JobFault,
    /// The message, lower case, no full stop.
    pub message: String,
    /// More of it, a sentence.
    pub detail: Option<String>,
    /// What to do, a sentence.
    pub hint: Option<String>,
}

/// The kinds of faults of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobFault {
    /// An option is not known, or its value is not allowed.
    Option,
    /// Another one of its kind is running.
    Running,
    /// More images than there is room for.
    TooLarge,
    /// The disk does not take them.
    Disk,
    /// Its process failed: the images cannot be learned from, or it was killed.
    Failed,
}
