//! A set of images from one table to another, by one session or several.

use std::ops::Sub;
use std::thread;
use std::time::{Duration, Instant};

use grnet_tests::server::{Server, backend_of};
use postgres::Client;
use serde_json::{Value, json};

use crate::Failure;

/// Images in one call of `grnet_embed_images`: a few batches of the engine's.
const CALL: usize = 64;

/// How images become rows with features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `INSERT ... SELECT` into a table with the trigger: an image at a time in each session.
    Trigger,
    /// `INSERT ... SELECT unnest(grnet_embed_images(...))`: 64 images a request.
    Array,
}

impl Way {
    /// The way of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, Failure> {
        match name {
            "trigger" => Ok(Self::Trigger),
            "array" => Ok(Self::Array),
            _ => Err(format!("{name} is neither trigger nor array").into()),
        }
    }

    /// What session `number` of `sessions` runs.
    fn sql(self, number: usize, sessions: usize) -> String {
        match self {
            Self::Trigger => {
                format!("INSERT INTO item (image) SELECT image FROM image WHERE of = $1 AND id % {sessions} = {number}")
            }
            // The trigger finds the features that are given, checks that they are of this image, and asks for nothing.
            Self::Array => format!(
                "INSERT INTO item SELECT unnest(images), unnest(grnet_embed_images(images)) FROM \
                 (SELECT array_agg(image ORDER BY id) AS images FROM image WHERE of = $1 AND id % {sessions} = {number} \
                 GROUP BY id / {sessions} / {CALL}) AS call"
            ),
        }
    }
}

/// What the engine and the sessions have done so far.
#[derive(Debug, Clone, Copy)]
struct Spent {
    images: f64,
    batches: f64,
    decode_ms: f64,
    model_ms: f64,
    engine_ms: f64,
    sessions_ms: f64,
}

impl Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            images: self.images - before.images,
            batches: self.batches - before.batches,
            decode_ms: self.decode_ms - before.decode_ms,
            model_ms: self.model_ms - before.model_ms,
            engine_ms: self.engine_ms - before.engine_ms,
            sessions_ms: self.sessions_ms - before.sessions_ms,
        }
    }
}

fn spent(watcher: &mut Client, sessions: &[u32]) -> Result<Spent, Failure> {
    let sql = "SELECT pid, images::float8, batches::float8, mean_decode_ms * images, mean_batch_ms * batches FROM grnet.stat_engine";
    let row = watcher.query_one(sql, &[])?;
    let engine = row.try_get::<_, Option<i32>>(0)?.ok_or("the engine does not answer")?;
    let of = |number: usize| Ok::<f64, Failure>(row.try_get::<_, Option<f64>>(number)?.unwrap_or(0.0));
    let mut sessions_ms = 0.0;
    for pid in sessions {
        sessions_ms += processor_ms(*pid)?;
    }
    Ok(Spent {
        images: of(1)?,
        batches: of(2)?,
        decode_ms: of(3)?,
        model_ms: of(4)?,
        engine_ms: processor_ms(u32::try_from(engine)?)?,
        sessions_ms,
    })
}

/// Processor time of a process, its own and the kernel's for it, in steps of 10 ms.
fn processor_ms(pid: u32) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind the name, which is in brackets and may hold anything: state is word 0, the times are words 11 and 12.
    let (_, words) = stat.rsplit_once(") ").ok_or("no name in /proc/PID/stat")?;
    let words: Vec<&str> = words.split(' ').collect();
    let ticks = |at: usize| Ok::<f64, Failure>(words.get(at).ok_or("no times in /proc/PID/stat")?.parse()?);
    Ok((ticks(11)? + ticks(12)?) * 10.0)
}

/// Whole passes over a set until the time is up.
///
/// # Errors
/// The server refuses, or the engine went away.
pub fn time(server: &Server, set: &str, way: Way, sessions: usize, time: Duration) -> Result<Value, Failure> {
    let mut clients: Vec<Client> = (0..sessions).map(|_| server.session()).collect();
    let pids: Vec<u32> = clients.iter_mut().map(backend_of).collect();
    let mut watcher = server.session();
    let warm = "SELECT grnet_embed(image)::text FROM image WHERE of = $1 LIMIT 1";
    for client in &mut clients {
        client.query(warm, &[&set])?;
    }
    let before = spent(&mut watcher, &pids)?;
    let (mut taken, mut rows, mut passes) = (Duration::ZERO, 0, Vec::new());
    while taken < time {
        watcher.batch_execute("TRUNCATE item")?;
        let start = Instant::now();
        let results: Vec<Result<u64, postgres::Error>> = thread::scope(|scope| {
            let running: Vec<_> = clients
                .iter_mut()
                .enumerate()
                .map(|(number, client)| scope.spawn(move || client.execute(&way.sql(number, sessions), &[&set])))
                .collect();
            running.into_iter().map(|thread| thread.join().expect("a session's thread ends")).collect()
        });
        let (mut pass, took) = (0, start.elapsed());
        for result in results {
            pass += result?;
        }
        passes.push(pass as f64 / took.as_secs_f64());
        rows += pass;
        taken += took;
    }
    let missing: i64 = watcher.query_one("SELECT count(*) FROM item WHERE features IS NULL", &[])?.try_get(0)?;
    if missing > 0 || rows == 0 {
        return Err(format!("{missing} of {rows} images have no features").into());
    }
    let Spent { images, batches, decode_ms, model_ms, engine_ms, sessions_ms } = spent(&mut watcher, &pids)? - before;
    Ok(json!({
        "best": passes.iter().copied().fold(0.0, f64::max),
        "rate": rows as f64 / taken.as_secs_f64(),
        "wall_ms": taken.as_secs_f64() * 1e3 / rows as f64,
        "batch": images / batches,
        "decode_ms": decode_ms / images,
        "model_ms": model_ms / images,
        "engine_ms": engine_ms / images,
        "sessions_ms": sessions_ms / images,
    }))
}
