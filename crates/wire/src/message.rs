//! The messages.

use grnet_features::model_file::ModelId;
use serde::{Deserialize, Serialize};

use crate::{Drawing, JobImage, JobKind, JobRefusal, JobState};

/// What a backend asks of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// The first message of a connection.
    Hello {
        /// The client's [`PROTOCOL`](crate::PROTOCOL).
        protocol: u32,
        /// The client's process, for the engine's log.
        pid: u32,
    },
    /// Images to be turned into features.
    Embed {
        /// Repeated by the reply.
        id: u64,
        /// The model.
        model: ModelId,
        /// Milliseconds from now after which nobody waits any more.
        deadline_ms: u32,
        /// Largest image in bytes.
        max_bytes: u64,
        /// Largest image in pixels.
        max_pixels: u64,
        /// The images, at most [`MAX_IMAGES`](crate::MAX_IMAGES).
        #[serde(borrow)]
        images: Vec<Image<'a>>,
    },
    /// A model the engine said it lacks.
    Model {
        /// Repeated by the reply.
        id: u64,
        /// The model file; its digest is the model's id.
        #[serde(with = "serde_bytes", borrow)]
        file: &'a [u8],
    },
    /// The engine's counters.
    Stats {
        /// Repeated by the reply.
        id: u64,
    },
    /// Opens a job, one for each connection.
    Job {
        /// Repeated by the reply.
        id: u64,
        /// What is done.
        kind: JobKind,
        /// The client's database, for who looks at its progress.
        database: &'a str,
        /// The name of the model to be made or measured, likewise.
        name: &'a str,
        /// A JSON object of the command's options.
        options: &'a str,
        /// The model file to start from or to measure.
        #[serde(with = "serde_bytes", borrow)]
        file: &'a [u8],
    },
    /// More images of the connection's job.
    Images {
        /// Repeated by the reply.
        id: u64,
        /// The images, at most [`MAX_IMAGES`](crate::MAX_IMAGES).
        #[serde(borrow)]
        images: Vec<JobImage<'a>>,
    },
    /// All images are there: begin.
    Run {
        /// Repeated by every reply.
        id: u64,
    },
    /// A piece of the model that a training has made.
    Piece {
        /// Repeated by the reply.
        id: u64,
        /// Where it begins in the file.
        offset: u64,
    },
    /// Nothing more is wanted of the connection's job.
    End {
        /// Repeated by the reply.
        id: u64,
    },
    /// How far all jobs are.
    Jobs {
        /// Repeated by the reply.
        id: u64,
    },
    /// Two images to be drawn side by side, with the windows that decided joined.
    MatchMap {
        /// Repeated by the reply.
        id: u64,
        /// The model.
        model: ModelId,
        /// Milliseconds from now after which nobody waits any more.
        deadline_ms: u32,
        /// Largest image in bytes.
        max_bytes: u64,
        /// Largest image in pixels.
        max_pixels: u64,
        /// The image on the left: encoded image bytes.
        #[serde(with = "serde_bytes", borrow)]
        query: &'a [u8],
        /// The image on the right.
        #[serde(with = "serde_bytes", borrow)]
        item: &'a [u8],
    },
}

impl Request<'_> {
    /// Says how much time is left, in a request that has a deadline.
    pub fn set_deadline(&mut self, milliseconds: u32) {
        if let Self::Embed { deadline_ms, .. } | Self::MatchMap { deadline_ms, .. } = self {
            *deadline_ms = milliseconds;
        }
    }
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image<'a> {
    /// Encoded image bytes, in any format the engine reads.
    #[serde(with = "serde_bytes", borrow)]
    pub bytes: &'a [u8],
    /// The part to look at; `None` is all of it.
    pub region: Option<Region>,
}

/// A box in pixels of the upright image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Left side.
    pub left: f64,
    /// Upper side.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// What the engine answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The connection is open.
    Hello {
        /// The engine's [`PROTOCOL`](crate::PROTOCOL).
        protocol: u32,
        /// The engine's process.
        pid: u32,
    },
    /// The connection is not wanted; the engine closes it.
    Refused {
        /// Why.
        reason: String,
    },
    /// One outcome for each image, in their order.
    Features {
        /// The request's id.
        id: u64,
        /// A feature value (version 1, f16) or what is wrong with the image.
        images: Vec<Outcome>,
    },
    /// The engine has not seen this model since it started: send it, then ask again.
    NeedModel {
        /// The request's id.
        id: u64,
        /// The model.
        model: ModelId,
    },
    /// A model was loaded and warmed up.
    ModelReady {
        /// The request's id.
        id: u64,
        /// The model.
        model: ModelId,
    },
    /// The request as a whole failed.
    Failed {
        /// The request's id.
        id: u64,
        /// What kind of failure.
        failure: Failure,
    },
    /// The engine's counters.
    Stats {
        /// The request's id.
        id: u64,
        /// The counters.
        stats: Stats,
    },
    /// The job has what was brought, or is over.
    Going {
        /// The request's id.
        id: u64,
        /// How far it is.
        state: JobState,
    },
    /// A word of a running job. Its end follows.
    Progress {
        /// The id of the request to run it.
        id: u64,
        /// How far it is.
        state: JobState,
    },
    /// A job has done what it was for.
    Finished {
        /// The id of the request to run it.
        id: u64,
        /// Its report, JSON.
        report: String,
        /// What its process said besides, line by line; the last few.
        words: Vec<String>,
        /// Bytes of the model that it made; 0 where it made none.
        model_bytes: u64,
    },
    /// A piece of a model file: up to [`PIECE`](crate::PIECE) bytes from the offset asked for.
    Piece {
        /// The request's id.
        id: u64,
        /// The bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// All jobs.
    Jobs {
        /// The request's id.
        id: u64,
        /// One for each.
        jobs: Vec<JobState>,
    },
    /// A match map, or why there is none.
    MatchMap {
        /// The request's id.
        id: u64,
        /// What was drawn.
        drawing: Drawing,
    },
}

impl Reply {
    /// The id of the request that is answered; `None` for what answers none.
    pub fn id(&self) -> Option<u64> {
        match self {
            Self::Hello { .. } | Self::Refused { .. } => None,
            Self::Features { id, .. }
            | Self::NeedModel { id, .. }
            | Self::ModelReady { id, .. }
            | Self::Failed { id, .. }
            | Self::Stats { id, .. }
            | Self::Going { id, .. }
            | Self::Progress { id, .. }
            | Self::Finished { id, .. }
            | Self::Piece { id, .. }
            | Self::Jobs { id, .. }
            | Self::MatchMap { id, .. } => Some(*id),
        }
    }
}

/// An image's features, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The bytes of a feature value, without a varlena header.
    Features(#[serde(with = "serde_bytes")] Vec<u8>),
    /// The image was refused.
    Refused(ImageRefusal),
}

/// Why an image was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageRefusal {
    /// The kind, for the SQLSTATE.
    pub fault: ImageFault,
    /// A sentence with the figures, lower case, no full stop.
    pub message: String,
    /// What can be done about it, in sentences; nothing where the kind says it.
    pub hint: Option<String>,
}

/// The kinds of faults of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImageFault {
    /// Not an image, broken, or of a format that is not read.
    BadImage,
    /// Too many bytes or pixels.
    TooLarge,
    /// The region does not fit the image.
    BadRegion,
}

/// Why a request failed as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Failure {
    /// The queue is full; nothing was done.
    Busy {
        /// Images waiting.
        queued: u64,
        /// The limit.
        limit: u64,
    },
    /// The deadline passed before the model saw the images.
    Late,
    /// The model cannot be used: its tensors do not fit its configuration.
    BadModel(String),
    /// Anything else, out of memory on the device included.
    Engine(String),
    /// A job is refused or has failed.
    Job(JobRefusal),
}

/// The engine's counters since it started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Process id.
    pub pid: u32,
    /// Engine's version.
    pub version: String,
    /// `cpu`, `cuda:0`, …
    pub device: String,
    /// `f32` or `bf16`.
    pub precision: String,
    /// What its process has given up, in words; `off` where it was not to.
    pub fence: String,
    /// Seconds since the engine was ready.
    pub uptime_s: f64,
    /// Connections open now.
    pub connections: u64,
    /// Images waiting or in work now.
    pub queued: u64,
    /// Largest queue so far.
    pub queued_max: u64,
    /// Embed requests answered with features.
    pub requests: u64,
    /// Images embedded.
    pub images: u64,
    /// Batches run.
    pub batches: u64,
    /// Images refused.
    pub refused: u64,
    /// Requests turned away because the queue was full.
    pub busy: u64,
    /// Requests dropped because nobody waited any more.
    pub abandoned: u64,
    /// Milliseconds in decoding, summed over images.
    pub decode_ms: f64,
    /// Milliseconds in the model, summed over batches.
    pub model_ms: f64,
    /// Milliseconds from a request's arrival to its answer, summed over requests.
    pub latency_ms: f64,
    /// The longest of these.
    pub latency_max_ms: f64,
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Models loaded.
    pub models: Vec<ModelId>,
}
