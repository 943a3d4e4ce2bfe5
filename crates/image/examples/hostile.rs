//! Runs every file of a folder through `prepare` and compares the outcome with the folder's manifest.csv
//! (`file,bytes,expect,why`, where expect is `ok`, `error` or `ok-or-error`). Each file has a process of its own (Linux),
//! is prepared twice there and must give the same both times. Prints file, expectation, milliseconds, by how many KiB
//! resident memory grew, how many [`grnet_image::Plan::memory`] promised, and the outcome; exits with 1 at any
//! disagreement.
//!
//! `cargo run --release -p grnet-image --example hostile -- DIR`

use grnet_image::{Fit, Limits, plan, prepare};
use std::io::Result;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

#[path = "../tests/common/peak.rs"]
mod peak;

/// What a file may take that is refused ahead of its pixels, in bytes.
const REFUSED_MEMORY: u64 = 2 << 20;
/// No file may take longer than this, in seconds.
const MOST_SECONDS: f64 = 5.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match &arguments[..] {
        [folder] => run(Path::new(folder)),
        [_, file] => one(Path::new(file)),
        _ => {
            eprintln!("usage: hostile DIR (with a manifest.csv in it)");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            eprintln!("{}: {e}", arguments.join(" "));
            ExitCode::from(2)
        }
    }
}

/// Prepares one file. Prints its figures and whether it was decoded, and ends with 1 where they are not as they must be.
fn one(file: &Path) -> Result<bool> {
    let bytes = std::fs::read(file)?;
    let once = || prepare(&bytes, None, Fit::Letterbox, 224, &Limits::default());
    let promised = plan(&bytes, None, Fit::Letterbox, 224, &Limits::default());
    let promised = promised.map_or(REFUSED_MEMORY, |plan| plan.memory());
    let start = Instant::now();
    let (memory, first) = peak::of(once);
    let seconds = start.elapsed().as_secs_f64();
    let mut complaints = Vec::new();
    if first != once() {
        complaints.push("NOT THE SAME TWICE");
    }
    if memory > promised {
        complaints.push("TOO MUCH MEMORY");
    }
    if seconds > MOST_SECONDS {
        complaints.push("TOO SLOW");
    }
    let outcome = match &first {
        Ok(p) => format!("ok: {} {} x {}", p.format, p.width, p.height),
        Err(e) => format!("{:?}: {e}", e.kind()),
    };
    let (memory, promised, complaint) = (memory >> 10, promised >> 10, complaints.join(", "));
    print!("{:>8.1} {memory:>8} {promised:>9}  {outcome} {complaint}", seconds * 1e3);
    Ok(complaints.is_empty())
}

fn run(folder: &Path) -> Result<bool> {
    let manifest = std::fs::read_to_string(folder.join("manifest.csv"))?;
    let (mut files, mut wrong, mut decoded) = (0, 0, 0);
    println!("{:<24} {:<12} {:>8} {:>8} {:>9}  outcome", "file", "expect", "ms", "KiB", "promised");
    for line in manifest.lines().skip(1).filter(|l| !l.is_empty()) {
        let mut fields = line.split(',');
        let (Some(file), Some(_), Some(expect)) = (fields.next(), fields.next(), fields.next()) else {
            println!("manifest line not understood: {line}");
            wrong += 1;
            continue;
        };
        let child = Command::new(std::env::current_exe()?).arg("--one").arg(folder.join(file)).output()?;
        let said = String::from_utf8_lossy(&child.stdout);
        let ok = said.contains("  ok: ");
        let fits = match expect {
            "ok" => ok,
            "error" => !ok,
            "ok-or-error" => true,
            _ => false,
        };
        let complaint = match (fits, child.status.code()) {
            (_, None | Some(2..)) => "THE PROCESS ENDED",
            (false, _) => "NOT AS EXPECTED",
            (true, _) => "",
        };
        println!("{file:<24} {expect:<12} {said} {complaint}");
        files += 1;
        decoded += usize::from(ok);
        wrong += usize::from(!(fits && child.status.success()));
    }
    println!("{files} files: {decoded} decoded, {} refused, {wrong} not as they must be", files - decoded);
    // A folder without anything to check must not look like success.
    Ok(files > 0 && wrong == 0)
}
