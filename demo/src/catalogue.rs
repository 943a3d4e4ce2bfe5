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
    let Prepared { missing, kept, refused } = prepare(&mut database.connect()?, table, wanted)?;
    let mut filled = Filled { kept, ..Filled::default() };
    let progress = Progress::new(table.doing, "photos", missing.len() as u64);
    let next = AtomicUsize::new(0);
    let refused = Mutex::new(refused);
    let worker = || -> Result<Stored> {
        let work = || {
            let mut client = database.config().connect(NoTls).map_err(Failure::sql("connecting"))?;
            let mut stored = Stored::default();
            while let Some(photo) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                match store(&mut client, table, photo)? {
                    Outcome::New => stored.new += 1,
                    Outcome::There => stored.kept += 1,
                    Outcome::Refused(reason) => {
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
            let stored = worker.join().map_err(|_| Failure::Worker)??;
            filled.new += stored.new;
            filled.kept += stored.kept;
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

/// What one connection has stored.
#[derive(Debug, Default)]
struct Stored {
    new: usize,
    kept: usize,
}

/// What is left to do.
#[derive(Debug)]
struct Prepared<'a> {
    missing: Vec<&'a Wanted>,
    kept: usize,
    refused: Vec<(String, String)>,
}

/// A row: the picture's digest, and what is said about it.
struct Row {
    digest: Vec<u8>,
    words: [String; 3],
}

/// Removes the rows that nobody wants any more, or whose file has changed, and corrects what is said about the others; tells
/// which photos are missing then.
fn prepare<'a>(client: &mut Client, table: Table, wanted: &'a [Wanted]) -> Result<Prepared<'a>> {
    let mut stored = stored(client, table)?;
    let progress = Progress::new("Looking for changed files", "files", wanted.len() as u64);
    let mut prepared = Prepared { missing: Vec::new(), kept: 0, refused: Vec::new() };
    let mut seen = HashSet::new();
    let mut renamed = Vec::new();
    for photo in wanted {
        progress.step();
        if !seen.insert(photo.id.as_str()) {
            prepared.refused.push((photo.id.clone(), "named twice: the first one counts".to_owned()));
            continue;
        }
        // What stays in the map is nobody's, or another picture now.
        match stored.get(&photo.id).map(|row| shows(row, photo)).transpose()? {
            Some(true) => {
                let row = stored.remove(&photo.id);
                prepared.kept += 1;
                if row.is_some_and(|row| row.words != words(photo).map(str::to_owned)) {
                    renamed.push(photo);
                }
            }
            _ => prepared.missing.push(photo),
        }
    }
    let stale: Vec<&str> = stored.keys().map(String::as_str).collect();
    if !stale.is_empty() {
        let remove = format!("DELETE FROM {} WHERE id = ANY($1)", table.name);
        client.execute(&remove, &[&stale]).map_err(Failure::sql("removing photos that changed"))?;
    }
    rename(client, table, &renamed)?;
    Ok(prepared)
}

fn stored(client: &mut Client, table: Table) -> Result<HashMap<String, Row>> {
    let select = format!("SELECT id, sha256(image), garment, {}, title FROM {}", table.label, table.name);
    let rows = client.query(&select, &[]).map_err(Failure::sql("looking at what is there"))?;
    let row = |row: &postgres::Row| Row { digest: row.get(1), words: [row.get(2), row.get(3), row.get(4)] };
    Ok(rows.iter().map(|found| (found.get(0), row(found))).collect())
}

/// Whether a row holds the photo's picture. What is drawn follows from the run's parameters.
fn shows(row: &Row, photo: &Wanted) -> Result<bool> {
    Ok(!photo.picture.is_file() || photo.bytes()?.is_ok_and(|bytes| digest(&bytes)[..] == row.digest[..]))
}

/// What is said about a photo.
fn words(photo: &Wanted) -> [&str; 3] {
    [&photo.garment, &photo.label, &photo.title]
}

/// The features stay: they are the picture's.
fn rename(client: &mut Client, table: Table, photos: &[&Wanted]) -> Result<()> {
    let update = format!("UPDATE {} SET garment = $2, {} = $3, title = $4 WHERE id = $1", table.name, table.label);
    for photo in photos {
        let [garment, label, title] = words(photo);
        client
            .execute(&update, &[&photo.id, &garment, &label, &title])
            .map_err(Failure::sql("correcting what is said about a photo"))?;
    }
    Ok(())
}

/// What became of one photo.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    New,
    /// Another run at the same time was first.
    There,
    /// The photo itself is to blame.
    Refused(String),
}

/// Stores one photo.
fn store(client: &mut Client, table: Table, photo: &Wanted) -> Result<Outcome> {
    let bytes = match photo.bytes()? {
        Ok(bytes) => bytes,
        Err(reason) => return Ok(Outcome::Refused(reason)),
    };
    let insert = format!(
        "INSERT INTO {} (id, garment, {}, title, image) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        table.name, table.label
    );
    let mut tries = 0;
    loop {
        let row: [&(dyn postgres::types::ToSql + Sync); 5] =
            [&photo.id, &photo.garment, &photo.label, &photo.title, &bytes];
        let error = match client.execute(&insert, &row) {
            Ok(0) => return Ok(Outcome::There),
            Ok(_) => return Ok(Outcome::New),
            Err(error) => error,
        };
        tries += 1;
        match verdict(error.code(), tries) {
            Verdict::Skip => return Ok(Outcome::Refused(briefly(&error))),
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
    use crate::picture::Picture;
    use grnet_cluster::{Cluster, Installation};
    use std::path::{Path, PathBuf};

    fn photo(id: &str, title: &str, path: &Path) -> Wanted {
        let picture = Picture::File(path.to_owned());
        Wanted { id: id.into(), garment: format!("{title}'s"), label: "photo".into(), title: title.into(), picture }
    }

    /// As the demo's tables, without the features.
    fn server() -> (Cluster, Client, PathBuf) {
        let installation = Installation::for_tests().unwrap_or_else(|error| panic!("{error}")).remove(0);
        let cluster = Cluster::builder().installation(&installation).start().unwrap();
        let mut client = cluster.connect().unwrap();
        let columns = "id text PRIMARY KEY, garment text, kind text, title text, image bytea";
        client
            .batch_execute(&format!("CREATE TABLE item ({columns}, made timestamptz DEFAULT clock_timestamp())"))
            .unwrap();
        let file = std::env::temp_dir().join(format!(
            "grnet-demo-{}-{}.jpg",
            std::process::id(),
            cluster.postmaster_pid().unwrap()
        ));
        std::fs::write(&file, "first").unwrap();
        (cluster, client, file)
    }

    fn titles(client: &mut Client) -> Vec<(String, String, String)> {
        let rows = client.query("SELECT title, garment, made::text FROM item ORDER BY id", &[]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    #[test]
    fn what_is_said_about_a_stored_photo_is_kept_current() {
        let (_cluster, mut client, file) = server();
        let before = [photo("1", "coat", &file), photo("2", "hat", &file)];
        assert_eq!(prepare(&mut client, ITEMS, &before).unwrap().missing.len(), 2);
        for one in &before {
            assert_eq!(store(&mut client, ITEMS, one).unwrap(), Outcome::New);
        }
        let first = titles(&mut client);

        let after = [photo("1", "jacket", &file), photo("2", "hat", &file)];
        let prepared = prepare(&mut client, ITEMS, &after).unwrap();
        assert_eq!((prepared.missing.len(), prepared.kept), (0, 2));
        let second = titles(&mut client);
        assert_eq!((second[0].0.as_str(), second[0].1.as_str()), ("jacket", "jacket's"));
        assert_eq!(second[0].2, first[0].2, "the photo was stored again");
        assert_eq!(second[1], first[1]);

        // Another picture under the same name is another photo.
        std::fs::write(&file, "second").unwrap();
        assert_eq!(prepare(&mut client, ITEMS, &after[..1]).unwrap().missing.len(), 1);
        assert!(titles(&mut client).is_empty());
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn a_photo_that_is_there_is_not_counted_as_stored() {
        let (_cluster, mut client, file) = server();
        let twice = [photo("1", "coat", &file), photo("1", "hat", &file)];
        let prepared = prepare(&mut client, ITEMS, &twice).unwrap();
        assert_eq!((prepared.missing.len(), prepared.kept, prepared.refused.len()), (1, 0, 1));
        assert_eq!(store(&mut client, ITEMS, &twice[0]).unwrap(), Outcome::New);
        assert_eq!(store(&mut client, ITEMS, &twice[1]).unwrap(), Outcome::There);
        let prepared = prepare(&mut client, ITEMS, &twice).unwrap();
        assert_eq!((prepared.missing.len(), prepared.kept, prepared.refused.len()), (0, 1, 1));
        std::fs::remove_file(file).unwrap();
    }

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
