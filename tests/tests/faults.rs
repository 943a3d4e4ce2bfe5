//! Engines, supervisors and servers that are killed, stopped and starved while sessions wait for them.

use grnet_cluster::Mode;
use grnet_cluster::process::{self, Signal, is_alive};
use grnet_tests::eventually;
use grnet_tests::images::{bmp, encode, picture};
use grnet_tests::processes::engines_of;
use grnet_tests::refusal::Refusal;
use grnet_tests::server::{START, Server, backend_of, counter, features, try_features};
use postgres::Client;
use std::thread;
use std::time::{Duration, Instant};

/// What the issue asks for, printed; a busy machine gets more before a test fails.
const PROMPT: Duration = Duration::from_millis(200);
const GENEROUS: Duration = Duration::from_secs(1);

/// A session that has embedded once, and so holds a connection to the engine.
fn warm(server: &Server) -> Client {
    let mut client = server.session();
    features(&mut client, &bmp(0));
    client
}

/// Runs `embed` in a thread while the engine is stopped; `disturb` is called once the request is on its way.
/// Gives how the embedding ended and how long after the disturbance.
fn during_a_request(server: &Server, setting: &str, disturb: impl FnOnce(u32, u32)) -> (Option<Refusal>, Duration) {
    let mut client = warm(server);
    client.batch_execute(setting).expect("a setting");
    let (backend, engine) = (backend_of(&mut client), server.engine());
    assert!(process::send(engine, Signal::Stop));
    let waiting = thread::spawn(move || {
        let result = try_features(&mut client, &bmp(99));
        (result.err().map(|error| Refusal::of(&error)), Instant::now())
    });
    thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished(), "it did not wait for the engine");
    let start = Instant::now();
    disturb(backend, engine);
    let (outcome, end) = waiting.join().expect("the thread ends");
    process::send(engine, Signal::Continue);
    (outcome.expect("a stopped engine answers nothing"), end.duration_since(start))
}

fn assert_prompt(what: &str, took: Duration) {
    println!("{what}: the wait ended after {} ms", took.as_millis());
    if took > PROMPT {
        println!("{what}: more than {} ms", PROMPT.as_millis());
    }
    assert!(took < GENEROUS, "{what}: {took:?}");
}

#[test]
fn a_killed_engine_costs_its_request_one_error_and_nobody_else_anything() {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("CREATE TABLE item (features grnet_features)").expect("a table");
    client
        .execute("INSERT INTO item SELECT grnet_embed($1) FROM generate_series(1, 100)", &[&bmp(1)])
        .expect("an insert");
    let mut other = warm(&server);
    let scores = "SELECT count(grnet_score(a.features, b.features)) FROM item a, item b";
    let scoring = thread::spawn(move || {
        let mut rounds = 0;
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            let count: i64 = other.query_one(scores, &[]).expect("scoring goes on").get(0);
            assert_eq!(count, 10_000);
            rounds += 1;
        }
        // This session's connection to the engine went with it: not an error, since nothing was asked over it.
        features(&mut other, &bmp(1));
        rounds
    });

    let before = server.engine();
    let (refusal, took) = during_a_request(&server, "SELECT 1", |_, engine| {
        process::send(engine, Signal::Kill);
    });
    let refusal = refusal.expect("an ERROR, not a lost connection");
    assert_eq!(refusal.code, "08006", "{refusal:?}");
    assert!(refusal.message.contains("went away") && !refusal.hint.is_empty(), "{refusal:?}");
    assert_prompt("kill -9 of the engine", took);

    // The kernel closes a dying process' connections one by one: a request sent over one that is about to go is one in
    // flight, and gets an error of its own.
    eventually("the engine is gone", GENEROUS, || !is_alive(before));
    let start = Instant::now();
    features(&mut client, &bmp(2));
    println!("the next embed was answered {} ms after the error", start.elapsed().as_millis());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_ne!(server.engine(), before);
    let rounds = scoring.join().expect("the other session noticed nothing");
    println!("another session ranked 10,000 pairs {rounds} times meanwhile");
    let sql = "SELECT restarts, last_exit FROM grnet.stat_engine";
    let row = client.query_one(sql, &[]).expect("the view works");
    assert_eq!(row.get::<_, i64>(0), 1);
    assert!(row.get::<_, &str>(1).contains("signal 9"), "{}", row.get::<_, &str>(1));
    assert_eq!(server.log().matches("terminated by signal").count(), 0, "a server process died");
}

#[test]
fn a_wait_for_a_stopped_engine_ends_when_the_server_says_so() {
    let server = Server::start();
    let mut admin = server.session();
    let (refusal, took) = during_a_request(&server, "SELECT 1", |backend, _| {
        admin.execute("SELECT pg_cancel_backend($1)", &[&(backend as i32)]).expect("a superuser may");
    });
    assert_eq!(refusal.expect("an ERROR").code, "57014");
    assert_prompt("pg_cancel_backend", took);

    let timeout = Duration::from_millis(500);
    let (refusal, took) = during_a_request(&server, "SET statement_timeout = 500", |_, _| {});
    assert_eq!(refusal.expect("an ERROR").code, "57014");
    // It began 200 ms before it was measured.
    assert_prompt("statement_timeout", took.saturating_sub(timeout.saturating_sub(Duration::from_millis(200))));

    let (refusal, took) = during_a_request(&server, "SELECT 1", |backend, _| {
        admin.execute("SELECT pg_terminate_backend($1)", &[&(backend as i32)]).expect("a superuser may");
    });
    assert!(refusal.is_none_or(|refusal| refusal.code == "57P01"));
    assert_prompt("pg_terminate_backend", took);

    let (refusal, took) = during_a_request(&server, "SET grnet.embed_timeout = 500", |_, _| {});
    let refusal = refusal.expect("an ERROR");
    assert_eq!(refusal.code, "57014");
    assert!(refusal.message.contains("did not answer within 500 ms"), "{refusal:?}");
    assert_prompt("grnet.embed_timeout", took.saturating_sub(Duration::from_millis(300)));

    // Nothing of it stays with the engine, and the sessions go on.
    let mut client = warm(&server);
    eventually("the queue is empty", START, || counter(&mut client, "queued") == 0);
    assert_eq!(server.engines().len(), 1);
}

#[test]
fn the_view_says_that_a_stopped_engine_does_not_respond() {
    let server = Server::start();
    let engine = server.engine();
    process::send(engine, Signal::Stop);
    let row = server.session().query_one("SELECT state, pid FROM grnet.stat_engine", &[]).expect("the view works");
    process::send(engine, Signal::Continue);
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i32>(1)), ("not responding", engine as i32));
}

#[test]
fn a_session_that_never_met_the_engine_is_cancelled_too() {
    let server = Server::start();
    let engine = server.engine();
    process::send(engine, Signal::Stop);
    let mut client = server.session();
    client.batch_execute("LOAD 'grnet_pg'; SET statement_timeout = 300").expect("settings");
    let start = Instant::now();
    let error = try_features(&mut client, &bmp(1)).expect_err("the engine is stopped");
    let took = start.elapsed();
    process::send(engine, Signal::Continue);
    assert_eq!(Refusal::of(&error).expect("an ERROR").code, "57014");
    assert_prompt("statement_timeout in the handshake", took.saturating_sub(Duration::from_millis(300)));
}

#[test]
fn a_request_that_fills_the_socket_is_cancelled_too() {
    let server = Server::start();
    let mut client = warm(&server);
    client.batch_execute("SET statement_timeout = 300").expect("a setting");
    let engine = server.engine();
    process::send(engine, Signal::Stop);
    let start = Instant::now();
    let error = try_features(&mut client, &vec![b'x'; 20 << 20]).expect_err("the engine is stopped");
    let took = start.elapsed();
    process::send(engine, Signal::Continue);
    assert_eq!(Refusal::of(&error).expect("an ERROR").code, "57014");
    assert_prompt("statement_timeout in the middle of 20 MB", took.saturating_sub(Duration::from_millis(300)));
    // Half a request in the socket was no harm: the next one has a connection of its own.
    client.batch_execute("RESET statement_timeout").expect("a setting");
    features(&mut client, &bmp(1));
    assert_eq!(server.engine(), engine);
}

#[test]
fn a_reload_restarts_the_engine_only_where_its_settings_changed() {
    let server = Server::start();
    let engine = server.engine();
    server.set("grnet.max_image_pixels", "1000000");
    server.set("work_mem", "5MB");
    thread::sleep(Duration::from_millis(500));
    assert_eq!(server.engines(), [engine]);
    server.set("grnet.engine_max_batch", "3");
    eventually("the engine is another one", START, || server.engines().first().is_some_and(|&pid| pid != engine));
    features(&mut server.session(), &bmp(1));
}

#[test]
fn an_engine_that_never_gets_ready_is_waited_for_no_longer_than_asked() {
    let server = Server::start();
    let program = server.data_dir().join("sleeper.sh");
    let pid_file = server.data_dir().join("sleeper.pid");
    let text = format!("#!/bin/sh\necho $$ > '{}'\nexec sleep 1000\n", pid_file.display());
    std::fs::write(&program, text).expect("the folder is writable");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("the file is ours");
    server.set("grnet.engine_program", &program.display().to_string());
    let sleeper = || std::fs::read_to_string(&pid_file).ok().and_then(|pid| pid.trim().parse::<u32>().ok());
    eventually("it sleeps", START, || sleeper().is_some());
    eventually("the engine is gone", START, || server.engines().is_empty());

    let mut client = server.session();
    for (setting, words) in [("statement_timeout", "statement timeout"), ("grnet.embed_timeout", "within 400 ms")] {
        client.batch_execute(&format!("RESET ALL; SET {setting} = 400; SET grnet.model = 'tiny'")).expect("settings");
        let start = Instant::now();
        let error = try_features(&mut client, &bmp(1)).expect_err("there is no engine");
        let took = start.elapsed();
        let refusal = Refusal::of(&error).expect("an ERROR");
        assert!(refusal.code == "57014" && refusal.message.contains(words), "{refusal:?}");
        assert_prompt(setting, took.saturating_sub(Duration::from_millis(400)));
    }
    let state: String = client.query_one("SELECT state FROM grnet.stat_engine", &[]).expect("the view works").get(0);
    assert_eq!(state, "starting");
    server.stop(Mode::Fast).expect("it stops");
    let pid = sleeper().expect("it slept");
    assert!(!is_alive(pid), "process {pid} is an orphan");
}

/// Ends a server in some way and asserts that no engine outlives it.
fn leaves_no_engine(what: &str, preload: bool, end: impl FnOnce(&Server)) {
    let server = Server::build(|builder| builder.preload(preload));
    warm(&server);
    let (engine, folder) = (server.engine(), server.data_dir());
    end(&server);
    let took = eventually(what, Duration::from_secs(10), || !is_alive(engine) && engines_of(&folder).is_empty());
    println!("{what}, preloaded {preload}: the engine was gone after {} ms", took.as_millis());
    // And the next start has one again, whatever the last one left in its folder.
    eventually("no server runs", START, || server.postmaster_pid().is_err());
    server.start_again().unwrap_or_else(|error| panic!("{error}"));
    warm(&server);
    assert_eq!(server.engines().len(), 1);
}

#[test]
fn an_immediate_stop_leaves_no_engine() {
    for preload in [true, false] {
        leaves_no_engine("immediate stop", preload, |server| server.stop(Mode::Immediate).expect("it stops"));
    }
}

#[test]
fn a_fast_stop_leaves_no_engine() {
    for preload in [true, false] {
        leaves_no_engine("fast stop", preload, |server| server.stop(Mode::Fast).expect("it stops"));
    }
}

#[test]
fn a_killed_postmaster_leaves_no_engine() {
    leaves_no_engine("kill -9 of the postmaster", true, |server| {
        let pid = server.postmaster_pid().expect("a server");
        server.kill_postmaster().expect("it is killed");
        // A dead process that nobody has collected yet counts as a running server for pg_ctl. Its new parent collects it
        // sooner or later; a container's first process may never do so, and then the file goes by hand.
        let collected = || !std::path::Path::new(&format!("/proc/{pid}")).exists();
        let limit = Instant::now() + Duration::from_secs(5);
        while !collected() && Instant::now() < limit {
            thread::sleep(Duration::from_millis(10));
        }
        if !collected() {
            std::fs::remove_file(server.data_dir().join("postmaster.pid")).expect("the file is there");
        }
    });
}

#[test]
fn a_stopped_engine_does_not_keep_the_server_from_ending() {
    leaves_no_engine("fast stop with a stopped engine", true, |server| {
        process::send(server.engine(), Signal::Stop);
        server.stop(Mode::Fast).expect("it stops");
    });
}

#[test]
fn a_killed_supervisor_takes_its_engine_along_and_comes_back() {
    for preload in [true, false] {
        let server = Server::build(|builder| builder.preload(preload));
        warm(&server);
        let (engine, supervisor) = (server.engine(), server.supervisor().expect("a supervisor"));
        process::send(supervisor, Signal::Kill);
        eventually("its engine ends", Duration::from_secs(10), || !is_alive(engine));
        // The server starts all its processes again, as after every crash of one of them.
        eventually("the server answers", START, || server.connect().is_ok());
        let start = Instant::now();
        features(&mut server.session(), &bmp(3));
        println!("preloaded {preload}: the next embed took {} ms", start.elapsed().as_millis());
        assert_eq!(server.engines(), [server.engine()]);
        assert_ne!(server.supervisor(), Some(supervisor));
    }
}

/// 50 sessions at once, each with `images` in a call, are all answered.
fn crowd(server: &Server, images: usize) {
    let sessions: Vec<_> = (0..50u64)
        .map(|n| {
            let mut client = server.session();
            thread::spawn(move || {
                let images: Vec<Vec<u8>> = (0..images as u64).map(|image| bmp(n * 100 + image)).collect();
                let answer = client.query_one("SELECT cardinality(grnet_embed_images($1))", &[&images]);
                let count: i32 = answer.unwrap_or_else(|error| panic!("{:?}", Refusal::of(&error))).get(0);
                assert_eq!(count, images.len() as i32);
            })
        })
        .collect();
    sessions.into_iter().for_each(|session| session.join().expect("an answer"));
}

#[test]
fn fifty_sessions_at_once_are_all_answered_however_small_the_queue() {
    let server = Server::build(|builder| builder.preload(true).setting("max_connections", 80));
    let engine = server.engine();
    crowd(&server, 5);
    assert_eq!(server.engine(), engine);

    server.set("grnet.engine_max_queue", "20");
    eventually("the engine is another one", START, || server.engines().first().is_some_and(|&pid| pid != engine));
    let engine = server.engine();
    crowd(&server, 15);
    assert_eq!(counter(&mut server.session(), "busy"), 0);
    assert_eq!(server.engine(), engine);
}

#[test]
fn a_thousand_images_of_one_session_are_not_the_others_wait() {
    let server = Server::start();
    let mut large = server.session();
    let (mut small, mut looking) = (warm(&server), server.session());
    let images: Vec<Vec<u8>> = (0..1024).map(|n| encode(&picture(n, 640, 640), image::ImageFormat::Jpeg)).collect();
    let loading = thread::spawn(move || {
        let answer = large.query_one("SELECT cardinality(grnet_embed_images($1))", &[&images]);
        answer.map(|row| row.get::<_, i32>(0))
    });
    eventually("the large call is in work", START, || counter(&mut looking, "queued") > 100);
    // Single images, one after another, while it goes on: each is answered, and long before it.
    let mut served = 0;
    while served < 10 && !loading.is_finished() {
        features(&mut small, &bmp(5_000 + served));
        served += 1;
    }
    assert!(!loading.is_finished() && served == 10, "{served} images of the other session were served meanwhile");
    assert_eq!(loading.join().expect("no panic").expect("the large call is answered too"), 1024);
    assert_eq!(counter(&mut looking, "busy"), 0);
}

#[test]
fn fifty_sessions_find_a_fresh_engine_that_lacks_their_model() {
    let server = Server::build(|builder| builder.preload(true).setting("max_connections", 80));
    server
        .session()
        .batch_execute("SELECT grnet_install_model('base'); ALTER DATABASE postgres SET grnet.model = 'base'")
        .expect("a larger model, which takes longer to load");
    server.kill_engine();
    server.engine();
    crowd(&server, 1);
}

#[test]
fn idle_sessions_keep_nobody_out() {
    let server = Server::build(|builder| builder.preload(true).setting("max_connections", 560));
    // More than the engine takes connections (512): a pool's sessions that each embedded once and are idle now.
    let mut sessions = Vec::new();
    for n in 0..530 {
        let mut client = server.session();
        let result = try_features(&mut client, &bmp(n % 7));
        assert!(result.is_ok(), "session {n}: {:?}", result.err().and_then(|error| Refusal::of(&error)));
        sessions.push(client);
    }
    println!("{} idle sessions, and each could embed", sessions.len());
}
