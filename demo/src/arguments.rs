//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Same-garment search from end to end: a catalogue, consumer photos, the ranked answer.
#[derive(Debug, Parser)]
#[command(name = "grnet-demo", version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    /// Something other than the demo.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Server and results of the demo; not there beside a subcommand.
    #[command(flatten)]
    pub place: Option<Place>,
    /// What the demo searches.
    #[command(flatten)]
    pub run: Run,
}

/// What else can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge the model on real photos with known identities (for developers of grnet_pg).
    Evaluate(Evaluate),
}

/// Where the server is and where the results go.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The pg_config of a PostgreSQL that grnet_pg is installed in.
    #[arg(long, value_name = "PROGRAM")]
    pub pg_config: PathBuf,
    /// The folder of the throwaway cluster; made if it is not there, left running.
    #[arg(long)]
    pub dir: PathBuf,
    /// The folder for contact-sheet.png and index.html.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Connections that insert photos at the same time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub connections: u16,
    /// Queries on the contact sheet and the page.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub shown: u16,
}

/// Options of the demo.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Your own photos: folders in it are garments (the last photo of each is the query), or every photo in it is one.
    #[arg(long, value_name = "DIR")]
    pub photos: Option<PathBuf>,
    /// Garments in the rendered catalogue.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with = "photos")]
    pub items: u32,
    /// Consumer photos that are searched for; at most as many as there are garments.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "photos")]
    pub queries: u32,
    /// Pixels of a rendered photo's longer side.
    #[arg(long, default_value_t = 384, value_parser = clap::value_parser!(u32).range(64..=2048), conflicts_with = "photos")]
    pub size: u32,
    /// Seed of the rendered catalogue.
    #[arg(long, default_value_t = 2022, conflicts_with = "photos")]
    pub seed: u32,
}

/// Options of the judgement on real photos.
#[derive(Debug, Clone, Args)]
pub struct Evaluate {
    /// Server and results.
    #[command(flatten)]
    pub place: Place,
    /// A CSV file with the columns file, style and view (main: gallery; back and detail: queries).
    #[arg(long, value_name = "FILE")]
    pub gallery_csv: PathBuf,
    /// The folder of the files that the CSV file names.
    #[arg(long, value_name = "DIR")]
    pub photos: PathBuf,
    /// A folder of photos that belong to no query; may be given several times.
    #[arg(long, value_name = "DIR")]
    pub distractors: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn without_a_subcommand_it_is_the_demo() {
        let given = ["grnet-demo", "--pg-config", "p", "--dir", "d", "--out", "o"];
        let arguments = Arguments::try_parse_from(given).unwrap();
        assert!(arguments.command.is_none() && arguments.place.is_some());
        assert_eq!(arguments.run.items, 240);
        assert!(Arguments::try_parse_from(["grnet-demo"]).is_err());
    }

    #[test]
    fn evaluation_needs_its_own_options_only() {
        let given = "grnet-demo evaluate --pg-config p --dir d --out o --gallery-csv c --photos f";
        let arguments = Arguments::try_parse_from(given.split(' ')).unwrap();
        assert!(matches!(arguments.command, Some(Command::Evaluate(_))));
    }
}
