//! Photos into a table, over several connections, so that the engine has batches to work on.

use crate::database::Database;
use crate::failure::{Failure, Result, briefly};
use crate::fingerprint::digest;
use crate::plan::Wanted;
use crate::progress::Progress;
use postgres::error::SqlState;
use postgres::{Client, NoTls};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One of the two tables of photos.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    name: &'static str,
    label: &'static str,
    doing: &'static str,
}

/// The catalogue.
pub const ITEMS: Table = Table { name: "item", label: "kind", doing: "Catalogue" };
/// The photos to search for.
pub const QUERIES: Table = Table { name: "query", label: "stratum", doing: "Queries" };

/// What became of the photos.
#[derive(Debug, Default)]
pub struct Filled {
    /// Stored now.
    pub new: usize,
    /// There from an earlier run.
    pub kept: usize,
    /// Left out: the photo and the reason.
    pub refused: Vec<(String, String)>,
    /// Seconds that storing took.
    pub seconds: f64,
}

/// Stores what is not there yet, and removes what is no longer wanted.
///
/// # Errors
/// A statement failed for a reason other than the photo itself.
pub fn fill(database: &Database, table: Table, wanted: &[Wanted], connections: u16) -> Result<Filled> {
    let missing = prepare(&mut database.connect()?, table, wanted)?;
    let mut filled = Filled { kept: wanted.len() - missing.len(), ..Filled::default() };
    let progress = Progress::new(table.doing, "photos", missing.len() as u64);
    let next = AtomicUsize::new(0);
    let refused = Mutex::new(Vec::new());
    let worker = || -> Result<usize> {
        let work = || {
            let mut client = database.config().connect(NoTls).map_err(Failure::sql("connecting"))?;
            let mut stored = 0;
            while let Some(photo) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                match store(&mut client, table, photo)? {
                    None => stored += 1,
                    Some(reason) => {
                        let mut list = refused.lock().unwrap_or_else(PoisonError::into_inner);
                        list.push((photo.id.clone(), reason));
                    }
                }
                progress.step();
            }
            Ok(stored)
        };
        // The others need not go on with what cannot be completed.
        work().inspect_err(|_| next.store(missing.len(), Ordering::Relaxed))
    };
    let count = usize::from(connections).min(missing.len());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            filled.new += worker.join().map_err(|_| Failure::Worker)??;
        }
        Ok::<_, Failure>(())
    })?;
    filled.seconds = progress.seconds();
    filled.refused = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
    filled.refused.sort();
    if filled.new > 0 {
        let analyse = format!("ANALYZE {}", table.name);
        database.connect()?.batch_execute(&analyse).map_err(Failure::sql("ANALYZE"))?;
    }
    Ok(filled)
}

/// Removes the rows that nobody wants any more, or whose file has changed; says which photos are missing then.
fn prepare<'a>(client: &mut Client, table: Table, wanted: &'a [Wanted]) -> Result<Vec<&'a Wanted>> {
    let stored = format!("SELECT id, sha256(image) FROM {}", table.name);
    let stored = client.query(&stored, &[]).map_err(Failure::sql("looking at what is there"))?;
    let stored: HashMap<String, Vec<u8>> = stored.iter().map(|row| (row.get(0), row.get(1))).collect();
    let progress = Progress::new("Looking for changed files", "files", wanted.len() as u64);
    let mut current = HashSet::new();
    for photo in wanted {
        let is_current = match stored.get(&photo.id) {
            None => false,
            Some(before) => {
                !photo.picture.is_file() || photo.bytes()?.is_ok_and(|bytes| digest(&bytes)[..] == before[..])
            }
        };
        if is_current {
            current.insert(photo.id.as_str());
        }
        progress.step();
    }
    let stale: Vec<&str> = stored.keys().map(String::as_str).filter(|id| !current.contains(id)).collect();
    if !stale.is_empty() {
        let remove = format!("DELETE FROM {} WHERE id = ANY($1)", table.name);
        client.execute(&remove, &[&stale]).map_err(Failure::sql("removing photos that changed"))?;
    }
    Ok(wanted.iter().filter(|photo| !current.contains(photo.id.as_str())).collect())
}

/// Stores one photo; a reason where the photo itself is to blame.
fn store(client: &mut Client, table: Table, photo: &Wanted) -> Result<Option<String>> {
    let bytes = match photo.bytes()? {
        Ok(bytes) => bytes,
        Err(reason) => return Ok(Some(reason)),
    };
    let insert = format!(
        "INSERT INTO {} (id, garment, {}, title, image) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        table.name, table.label
    );
    let mut tries = 0;
    loop {
        let row: [&(dyn postgres::types::ToSql + Sync); 5] =
            [&photo.id, &photo.garment, &photo.label, &photo.title, &bytes];
        let Err(error) = client.execute(&insert, &row) else { return Ok(None) };
        tries += 1;
        match verdict(error.code(), tries) {
            Verdict::Skip => return Ok(Some(briefly(&error))),
            Verdict::Again => std::thread::sleep(Duration::from_millis(250)),
            Verdict::Stop => return Err(Failure::sql("storing a photo")(error)),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Skip,
    Again,
    Stop,
}

/// What an error means after so many tries.
fn verdict(code: Option<&SqlState>, tries: u32) -> Verdict {
    match code {
        // The photo: not one, damaged, or too large.
        Some(code) if [&SqlState::DATA_EXCEPTION, &SqlState::PROGRAM_LIMIT_EXCEEDED].contains(&code) => Verdict::Skip,
        // The engine: its queue is full, or it went away and is being started again.
        Some(&SqlState::INSUFFICIENT_RESOURCES) if tries < 240 => Verdict::Again,
        Some(&SqlState::CONNECTION_FAILURE) if tries < 20 => Verdict::Again,
        _ => Verdict::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_photo_stops_nothing_and_a_busy_engine_is_asked_again() {
        assert_eq!(verdict(Some(&SqlState::DATA_EXCEPTION), 1), Verdict::Skip);
        assert_eq!(verdict(Some(&SqlState::PROGRAM_LIMIT_EXCEEDED), 1), Verdict::Skip);
        assert_eq!(verdict(Some(&SqlState::INSUFFICIENT_RESOURCES), 9), Verdict::Again);
        assert_eq!(verdict(Some(&SqlState::CONNECTION_FAILURE), 3), Verdict::Again);
        assert_eq!(verdict(Some(&SqlState::CONNECTION_FAILURE), 20), Verdict::Stop);
        assert_eq!(verdict(Some(&SqlState::UNDEFINED_TABLE), 1), Verdict::Stop);
        assert_eq!(verdict(None, 1), Verdict::Stop);
    }
}
