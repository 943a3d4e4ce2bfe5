//! The commands that jobs run, as the program defines them.

/// The commands of the program that this server is a part of: the server checks what it is asked for against them, and
/// knows no more of them.
#[derive(Debug, Clone, Copy)]
pub struct JobCommands {
    /// The options of a training.
    pub train: fn() -> clap::Command,
    /// The options of an evaluation.
    pub evaluate: fn() -> clap::Command,
    /// Refuses, before any image is sent, a command line that the command would refuse: its first complaint.
    pub check: fn(&[String]) -> Result<(), String>,
}
