//! What can go wrong, with the figures. How the server reports it is in [`messages_and_hints`].

mod messages_and_hints;
mod notice;

use grnet_features::error::{FeatureError, ModelError};
use grnet_features::model_file::ModelId;
use grnet_score::error::ScoreError;
use grnet_wire::{ImageRefusal, JobRefusal, Side};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode as Code, function_name};

use crate::pg::report::{self, Report};

pub use notice::{sentence, tell, warn};

/// An error of the extension.
#[derive(Debug)]
pub enum Error {
    /// A value of type grnet_features is corrupt.
    Feature(FeatureError),
    /// The text form of a value is not one.
    FeatureText(FeatureError),
    /// A model file is not acceptable.
    Model(ModelError),
    /// A model file whose backbone the engine cannot use.
    UnfitModel(String),
    /// A value's shape is not its model's.
    Score(ScoreError),
    /// Two values of different models.
    DifferentModels(ModelId, ModelId),
    /// A value's model is not in this database.
    UnknownModelId(ModelId),
    /// A name that no model has.
    UnknownModel(String),
    /// A name that is taken.
    NameTaken(String),
    /// A file that is registered already, under this name.
    FileTaken { id: ModelId, name: String },
    /// What has the name of a table of the extension's is not that table.
    NotOurs { table: String, reason: String },
    /// The SQL declares another number of columns than the library gives; its version.
    Versions { declared: usize, given: usize, version: String },
    /// No model of that name ships with the extension.
    NotShipped { name: String, detail: Option<String> },
    /// A name that cannot be one.
    BadModelName(String),
    /// A TorchScript backbone from someone who is no superuser.
    TorchScript,
    /// An image was refused.
    Image { refusal: ImageRefusal, which: Which },
    /// An image larger than the limit, seen before it was sent.
    ImageBytes { got: usize, limit: usize, which: Which },
    /// Two images, each within the limit, that do not fit into one request.
    PairBytes { got: usize, limit: usize },
    /// Too many images in one call.
    TooManyImages { got: usize, limit: usize },
    /// The system has no memory for a copy of what may be large.
    NoMemory { bytes: usize },
    /// An argument outside its range.
    Argument(String),
    /// The engine is not there.
    EngineDown { reason: String },
    /// The engine went away in mid-request.
    EngineGone(String),
    /// The engine answered something it must not.
    Protocol(String),
    /// The engine's queue is full.
    Busy { queued: u64, limit: u64 },
    /// The wait is over.
    Late { milliseconds: u64 },
    /// The engine could not do it.
    Engine(String),
    /// A training or an evaluation was refused, or failed.
    Job(JobRefusal),
    /// A query whose columns or rows are not those of images.
    Query { code: Code, message: String, hint: &'static str },
    /// A table of models that the user may not write to.
    NoRight { table: &'static str },
    /// The trigger function was not called as a trigger, or its arguments are wrong.
    Trigger { message: String, hint: &'static str },
    /// The trigger's column is generated.
    Generated { table: String, column: String },
    /// Features without an image, of another model than the trigger's.
    OtherModel { got: ModelId, wanted: ModelId },
    /// A trigger names no model, and what would say one differs between sessions.
    NoCommonModel,
    /// An image beside features.
    NotEmbedded,
    /// A box that seems to be in shares of the image.
    RelativeBox { area: [f64; 4], which: Which },
    /// A model that is used, and where.
    ModelInUse { name: String, uses: Vec<String> },
}

/// Which image of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The only one.
    Only,
    /// That with this number in an array, counted from 1.
    Of(usize),
    /// One of a pair.
    Side(Side),
}

impl Which {
    /// What DETAIL says.
    fn detail(self) -> Option<String> {
        match self {
            Self::Only => None,
            Self::Of(number) => Some(format!("It is image {number} of the array.")),
            Self::Side(side) => Some(format!("It is the {side}'s image.")),
        }
    }
}

impl Error {
    /// Raises the error from where the server has not called a function of SQL: from a node of a plan. Never returns.
    pub fn raise(self) -> ! {
        let Report { code, message, detail, hint } = self.report();
        let mut report = ErrorReport::new(code, message, function_name!());
        if let Some(detail) = detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = hint {
            report = report.set_hint(hint);
        }
        report.report(PgLogLevel::ERROR);
        unreachable!("an ERROR does not return")
    }

    /// Tells the user without ending the command: what could not be done, and why.
    pub fn notice(self, what: &str) {
        let Report { code, message, detail, .. } = self.report();
        let detail = sentence(&detail.map_or_else(|| message.clone(), |detail| format!("{message}: {detail}")));
        report::tell(PgLogLevel::NOTICE, Report { code, message: what.to_owned(), detail: Some(detail), hint: None });
    }
}

impl From<FeatureError> for Error {
    fn from(e: FeatureError) -> Self {
        Self::Feature(e)
    }
}

impl From<ModelError> for Error {
    fn from(e: ModelError) -> Self {
        Self::Model(e)
    }
}

impl From<ScoreError> for Error {
    fn from(e: ScoreError) -> Self {
        Self::Score(e)
    }
}
