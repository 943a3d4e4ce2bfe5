//! Runs every file of a folder through `prepare` and compares the outcome with the folder's manifest.csv
//! (`file,bytes,expect,why`, where expect is `ok`, `error` or `ok-or-error`). Each file is prepared
//! twice and must give the same both times. Prints file, expectation, outcome, milliseconds and the
//! peak of resident memory; exits with 1 at any disagreement.
//!
//! `cargo run --release -p grnet-photo --example hostile -- DIR`

use grnet_photo::{Fit, Limits, prepare};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// No file may need more than this, in MiB: the pixels limit at 8 bytes a pixel, and working memory.
const MOST_MEMORY: u64 = 600;
/// Nor longer than this for both times, in seconds.
const MOST_SECONDS: f64 = 10.0;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: hostile DIR (with a manifest.csv in it)");
        return ExitCode::from(2);
    };
    match run(Path::new(&folder)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(e) => {
            eprintln!("{folder}: {e}");
            ExitCode::from(2)
        }
    }
}

fn run(folder: &Path) -> std::io::Result<usize> {
    let manifest = std::fs::read_to_string(folder.join("manifest.csv"))?;
    let (mut files, mut wrong, mut decoded) = (0, 0, 0);
    println!("{:<24} {:<12} {:>8} {:>8}  outcome", "file", "expect", "ms", "MiB");
    for line in manifest.lines().skip(1).filter(|l| !l.is_empty()) {
        let mut fields = line.split(',');
        let (Some(file), Some(_), Some(expect)) = (fields.next(), fields.next(), fields.next()) else {
            println!("manifest line not understood: {line}");
            wrong += 1;
            continue;
        };
        let bytes = std::fs::read(folder.join(file))?;
        reset_peak();
        let start = Instant::now();
        let once = || prepare(&bytes, None, Fit::Letterbox, 224, &Limits::default());
        let (first, second) = (once(), once());
        let seconds = start.elapsed().as_secs_f64();
        let memory = peak();
        let mut complaints = Vec::new();
        let fits = match expect {
            "ok" => first.is_ok(),
            "error" => first.is_err(),
            "ok-or-error" => true,
            _ => false,
        };
        if !fits {
            complaints.push("NOT AS EXPECTED");
        }
        if first != second {
            complaints.push("NOT THE SAME TWICE");
        }
        if memory.is_some_and(|m| m > MOST_MEMORY) {
            complaints.push("TOO MUCH MEMORY");
        }
        if seconds > MOST_SECONDS {
            complaints.push("TOO SLOW");
        }
        let outcome = match &first {
            Ok(p) => format!("ok: {} {} x {}", p.format, p.width, p.height),
            Err(e) => format!("{:?}: {e}", e.kind()),
        };
        let memory = memory.map_or("?".to_string(), |m| m.to_string());
        let complaint = complaints.join(", ");
        println!("{file:<24} {expect:<12} {:>8.1} {memory:>8}  {outcome} {complaint}", seconds * 500.0);
        files += 1;
        decoded += usize::from(first.is_ok());
        wrong += usize::from(!complaints.is_empty());
    }
    println!("{files} files: {decoded} decoded, {} refused, {wrong} not as they must be", files - decoded);
    // A folder without anything to check must not look like success.
    Ok(if files == 0 { 1 } else { wrong })
}

/// Starts the kernel's measure of peak memory anew (Linux; elsewhere the column shows '?').
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Peak of resident memory since then, in MiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|k| k / 1024)
}
