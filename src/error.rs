//! What can go wrong, with the figures, and how the server reports it: SQLSTATE, message, DETAIL, HINT.

use grnet_core::error::{FeatureError, ModelError, ScoreError};
use grnet_core::model::ModelId;
use grnet_wire::{PhotoFault, PhotoRefusal, Side, StudyFault, StudyRefusal};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode as Code, function_name};

use crate::ffi::report::{self, Report};

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
    /// A photo was refused.
    Photo { refusal: PhotoRefusal, which: Which },
    /// A photo larger than the limit, seen before it was sent.
    PhotoBytes { got: usize, limit: usize, which: Which },
    /// Two photos, each within the limit, that do not fit into one request.
    PairBytes { got: usize, limit: usize },
    /// Too many photos in one call.
    TooManyPhotos { got: usize, limit: usize },
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
    Study(StudyRefusal),
    /// A query whose columns or rows are not those of photos.
    Query { code: Code, message: String, hint: &'static str },
    /// A table of models that the user may not write to.
    NoRight { table: &'static str },
    /// The trigger function was not called as a trigger, or its arguments are wrong.
    Trigger { message: String, hint: &'static str },
    /// The trigger's column is generated.
    Generated { table: String, column: String },
    /// Features without a photo, of another model than the trigger's.
    OtherModel { got: ModelId, wanted: ModelId },
    /// A trigger names no model, and what would say one differs between sessions.
    NoCommonModel,
    /// A photo beside features.
    NotEmbedded,
    /// A box that seems to be in shares of the photo.
    RelativeBox { area: [f64; 4], which: Which },
    /// A model that is used, and where.
    ModelInUse { name: String, uses: Vec<String> },
}

/// Which photo of a call.
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
            Self::Of(number) => Some(format!("It is photo {number} of the array.")),
            Self::Side(side) => Some(format!("It is the {side}'s photo.")),
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

    /// What the server says of it.
    pub fn report(self) -> Report {
        let plain = |code, message: String| Report { code, message, detail: None, hint: None };
        match self {
            Self::Feature(e) => plain(Code::ERRCODE_INVALID_BINARY_REPRESENTATION, e.to_string()),
            Self::FeatureText(e) => plain(Code::ERRCODE_INVALID_TEXT_REPRESENTATION, e.to_string()),
            Self::Model(e) => Report {
                detail: Some(sentence(&e.to_string())),
                hint: Some("A model is a safetensors file written by grnet-engine train or import.".into()),
                ..plain(Code::ERRCODE_INVALID_PARAMETER_VALUE, "model file is not acceptable".into())
            },
            Self::UnfitModel(reason) => Report {
                detail: Some(sentence(&reason)),
                hint: Some("A model is a safetensors file written by grnet-engine train or import.".into()),
                ..plain(Code::ERRCODE_INVALID_PARAMETER_VALUE, "model file is not acceptable".into())
            },
            Self::Score(e @ ScoreError::Shape { .. }) => plain(Code::ERRCODE_INVALID_BINARY_REPRESENTATION, e.to_string()),
            Self::Score(e @ ScoreError::Kernel { .. }) => Report {
                hint: Some("Start the server without the environment variable GRNET_KERNEL.".into()),
                ..plain(Code::ERRCODE_INVALID_PARAMETER_VALUE, e.to_string())
            },
            Self::Score(ScoreError::Memory { bytes }) => Self::NoMemory { bytes }.report(),
            Self::DifferentModels(left, right) => Report {
                detail: Some(format!("The left value was made by model {left}, the right one by {right}.")),
                hint: Some("Make both with one model: UPDATE ... SET features = NULL lets the trigger compute them again.".into()),
                ..plain(Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "features of different models cannot be compared".into())
            },
            Self::UnknownModelId(id) => Report {
                hint: Some("Register it with grnet_register_model, or install one that ships with grnet_install_model. grnet.model lists what is there.".into()),
                ..plain(Code::ERRCODE_UNDEFINED_OBJECT, format!("model {id} is not in this database"))
            },
            Self::UnknownModel(name) => Report {
                hint: Some(match name.as_str() {
                    "base" | "tiny" => format!("Run: SELECT grnet_install_model('{name}');"),
                    _ if is_box(&name) => format!("A bare literal is taken for a model's name; a box says that it is one: box '{name}'."),
                    _ => "grnet.model lists what is there; grnet.model (the setting) names the default.".into(),
                }),
                ..plain(Code::ERRCODE_UNDEFINED_OBJECT, format!("model \"{name}\" is not in this database"))
            },
            Self::NameTaken(name) => Report {
                hint: Some("A model never changes: choose another name, or drop that one with grnet_drop_model.".into()),
                ..plain(Code::ERRCODE_DUPLICATE_OBJECT, format!("model \"{name}\" is in this database already"))
            },
            Self::FileTaken { id, name } => Report {
                hint: Some(format!("Use it by that name, or drop it first: SELECT grnet_drop_model('{name}');")),
                ..plain(
                    Code::ERRCODE_DUPLICATE_OBJECT,
                    format!("model {id} is in this database already, as \"{name}\""),
                )
            },
            Self::NotOurs { table, reason } => Report {
                detail: Some(reason),
                hint: Some("Remove what stands in its place; CREATE EXTENSION grnet_pg alone makes it.".into()),
                ..plain(
                    Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                    format!("grnet.{table} is not the table that the extension made"),
                )
            },
            Self::Versions { declared, given, version } => Report {
                detail: Some(format!("The SQL declares {declared} columns for the function, the library gives {given}.")),
                hint: Some("ALTER EXTENSION grnet_pg UPDATE; where the library is the older one, install the other and reconnect.".into()),
                ..plain(
                    Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                    format!("the SQL of grnet_pg {version} and its library {} do not belong together", env!("CARGO_PKG_VERSION")),
                )
            },
            Self::NotShipped { name, detail } => Report {
                detail,
                hint: Some("Models that ship are base and tiny; make install puts them there. Others come in through grnet_register_model.".into()),
                ..plain(Code::ERRCODE_UNDEFINED_FILE, format!("no model \"{name}\" ships with this installation"))
            },
            Self::BadModelName(name) => Report {
                detail: Some("A name has 1 to 63 letters (a to z), digits, - and _.".into()),
                ..plain(Code::ERRCODE_INVALID_NAME, format!("\"{name}\" cannot be a model's name"))
            },
            Self::TorchScript => Report {
                detail: Some("A TorchScript backbone is a program that the engine runs.".into()),
                ..plain(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, "only a superuser can register a TorchScript backbone".into())
            },
            Self::Photo { refusal, which } => {
                let code = match refusal.fault {
                    PhotoFault::BadImage | PhotoFault::BadRegion => Code::ERRCODE_DATA_EXCEPTION,
                    PhotoFault::TooLarge => Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                };
                let hint = match refusal.fault {
                    PhotoFault::BadImage => refusal.hint,
                    PhotoFault::TooLarge => Some("Bytes and pixels are limited by grnet.max_image_bytes and grnet.max_image_pixels, what a format takes beyond its pixels by the engine.".into()),
                    PhotoFault::BadRegion => Some("A region is given in pixels of the upright photo.".into()),
                };
                Report { detail: which.detail(), hint, ..plain(code, refusal.message) }
            }
            Self::PhotoBytes { got, limit, which } => Report {
                detail: which.detail(),
                hint: Some("grnet.max_image_bytes is the limit.".into()),
                ..plain(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("photo has {got} bytes, the limit is {limit}"))
            },
            Self::PairBytes { got, limit } => Report {
                hint: Some("Photos of fewer bytes show the same: a map is 512 pixels high.".into()),
                ..plain(
                    Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    format!("both photos together have {got} bytes, the limit is {limit}"),
                )
            },
            Self::TooManyPhotos { got, limit } => Report {
                hint: Some("Embed them in several calls.".into()),
                ..plain(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("{got} photos in one call, the limit is {limit}"))
            },
            Self::NoMemory { bytes } => Report {
                detail: Some(format!("Failed on request of size {bytes}.")),
                ..plain(Code::ERRCODE_OUT_OF_MEMORY, "out of memory".into())
            },
            Self::Argument(message) => plain(Code::ERRCODE_INVALID_PARAMETER_VALUE, message),
            Self::EngineDown { reason } => Report {
                detail: Some(reason),
                hint: Some("Scores, dumps and restores work without the engine. The server's log and grnet.stat_engine say more.".into()),
                ..plain(Code::ERRCODE_CONNECTION_FAILURE, "the grnet engine is not available".into())
            },
            Self::EngineGone(reason) => Report {
                detail: Some(reason),
                hint: Some("It is started again by itself: repeat the command.".into()),
                ..plain(Code::ERRCODE_CONNECTION_FAILURE, "the grnet engine went away during the request".into())
            },
            Self::Protocol(reason) => Report {
                detail: Some(reason),
                hint: Some("After an upgrade, restart the engine: SELECT pg_reload_conf() does not, ending its process does.".into()),
                ..plain(Code::ERRCODE_PROTOCOL_VIOLATION, "the grnet engine and this library do not understand each other".into())
            },
            Self::Busy { queued, limit } => Report {
                detail: Some(format!("{queued} photos of this session are waiting, grnet.max_queue is {limit}.")),
                hint: Some("Ask for fewer at once, or raise grnet.max_queue. What other sessions ask for does not count.".into()),
                ..plain(Code::ERRCODE_INSUFFICIENT_RESOURCES, "this session asks the grnet engine for too much at once".into())
            },
            Self::Late { milliseconds } => Report {
                hint: Some("grnet.embed_timeout is the limit; grnet.stat_engine shows what the engine does.".into()),
                ..plain(Code::ERRCODE_QUERY_CANCELED, format!("the grnet engine did not answer within {milliseconds} ms"))
            },
            Self::Engine(reason) => Report {
                detail: Some(reason),
                ..plain(Code::ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "the grnet engine could not do it".into())
            },
            Self::Study(StudyRefusal { fault, message, detail, hint }) => {
                let code = match fault {
                    StudyFault::Option => Code::ERRCODE_INVALID_PARAMETER_VALUE,
                    StudyFault::Running => Code::ERRCODE_OBJECT_IN_USE,
                    StudyFault::TooLarge => Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    StudyFault::Disk => Code::ERRCODE_IO_ERROR,
                    StudyFault::Failed => Code::ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
                };
                Report { code, message, detail, hint }
            }
            Self::Query { code, message, hint } => Report { hint: Some(hint.into()), ..plain(code, message) },
            Self::NoRight { table } => Report {
                detail: Some("A trained model is stored with the rights of who trains it.".into()),
                hint: Some(format!("GRANT INSERT ON grnet.{table} lets it be stored.")),
                ..plain(Code::ERRCODE_INSUFFICIENT_PRIVILEGE, format!("permission denied for table {table}"))
            },
            Self::Trigger { message, hint } => Report {
                hint: Some(hint.into()),
                ..plain(Code::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, message)
            },
            Self::Generated { table, column } => Report {
                detail: Some("The server computes generated columns after BEFORE triggers have run.".into()),
                hint: Some("Let the trigger use a plain column, filled by the application or by a trigger whose name sorts before this one's.".into()),
                ..plain(
                    Code::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                    format!("column \"{column}\" of table \"{table}\" is generated, a trigger can neither read nor set it"),
                )
            },
            Self::OtherModel { got, wanted } => Report {
                detail: Some(format!("The value was made by model {got}, the trigger's is {wanted}. The row has no photo to make it again from.")),
                hint: Some("Give the photo too, or features of the trigger's model.".into()),
                ..plain(Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "features of another model than the trigger's".into())
            },
            Self::NoCommonModel => Report {
                detail: Some("The role or the connection sets grnet.model, and the database does not: sessions would write features of different models.".into()),
                hint: Some("Name it in the trigger, as in grnet_features_trigger('image', 'features', 'model=base'), or use ALTER DATABASE ... SET grnet.model.".into()),
                ..plain(Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "nothing says which model the trigger uses".into())
            },
            Self::NotEmbedded => Report {
                hint: Some("Features are made of a photo by grnet_embed: ORDER BY features <-> grnet_embed(photo).".into()),
                ..plain(Code::ERRCODE_DATATYPE_MISMATCH, "features cannot be compared with the bytes of a photo".into())
            },
            Self::RelativeBox { area, which } => {
                let [left, top, width, height] = area.map(|side| (side * 1000.0).round() / 1000.0);
                Report {
                    detail: which.detail(),
                    hint: Some("A region is given in pixels of the upright photo. Shares of it are multiplied by its width and height.".into()),
                    ..plain(
                        Code::ERRCODE_DATA_EXCEPTION,
                        format!("region (left {left}, top {top}, width {width}, height {height}) lies within one pixel"),
                    )
                }
            }
            Self::ModelInUse { name, uses } => Report {
                detail: Some(uses.join("\n")),
                hint: Some(format!("Features of it could no longer be scored. Make them again with another model first, or: SELECT grnet_drop_model('{name}', force => true);")),
                ..plain(
                    Code::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
                    format!("cannot drop model \"{name}\" because it is in use"),
                )
            },
        }
    }
}

/// Whether a text is a box as the server reads them: nothing but numbers, commas and parentheses.
fn is_box(text: &str) -> bool {
    let numbers =
        text.split(',').map(|part| part.trim_matches(|letter: char| letter.is_whitespace() || "()".contains(letter)));
    numbers.clone().count() == 4 && numbers.into_iter().all(|number| number.parse::<f64>().is_ok())
}

/// Tells the user something that is no error: of a command that goes on.
pub fn tell(level: PgLogLevel, message: String, detail: Option<String>) {
    let code = match level {
        PgLogLevel::WARNING => Code::ERRCODE_WARNING,
        _ => Code::ERRCODE_SUCCESSFUL_COMPLETION,
    };
    report::tell(level, Report { code, message, detail, hint: None });
}

/// The same with a HINT.
pub fn warn(level: PgLogLevel, message: String, detail: &str, hint: &str) {
    let code = match level {
        PgLogLevel::WARNING => Code::ERRCODE_WARNING,
        _ => Code::ERRCODE_SUCCESSFUL_COMPLETION,
    };
    report::tell(level, Report { code, message, detail: Some(detail.to_owned()), hint: Some(hint.to_owned()) });
}

/// A message as a sentence, for DETAIL.
pub fn sentence(text: &str) -> String {
    let mut out: String = text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect();
    if !out.ends_with('.') {
        out.push('.');
    }
    out
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
