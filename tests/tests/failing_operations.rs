//! Every operation on the way between backend and engine fails once: accept, connect, read, write, spawn.

use std::time::{Duration, Instant};

use grnet_tests::eventually;
use grnet_tests::images::bmp;
use grnet_tests::refusal::Refusal;
use grnet_tests::server::{START, Server, installation, try_features};
use postgres::Client;

/// Operations in a row that passed without a failure before a loop believes that there are no more: a failing
/// handshake is repeated silently, so a single success proves nothing.
const SURE: u64 = 6;
/// More operations than one image can take.
const MOST: u64 = 100;

/// Embeds once while an operation fails: true where it was refused, cleanly.
fn embed(client: &mut Client, image: u64, what: &str) -> bool {
    let start = Instant::now();
    let result = try_features(client, &bmp(image));
    assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
    let Err(error) = result else { return false };
    let refusal = Refusal::of(&error).unwrap_or_else(|| panic!("{what}: the session was lost: {error:?}"));
    assert_eq!(refusal.code, "08006", "{what}: {refusal:?}");
    assert!(!refusal.detail.is_empty() && !refusal.hint.is_empty(), "{what}: {refusal:?}");
    true
}

#[test]
fn every_operation_of_a_backend_fails_cleanly() {
    let server = Server::start();
    let mut handled = 0;
    let mut run = |way: &str, prepare: &dyn Fn() -> Client| {
        let (mut last, mut n) = (0, 0);
        while n < last + SURE {
            n += 1;
            assert!(n < MOST, "{way}: operation {n} still fails");
            let mut client = prepare();
            client.batch_execute(&format!("SET grnet.debug_fail_nth = {n}")).expect("a superuser may");
            if embed(&mut client, 1000 + n, &format!("{way}, operation {n}")) {
                last = n;
            }
            client.batch_execute("SET grnet.debug_fail_nth = 0").expect("a superuser may");
            assert!(!embed(&mut client, 2000 + n, way), "{way}: after operation {n} failed the next image failed too");
        }
        println!("{way}: {last} of {last} operations handled");
        handled += last;
    };
    run("a session's first image", &|| server.session());
    run("a session's second image", &|| {
        let mut client = server.session();
        assert!(!embed(&mut client, 1, "before"));
        client
    });
    run("the first image of an engine that lacks the model", &|| {
        server.kill_engine();
        server.engine();
        server.session()
    });
    println!("{handled} of {handled} operations handled (backend)");
    // Connect, two handshake messages, request and reply; request and reply; the same with the model between.
    assert!(handled >= 5 + 2 + 9, "{handled}");
}

/// A program in the server's folder that starts the engine with its n-th operation failing.
fn wrapper(server: &Server, n: u64) -> String {
    use std::os::unix::fs::PermissionsExt;
    let engine = installation().pkglibdir().join("grnet/grnet-engine");
    let path = server.data_dir().join(format!("engine-{n}.sh"));
    let text = format!("#!/bin/sh\nGRNET_FAIL_NTH={n} exec '{}' \"$@\"\n", engine.display());
    std::fs::write(&path, text).expect("the folder is writable");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
    path.display().to_string()
}

#[test]
fn every_operation_of_the_engine_fails_cleanly() {
    let server = Server::start();
    let (mut last, mut n, mut errors) = (0, 0, 0);
    let mut before = server.engine();
    // An engine's own operations are not seen from here: an accept or a spawn that fails may cost nobody anything.
    while n < last + 2 * SURE {
        n += 1;
        assert!(n < MOST, "operation {n} still fails");
        server.set("grnet.engine_program", &wrapper(&server, n));
        eventually("the engine is another one", START, || server.engines().first().is_some_and(|&pid| pid != before));
        eventually("its socket is there", START, || server.log().matches("is ready after").count() as u64 > n);
        before = server.engines()[0];
        let what = format!("operation {n}");
        // Three sessions, two images each: the failure meets one of them.
        let mut failed = 0;
        for session in 0..3 {
            let mut client = server.session();
            for image in 0..2 {
                failed += u64::from(embed(&mut client, 3000 + n * 10 + session * 2 + image, &what));
            }
        }
        assert!(failed <= 1, "{what}: one failure was felt {failed} times");
        if failed > 0 {
            (last, errors) = (n, errors + 1);
        }
        assert_eq!(server.engines(), [before], "{what}: the engine ended over it");
    }
    println!("{last} of {last} operations handled (engine; {errors} of them were felt as an ERROR)");
    assert!(last > 5, "{last}");
}
