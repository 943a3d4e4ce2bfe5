//! The commands that the server runs for jobs.

use clap::{Args, Command, Parser};
use grnet_eval::arguments::EvalArgs;
use grnet_serve::jobs::commands::JobCommands;
use grnet_train::arguments::TrainArgs;

use crate::arguments::{self, Cli};

/// `train` and `eval`, as this program defines them.
pub const COMMANDS: JobCommands = JobCommands {
    train: || TrainArgs::augment_args(Command::new("train")),
    evaluate: || EvalArgs::augment_args(Command::new("eval")),
    check,
};

/// Refuses what the command would refuse; its first complaint.
fn check(line: &[String]) -> Result<(), String> {
    let program = std::iter::once("grnet-engine").chain(line.iter().map(String::as_str));
    match Cli::try_parse_from(program).map(|cli| cli.command) {
        Ok(arguments::Command::Train(args)) => args.check().map_err(|error| error.to_string()),
        Ok(arguments::Command::Eval(args)) => args.measure.check().map_err(|error| error.to_string()),
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            Err(text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use grnet_serve::jobs::options::arguments;
    use grnet_wire::JobKind;

    use super::*;

    fn tiny() -> Vec<u8> {
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/tiny/tiny.safetensors")).unwrap()
    }

    #[test]
    fn options_are_those_of_the_command_and_the_shape_is_the_model_s() {
        let given =
            arguments(&COMMANDS, JobKind::Train, r#"{"steps": 5, "held_out": 20, "layers": 1}"#, &tiny()).unwrap();
        for wanted in ["--steps=5", "--held-out=20", "--layers=1", "--grids=1,2", "--channels=8", "--dim=4"] {
            assert!(given.iter().any(|given| given == wanted), "{wanted}: {given:?}");
        }
        assert!(arguments(&COMMANDS, JobKind::Evaluate, r#"{"shortlist": null}"#, b"").unwrap().is_empty());
        assert_eq!(arguments(&COMMANDS, JobKind::Evaluate, r#"{"shortlist": 7}"#, b"").unwrap(), ["--shortlist=7"]);
    }

    #[test]
    fn nothing_that_names_a_place_or_is_the_server_s_can_be_said() {
        for name in ["out", "data", "backbone", "cache", "device", "table", "json", "help", "stepz"] {
            for kind in [JobKind::Train, JobKind::Evaluate] {
                let refusal = arguments(&COMMANDS, kind, &format!(r#"{{"{name}": "x"}}"#), &tiny()).unwrap_err();
                assert!(refusal.message.contains(&format!("\"{name}\" is not known")), "{refusal:?}");
                assert!(refusal.hint.unwrap().contains("model"), "{name}");
            }
        }
        for options in ["[]", "7", "{"] {
            assert!(arguments(&COMMANDS, JobKind::Train, options, &tiny()).is_err(), "{options}");
        }
        assert!(arguments(&COMMANDS, JobKind::Train, r#"{"steps": {"a": 1}}"#, &tiny()).is_err());
    }

    #[test]
    fn a_value_that_the_command_refuses_is_refused_at_once() {
        let line = |more: &str| {
            let line = ["train", "--data=d", "--backbone=b", "--out=o", more];
            check(&line.map(str::to_owned))
        };
        assert_eq!(line("--steps=5"), Ok(()));
        assert!(line("--steps=many").unwrap_err().contains("many"));
        assert!(line("--held-out=90").unwrap_err().contains("1 to 50"));
    }
}
