//! Options from SQL as a command line.
//!
//! The command's own options are the list of what is known, so that the two never differ. What names a place on the
//! server's disk cannot be said in SQL, nor what is the server's to choose.

use std::any::TypeId;
use std::path::PathBuf;

use clap::{Arg, ArgAction};
use grnet_features::config::ModelConfig;
use grnet_features::model_file::ModelFile;
use grnet_wire::{JobFault, JobKind, JobRefusal};
use serde_json::{Map, Value};

use crate::jobs::commands::JobCommands;
use crate::jobs::refusal::refusal;

/// Options that are the server's.
const RESERVED: [&str; 3] = ["device", "json", "help"];

/// The arguments that a JSON object stands for. A training keeps the shape of the model that it starts from unless told
/// otherwise.
///
/// # Errors
/// It is no object, an option is not known, or it cannot be said in SQL.
pub fn arguments(
    commands: &JobCommands,
    kind: JobKind,
    options: &str,
    model: &[u8],
) -> Result<Vec<String>, JobRefusal> {
    let refuse = |message| refusal(JobFault::Option, message);
    let command = match kind {
        JobKind::Train => (commands.train)(),
        JobKind::Evaluate => (commands.evaluate)(),
    };
    let known: Vec<(String, &Arg)> = command.get_arguments().filter_map(|arg| Some((key(arg)?, arg))).collect();
    let mut values: Map<String, Value> =
        serde_json::from_str(options).map_err(|_| refuse("options must be a JSON object".to_owned()))?;
    if kind == JobKind::Train {
        let file = ModelFile::parse(model).map_err(|error| refuse(error.to_string()))?;
        for (name, value) in shape(&file.config) {
            if known.iter().any(|(known, _)| known == name) {
                values.entry(name).or_insert(value);
            }
        }
    }
    let mut arguments = Vec::new();
    for (name, value) in values {
        let Some((_, arg)) = known.iter().find(|(known, _)| *known == name) else {
            let mut names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).chain(["model"]).collect();
            names.sort_unstable();
            let hint = Some(format!("Known are {}.", names.join(", ")));
            return Err(JobRefusal { hint, ..refuse(format!("option \"{name}\" is not known")) });
        };
        let long = name.replace('_', "-");
        match text(&value) {
            _ if value.is_null() => {}
            _ if matches!(arg.get_action(), ArgAction::SetTrue) => match value {
                Value::Bool(true) => arguments.push(format!("--{long}")),
                Value::Bool(false) => {}
                other => return Err(refuse(format!("option \"{name}\" is {other}, allowed are true and false"))),
            },
            // Joined: a value that begins with a hyphen is a value.
            Some(text) => arguments.push(format!("--{long}={text}")),
            None => return Err(refuse(format!("option \"{name}\" is {value}, allowed is a number, a text or a list"))),
        }
    }
    Ok(arguments)
}

/// An option's name in SQL; `None` for what cannot be said there.
fn key(arg: &Arg) -> Option<String> {
    let long = arg.get_long().filter(|long| !RESERVED.contains(long))?;
    let path = arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    (!path && !arg.is_hide_set()).then(|| long.replace('-', "_"))
}

/// The shape of a model, as options of a training.
fn shape(config: &ModelConfig) -> [(&'static str, Value); 4] {
    [
        ("grids", config.pyramid.grids.clone().into()),
        ("channels", config.channels.into()),
        ("dim", config.graph.dim.into()),
        ("layers", config.graph.layers.into()),
    ]
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Array(values) => Some(values.iter().map(text).collect::<Option<Vec<_>>>()?.join(",")),
        Value::Null | Value::Object(_) => None,
    }
}
