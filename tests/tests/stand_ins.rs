//! Programs in the engine's place: what the supervisor lets them have, say and take. And the engine itself, behind its fence.

use std::path::PathBuf;

use grnet_cluster::process::is_alive;
use grnet_tests::eventually;
use grnet_tests::images::bmp;
use grnet_tests::server::{START, Server, features, try_features};

/// What the engine may find in its environment, as docs/operating.md lists it, and what it is given besides.
const VARIABLES: [&str; 21] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_MODULE_LOADING",
    "CUDA_CACHE_DISABLE",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "MKL_NUM_THREADS",
    "MALLOC_ARENA_MAX",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "RUST_BACKTRACE",
    "GRNET_KERNEL",
    "GRNET_FAIL_NTH",
];

/// A server whose engine is a shell script, once that has said to be done by making the file `done`.
fn stand_in(script: &str, settings: &[(&str, &str)]) -> (Server, PathBuf) {
    let server = Server::start();
    server.engine();
    let folder = server.data_dir();
    let (program, done) = (folder.join("stand-in.sh"), folder.join("stand-in.done"));
    let text = format!("#!/bin/sh\n{script}\necho $$ > '{}'\nexec sleep 1000\n", done.display());
    std::fs::write(&program, text).expect("the folder is writable");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("the file is ours");
    for (name, value) in settings {
        server.set(name, value);
    }
    server.set("grnet.engine_program", &program.display().to_string());
    eventually("the stand-in has done its part", START, || done.exists());
    (server, done)
}

fn text(server: &Server, column: &str) -> String {
    let sql = format!("SELECT coalesce({column}::text, '') FROM grnet.stat_engine");
    server.session().query_one(&sql, &[]).expect("the view works").get(0)
}

#[test]
fn one_that_hangs_at_its_start_is_killed_and_tried_again() {
    let (server, done) = stand_in("sleep 1000 & echo $! > child.pid", &[("grnet.engine_start_timeout", "700ms")]);
    let pid = || std::fs::read_to_string(&done).ok().and_then(|pid| pid.trim().parse::<u32>().ok());
    let first = pid().expect("it has written its process");
    let child = || std::fs::read_to_string(done.with_file_name("child.pid")).ok()?.trim().parse::<u32>().ok();
    let its_own = child().expect("it has started one");
    eventually("it is killed, and what it has started", START, || !is_alive(first) && !is_alive(its_own));
    eventually("the view says why", START, || text(&server, "last_exit").contains("not ready after 700 ms"));
    eventually("another one is started", START, || pid().is_some_and(|pid| pid != first));
    assert_eq!(text(&server, "state"), "failing");
    assert!(server.log().contains("is not ready after 700 ms and is killed"));
    // Repaired, it comes up.
    server.set("grnet.engine_start_timeout", "1min");
    server.set("grnet.engine_program", "");
    features(&mut server.session(), &bmp(1));
}

#[test]
fn what_one_says_is_bounded_in_length_number_and_letters() {
    let script = "printf 'red \\033[31m nul \\000 bell \\007 end\\n' >&2\n\
                  head -c 3000000 /dev/zero | tr '\\000' x >&2; echo >&2\n\
                  yes 'words without end' | head -n 100000 >&2";
    let (server, _) = stand_in(script, &[]);
    eventually("it is said how much was left out", START, || server.log().contains("lines were left out"));
    let log = server.log();
    let said: Vec<&str> = log.lines().filter(|line| line.contains("grnet engine:")).collect();
    println!("{} of 100,002 lines are in the server's log", said.len());
    assert!(said.len() < 2_000, "{} lines", said.len());
    assert!(said.iter().any(|line| line.contains("red ?[31m nul ? bell ? end")), "{:?}", &said[..said.len().min(20)]);
    assert!(said.iter().any(|line| line.contains("xxx ... (") && line.contains("more bytes)")));
    assert!(
        said.iter().all(|line| line.len() < 1_300),
        "a line of {:?} bytes",
        said.iter().map(|line| line.len()).max()
    );
    assert!(!log.contains('\0') && !log.contains('\u{1b}'));
    // The supervisor listened to all of it and has time for other things.
    server.set("grnet.engine_program", "");
    features(&mut server.session(), &bmp(1));
}

#[test]
fn one_finds_a_clean_environment_and_can_gain_no_rights() {
    let (server, done) = stand_in("env > env.txt; cat /proc/self/status > status.txt", &[]);
    let folder = done.parent().expect("the data directory");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the stand-in wrote it");
    let environment = read("env.txt");
    // What the shell adds by itself.
    let names = environment.lines().filter_map(|line| Some(line.split_once('=')?.0));
    let strange: Vec<&str> =
        names.filter(|name| !VARIABLES.contains(name) && !["PWD", "SHLVL", "_"].contains(name)).collect();
    assert_eq!(strange, Vec::<&str>::new());
    assert!(environment.contains("OMP_WAIT_POLICY=PASSIVE"));
    // The control: the server itself has more.
    let postmaster = server.postmaster_pid().expect("a server");
    let servers = std::fs::read(format!("/proc/{postmaster}/environ")).expect("it runs");
    assert!(String::from_utf8_lossy(&servers).contains("CARGO_MANIFEST_DIR="), "the test's own variable is not there");
    assert!(read("status.txt").contains("NoNewPrivs:\t1"), "{}", read("status.txt"));
}

#[test]
fn the_engine_is_fenced_and_says_so() {
    let server = Server::start();
    let engine = server.engine();
    let status = std::fs::read_to_string(format!("/proc/{engine}/status")).expect("it runs");
    assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
    let fence = text(&server, "fence");
    println!("fenced off: {fence}");
    assert!(fence.contains("system calls") && fence.contains("files"), "{fence}");
    assert!(server.log().contains(&format!("fenced off: {fence}")));
    server.set("grnet.engine_fence", "off");
    eventually("an engine without a fence", START, || text(&server, "fence") == "off");
    features(&mut server.session(), &bmp(1));
}

#[test]
fn the_progress_of_a_stopped_engine_is_a_row_that_says_so() {
    use grnet_cluster::process::{Signal, send};
    let server = Server::start();
    let engine = server.engine();
    let phases = || -> Vec<String> {
        let rows = server.session().query("SELECT phase FROM grnet.stat_progress_train", &[]).expect("the view works");
        rows.iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(phases(), Vec::<String>::new());
    send(engine, Signal::Stop);
    let stopped = phases();
    send(engine, Signal::Continue);
    assert_eq!(stopped, ["engine not responding"]);
    server.set("grnet.engine_program", "/bin/false");
    eventually("it fails", START, || phases() == ["engine failing"]);
    assert!(try_features(&mut server.session(), &bmp(1)).is_err());
}
