//! Our half of `bench/score`: reads commands, a line each, and answers each with a line of JSON. bench/score.py drives it,
//! so that its rounds and PyTorch's alternate.
//!
//! | command | answer |
//! |---|---|
//! | `make FOLDER C D L` | writes a model and 512 images' regions from a seed, and loads them |
//! | `logits PRECISION` | `{"logits": [...]}` of the first image against all |
//! | `time FORM PRECISION THREADS SECONDS` | `{"best": .., "median": ..}` pairs a second; FORM is `single` or `batch` |
//! | `peak KIND THREADS SECONDS` | `{"best": ..}` G operations a second; KIND is `f32`, `bf16`, `i16` or `i8` |
//! | `agree MODEL FEATURES [OTHER]` | how many images of `grnet-engine embed`'s lines rank the same first 20 in both precisions; with a second file, by both files' features |

mod agree;
mod data;
mod peak;

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use data::Data;
use grnet_score::scorer::{Precision, Workspace};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

/// Items that are scored between two looks at the clock, and in one call of the form `batch`: a few milliseconds, so that
/// a busy machine leaves some of them undisturbed, as it does PyTorch's batches.
const BATCH: usize = 16;

fn main() -> Result<(), Failure> {
    // `cargo test` and `cargo bench` start it with arguments of their own.
    if !std::env::args().any(|argument| argument == "--serve") {
        println!("run bench/score");
        return Ok(());
    }
    let mut data = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = answer(&words, &mut data).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn answer(words: &[&str], data: &mut Option<Data>) -> Result<Value, Failure> {
    match *words {
        ["make", folder, c, d, l] => {
            let made = Data::make(folder.as_ref(), c.parse()?, d.parse()?, l.parse()?)?;
            let path = made.scorer.path().name();
            *data = Some(made);
            Ok(json!({ "path": path }))
        }
        ["logits", precision] => {
            let data = data.as_ref().ok_or("nothing was made")?;
            let mut logits = vec![0.0; data.items.len()];
            data.query(precision_of(precision)?).score(&data.parsed(), &mut logits, &mut Workspace::default())?;
            Ok(json!({ "logits": logits }))
        }
        ["time", form, precision, threads, seconds] => {
            let data = data.as_ref().ok_or("nothing was made")?;
            let batch = match form {
                "single" => 1,
                "batch" => BATCH,
                _ => return Err(format!("{form} is neither single nor batch").into()),
            };
            time(data, batch, precision_of(precision)?, threads.parse()?, Duration::from_secs_f64(seconds.parse()?))
        }
        ["peak", kind, threads, seconds] => {
            let best = peak::peak(kind, threads.parse()?, Duration::from_secs_f64(seconds.parse()?))?;
            Ok(json!({ "best": best }))
        }
        ["agree", model, features] => agree::agree(model.as_ref(), features.as_ref(), None),
        ["agree", model, features, other] => agree::agree(model.as_ref(), features.as_ref(), Some(other.as_ref())),
        _ => Err(format!("unknown command {words:?}").into()),
    }
}

fn precision_of(name: &str) -> Result<Precision, Failure> {
    match name {
        "f32" => Ok(Precision::F32),
        "i16" => Ok(Precision::I16),
        _ => Err(format!("{name} is neither f32 nor i16").into()),
    }
}

/// Pairs a second, each thread with a workspace and items of its own. Every sample has other items, from stored values.
fn time(data: &Data, batch: usize, precision: Precision, threads: usize, long: Duration) -> Result<Value, Failure> {
    let rounds = |thread: usize| -> Result<Vec<f64>, String> {
        let (query, mut workspace) = (data.query(precision), Workspace::default());
        let parsed = data.parsed();
        let mut logits = [0.0; BATCH];
        let (mut rates, begin) = (Vec::new(), Instant::now());
        let samples = parsed.chunks_exact(BATCH).cycle().skip(thread * 7);
        for items in samples.take_while(|_| begin.elapsed() < long) {
            let start = Instant::now();
            for (items, logits) in items.chunks(batch).zip(logits.chunks_mut(batch)) {
                query.score(items, logits, &mut workspace).map_err(|error| error.to_string())?;
            }
            rates.push(BATCH as f64 / start.elapsed().as_secs_f64());
        }
        rates.sort_by(f64::total_cmp);
        Ok(rates)
    };
    let rounds = &rounds;
    let all: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || rounds(thread))).collect();
        let join =
            |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|_| Err("a panic".into()));
        threads.into_iter().map(join).collect::<Result<_, String>>()
    })?;
    // Threads share nothing, so their rates add.
    let best: f64 = all.iter().map(|rates| rates[rates.len() - 1]).sum();
    let median: f64 = all.iter().map(|rates| rates[rates.len() / 2]).sum();
    Ok(json!({ "best": best, "median": median }))
}
