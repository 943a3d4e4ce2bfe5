//! Options from SQL as a command line.
//!
//! The command's own options are the list of what is known, so that the two never differ. What names a place on the
//! server's disk cannot be said in SQL, nor what is the server's to choose.

use std::any::TypeId;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Command, Parser};
use grnet_core::config::ModelConfig;
use grnet_core::model::ModelFile;
use grnet_wire::{StudyFault, StudyKind, StudyRefusal};
use serde_json::{Map, Value};

use super::refusal;
use crate::cli::{self, Cli};
use crate::evaluate::EvalArgs;
use crate::train::TrainArgs;

/// Options that are the server's.
const RESERVED: [&str; 3] = ["device", "json", "help"];

/// The arguments that a JSON object stands for. A training keeps the shape of the model that it starts from unless told
/// otherwise.
///
/// # Errors
/// It is no object, an option is not known, or it cannot be said in SQL.
pub fn arguments(kind: StudyKind, options: &str, model: &[u8]) -> Result<Vec<String>, StudyRefusal> {
    let refuse = |message| refusal(StudyFault::Option, message);
    let command = match kind {
        StudyKind::Train => TrainArgs::augment_args(Command::new("train")),
        StudyKind::Evaluate => EvalArgs::augment_args(Command::new("eval")),
    };
    let known: Vec<(String, &Arg)> = command.get_arguments().filter_map(|arg| Some((key(arg)?, arg))).collect();
    let mut values: Map<String, Value> =
        serde_json::from_str(options).map_err(|_| refuse("options must be a JSON object".to_owned()))?;
    if kind == StudyKind::Train {
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
            return Err(StudyRefusal { hint, ..refuse(format!("option \"{name}\" is not known")) });
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

/// Refuses, before any photo is sent, what the command would refuse.
///
/// # Errors
/// The first of its complaints.
pub fn check(line: &[String]) -> Result<(), StudyRefusal> {
    let refuse = |message: String| refusal(StudyFault::Option, message);
    let program = std::iter::once("grnet-engine").chain(line.iter().map(String::as_str));
    match Cli::try_parse_from(program).map(|cli| cli.command) {
        Ok(cli::Command::Train(args)) => args.check().map_err(|error| refuse(error.to_string())),
        Ok(cli::Command::Eval(args)) => args.measure.check().map_err(|error| refuse(error.to_string())),
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Err(refuse(first.to_owned()))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Vec<u8> {
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/tiny/tiny.safetensors")).unwrap()
    }

    #[test]
    fn options_are_those_of_the_command_and_the_shape_is_the_model_s() {
        let given = arguments(StudyKind::Train, r#"{"steps": 5, "held_out": 20, "layers": 1}"#, &tiny()).unwrap();
        for wanted in ["--steps=5", "--held-out=20", "--layers=1", "--grids=1,2", "--channels=8", "--dim=4"] {
            assert!(given.iter().any(|given| given == wanted), "{wanted}: {given:?}");
        }
        assert!(arguments(StudyKind::Evaluate, r#"{"shortlist": null}"#, b"").unwrap().is_empty());
        assert_eq!(arguments(StudyKind::Evaluate, r#"{"shortlist": 7}"#, b"").unwrap(), ["--shortlist=7"]);
    }

    #[test]
    fn nothing_that_names_a_place_or_is_the_server_s_can_be_said() {
        for name in ["out", "data", "backbone", "cache", "device", "table", "json", "help", "stepz"] {
            for kind in [StudyKind::Train, StudyKind::Evaluate] {
                let refusal = arguments(kind, &format!(r#"{{"{name}": "x"}}"#), &tiny()).unwrap_err();
                assert!(refusal.message.contains(&format!("\"{name}\" is not known")), "{refusal:?}");
                assert!(refusal.hint.unwrap().contains("model"), "{name}");
            }
        }
        for options in ["[]", "7", "{"] {
            assert!(arguments(StudyKind::Train, options, &tiny()).is_err(), "{options}");
        }
        assert!(arguments(StudyKind::Train, r#"{"steps": {"a": 1}}"#, &tiny()).is_err());
    }

    #[test]
    fn a_value_that_the_command_refuses_is_refused_at_once() {
        let line = |more: &str| {
            let line = ["train", "--data=d", "--backbone=b", "--out=o", more];
            check(&line.map(str::to_owned)).map_err(|refusal| refusal.message)
        };
        assert_eq!(line("--steps=5"), Ok(()));
        assert!(line("--steps=many").unwrap_err().contains("many"));
        assert!(line("--held-out=90").unwrap_err().contains("1 to 50"));
    }
}
