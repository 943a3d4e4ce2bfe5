//! The engine is started again and again: broken and repaired ones, and what an earlier run left.

use grnet_cluster::Mode;
use grnet_tests::eventually;
use grnet_tests::images::bmp;
use grnet_tests::refusal::Refusal;
use grnet_tests::server::{START, Server, features, try_features};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_broken_engine_backs_off_and_a_repaired_one_is_found() {
    let server = Server::start();
    features(&mut server.session(), &bmp(0));
    server.set("grnet.engine_program", "/bin/false");
    let failing = || -> String {
        server.session().query_one("SELECT state FROM grnet.stat_engine", &[]).expect("the view works").get(0)
    };
    eventually("the view says so", START, || failing() == "failing");
    let starts = |server: &Server| -> i64 {
        let sql = "SELECT restarts FROM grnet.stat_engine";
        server.session().query_one(sql, &[]).expect("the view works").get(0)
    };
    // 200, 400, 800, … ms: five starts take over 3 s, and without a pause there would be hundreds.
    let before = starts(&server);
    thread::sleep(Duration::from_secs(3));
    let tried = starts(&server) - before;
    println!("a broken engine was started {tried} times in 3 s");
    assert!((1..=6).contains(&tried), "{tried}");
    let mut client = server.session();
    let error = try_features(&mut client, &bmp(1)).expect_err("there is no engine");
    assert_eq!(Refusal::of(&error).expect("an ERROR").code, "08006");

    server.set("grnet.engine_program", "");
    let start = Instant::now();
    eventually("the session recovers by itself", Duration::from_secs(5), || try_features(&mut client, &bmp(1)).is_ok());
    println!("after the repair the first image was embedded within {} ms", start.elapsed().as_millis());
}

#[test]
fn what_the_last_run_left_misleads_nobody() {
    let server = Server::start();
    features(&mut server.session(), &bmp(0));
    server.set("grnet.engine_program", "/bin/false");
    let sql = "SELECT state FROM grnet.stat_engine WHERE state = 'failing' AND restarts > 2";
    eventually("it fails", START, || server.session().query_opt(sql, &[]).expect("the view works").is_some());
    server.stop(Mode::Immediate).expect("it stops");
    // Repaired while the server was down: what the file in the folder says is of yesterday.
    let auto = server.data_dir().join("postgresql.auto.conf");
    let text = std::fs::read_to_string(&auto).expect("the file is there");
    std::fs::write(&auto, text.replace("/bin/false", "")).expect("the file is writable");
    server.start_again().unwrap_or_else(|error| panic!("{error}"));
    let mut client = server.session();
    let first = try_features(&mut client, &bmp(1));
    assert!(first.is_ok(), "{:?}", first.err().and_then(|error| Refusal::of(&error)));
}
