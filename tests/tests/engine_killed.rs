//! Kills at random instants while sessions fill a catalogue through the trigger: nothing is lost, nothing is wrong.
//!
//! `GRNET_KILLS` says how many; 200 where it is not set.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use grnet_cluster::process::{self, Signal, is_alive};
use grnet_tests::images::{Random, bmp};
use grnet_tests::refusal::Refusal;
use grnet_tests::server::{START, Server, features};
use grnet_tests::{eventually, number_of};

const SESSIONS: usize = 8;
/// Different images, so that a mix-up between sessions would be seen.
const IMAGES: u64 = 97;
/// The longest a session may be without success: the server's promise is 5 s for one death of the engine, and they come
/// one after the other here.
const LONGEST_DROUGHT: Duration = Duration::from_secs(60);

/// Inserts rows until it is told to end; the numbers of rows that were acknowledged, and of errors on the way.
fn fill(server: &Server, session: usize, ended: &AtomicBool, errors: &AtomicUsize) -> Vec<(i32, u64)> {
    let mut client = server.session();
    let mut random = Random(session as u64);
    let mut rows = Vec::new();
    let mut last_success = Instant::now();
    for number in 0.. {
        if ended.load(Ordering::Acquire) {
            break;
        }
        let id = i32::try_from(session * 10_000_000 + number).expect("few rows");
        let image = random.number() % IMAGES;
        // The same row until it is in: an error means that it is not.
        loop {
            match client
                .execute("INSERT INTO item (id, seed, image) VALUES ($1, $2, $3)", &[&id, &(image as i32), &bmp(image)])
            {
                Ok(count) => {
                    assert_eq!(count, 1);
                    break;
                }
                Err(error) => {
                    let refusal =
                        Refusal::of(&error).unwrap_or_else(|| panic!("session {session} was lost: {error:?}"));
                    assert_eq!(refusal.code, "08006", "{refusal:?}");
                    errors.fetch_add(1, Ordering::Relaxed);
                    assert!(last_success.elapsed() < LONGEST_DROUGHT, "session {session} starves: {refusal:?}");
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
        last_success = Instant::now();
        rows.push((id, image));
        thread::sleep(Duration::from_millis(3));
    }
    rows
}

/// Kills whatever engine there is, at a random instant of its life.
fn kill(server: &Server, random: &mut Random) {
    let mut engine = None;
    eventually("an engine is there", START, || {
        engine = server.engines().first().copied();
        engine.is_some()
    });
    // One kill in four meets an engine on its way up, and makes the supervisor back off; were it most of them, as on a
    // busy machine, nearly all of the time would be spent in its pauses.
    if random.below(4) > 0 {
        server.engine();
    }
    thread::sleep(Duration::from_millis(random.below(400) as u64));
    if let Some(pid) = server.engines().first().copied().or(engine) {
        process::send(pid, Signal::Kill);
        eventually("it is dead", START, || !is_alive(pid));
    }
}

#[test]
fn kills_at_random_instants_lose_nothing_and_falsify_nothing() {
    let kills = number_of("GRNET_KILLS", 200);
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE TABLE item (id int PRIMARY KEY, seed int NOT NULL, image bytea NOT NULL, features grnet_features); \
             CREATE TRIGGER item_features BEFORE INSERT OR UPDATE OF image, features ON item FOR EACH ROW \
             EXECUTE FUNCTION grnet_features_trigger('image', 'features');",
        )
        .expect("a table");
    let (ended, errors) = (AtomicBool::new(false), AtomicUsize::new(0));
    let start = Instant::now();
    let rows: Vec<(i32, u64)> = thread::scope(|scope| {
        let (server, ended, errors) = (&server, &ended, &errors);
        let sessions: Vec<_> = (0..SESSIONS).map(|n| scope.spawn(move || fill(server, n, ended, errors))).collect();
        let mut random = Random(2026);
        for _ in 0..kills {
            if sessions.iter().any(thread::ScopedJoinHandle::is_finished) {
                break;
            }
            kill(server, &mut random);
        }
        // A quiet time in which progress is compulsory.
        features(&mut server.session(), &bmp(1));
        thread::sleep(Duration::from_millis(500));
        ended.store(true, Ordering::Release);
        sessions.into_iter().flat_map(|session| session.join().expect("the session went well")).collect()
    });
    println!(
        "{} rows from {SESSIONS} sessions in {} s, {} errors 08006 on the way",
        rows.len(),
        start.elapsed().as_secs(),
        errors.load(Ordering::Relaxed)
    );

    let quiet: HashMap<u64, Vec<u8>> = (0..IMAGES).map(|image| (image, features(&mut client, &bmp(image)))).collect();
    let stored = client.query("SELECT id, seed, grnet_features_send(features) FROM item", &[]).expect("the rows");
    assert_eq!(stored.len(), rows.len(), "rows acknowledged and rows there");
    let acknowledged: HashMap<i32, u64> = rows.into_iter().collect();
    for row in &stored {
        let (id, image) = (row.get::<_, i32>(0), row.get::<_, i32>(1) as u64);
        assert_eq!(acknowledged.get(&id), Some(&image), "row {id}");
        let value: Option<Vec<u8>> = row.get(2);
        assert_eq!(value.as_ref(), quiet.get(&image), "row {id}: its features are not those of image {image}");
    }
    assert_eq!(server.engines(), [server.engine()], "an orphan");
    let restarts: i64 = client.query_one("SELECT restarts FROM grnet.stat_engine", &[]).expect("the view works").get(0);
    assert!(restarts >= kills as i64, "{restarts} restarts after {kills} kills");
    assert_eq!(server.log().matches("terminated by signal").count(), 0, "a server process died");
    println!("{kills} of {kills} kills survived");
}
