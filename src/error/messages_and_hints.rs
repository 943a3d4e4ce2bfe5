//! What the server says of each error: SQLSTATE, message, DETAIL, HINT.

use grnet_score::error::ScoreError;
use grnet_wire::{ImageFault, JobFault, JobRefusal};
use pgrx::PgSqlErrorCode as Code;

use super::Error;
use super::notice::sentence;
use crate::pg::report::Report;

impl Error {
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
            Self::Score(e @ ScoreError::Isa(_)) => Report {
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
            Self::Image { refusal, which } => {
                let code = match refusal.fault {
                    ImageFault::BadImage | ImageFault::BadRegion => Code::ERRCODE_DATA_EXCEPTION,
                    ImageFault::TooLarge => Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                };
                let hint = match refusal.fault {
                    ImageFault::BadImage => refusal.hint,
                    ImageFault::TooLarge => Some("Bytes and pixels are limited by grnet.max_image_bytes and grnet.max_image_pixels, what a format takes beyond its pixels by the engine.".into()),
                    ImageFault::BadRegion => Some("A region is given in pixels of the upright image.".into()),
                };
                Report { detail: which.detail(), hint, ..plain(code, refusal.message) }
            }
            Self::ImageBytes { got, limit, which } => Report {
                detail: which.detail(),
                hint: Some("grnet.max_image_bytes is the limit.".into()),
                ..plain(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("image has {got} bytes, the limit is {limit}"))
            },
            Self::PairBytes { got, limit } => Report {
                hint: Some("Images of fewer bytes show the same: a map is 512 pixels high.".into()),
                ..plain(
                    Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    format!("both images together have {got} bytes, the limit is {limit}"),
                )
            },
            Self::TooManyImages { got, limit } => Report {
                hint: Some("Embed them in several calls.".into()),
                ..plain(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("{got} images in one call, the limit is {limit}"))
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
                detail: Some(format!("{queued} images of this session are waiting, grnet.engine_max_queue is {limit}.")),
                hint: Some("Ask for fewer at once, or raise grnet.engine_max_queue. What other sessions ask for does not count.".into()),
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
            Self::Job(JobRefusal { fault, message, detail, hint }) => {
                let code = match fault {
                    JobFault::Option => Code::ERRCODE_INVALID_PARAMETER_VALUE,
                    JobFault::Running => Code::ERRCODE_OBJECT_IN_USE,
                    JobFault::TooLarge => Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                    JobFault::Disk => Code::ERRCODE_IO_ERROR,
                    JobFault::Failed => Code::ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
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
                detail: Some(format!("The value was made by model {got}, the trigger's is {wanted}. The row has no image to make it again from.")),
                hint: Some("Give the image too, or features of the trigger's model.".into()),
                ..plain(Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "features of another model than the trigger's".into())
            },
            Self::NoCommonModel => Report {
                detail: Some("The role or the connection sets grnet.model, and the database does not: sessions would write features of different models.".into()),
                hint: Some("Name it in the trigger, as in grnet_features_trigger('image', 'features', 'model=base'), or use ALTER DATABASE ... SET grnet.model.".into()),
                ..plain(Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "nothing says which model the trigger uses".into())
            },
            Self::NotEmbedded => Report {
                hint: Some("Features are made of an image by grnet_embed: ORDER BY features <-> grnet_embed(image).".into()),
                ..plain(Code::ERRCODE_DATATYPE_MISMATCH, "features cannot be compared with the bytes of an image".into())
            },
            Self::RelativeBox { area, which } => {
                let [left, top, width, height] = area.map(|side| (side * 1000.0).round() / 1000.0);
                Report {
                    detail: which.detail(),
                    hint: Some("A region is given in pixels of the upright image. Shares of it are multiplied by its width and height.".into()),
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
