//! What can be said on the command line.

use std::path::PathBuf;

const USAGE: &str = "bench/scale [--quick] [--sizes 1000,10000,100000] [--images FOLDER] [--queries 40] [--out FOLDER]
  --quick    1,000 and 5,000 items, few queries: two minutes
  --images   a folder with JPEG files, also in folders below it; without it, drawn garments
  --out      where scale.svg and scale.csv go (target/bench)";

/// What is measured.
#[derive(Debug)]
pub struct Options {
    /// Numbers of items, growing.
    pub sizes: Vec<usize>,
    /// Where images lie; drawn garments without it.
    pub images: Option<PathBuf>,
    /// Queries of one client.
    pub queries: usize,
    /// How long several clients ask.
    pub seconds: f64,
    /// Where the results go.
    pub out: PathBuf,
}

impl Options {
    /// Reads the program's arguments.
    ///
    /// # Errors
    /// The usage, or a sentence that says what is wrong.
    pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            sizes: vec![1_000, 10_000, 100_000],
            images: None,
            queries: 40,
            seconds: 8.0,
            out: PathBuf::from("target/bench"),
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                // Cargo says this to every benchmark.
                "--bench" => {}
                "--quick" => {
                    options.sizes = vec![1_000, 5_000];
                    (options.queries, options.seconds) = (12, 2.0);
                }
                "--sizes" => {
                    let numbers: Result<Vec<usize>, _> = value()?.split(',').map(str::parse).collect();
                    options.sizes = numbers.map_err(|error| format!("--sizes: {error}\n{USAGE}"))?;
                }
                "--images" => options.images = Some(value()?.into()),
                "--queries" => {
                    options.queries = value()?.parse().map_err(|error| format!("--queries: {error}\n{USAGE}"))?;
                }
                "--out" => options.out = value()?.into(),
                _ => return Err(USAGE.to_owned()),
            }
        }
        if !options.sizes.is_sorted_by(|a, b| a < b) || options.sizes.first().is_none_or(|size| *size < 100) {
            return Err(format!("--sizes: growing numbers from 100 on\n{USAGE}"));
        }
        if !(1..=100).contains(&options.queries) {
            return Err(format!("--queries: 1 to 100\n{USAGE}"));
        }
        Ok(options)
    }
}
