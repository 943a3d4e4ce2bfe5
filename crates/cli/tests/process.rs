//! The real program: it starts, answers, and ends with its parent.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use grnet_wire::{Reply, Request};

#[allow(dead_code, reason = "the server's own tests use all of it")]
#[path = "../../serve/tests/serve/client.rs"]
mod client;

use client::{Client, eventually};

const ENGINE: &str = env!("CARGO_BIN_EXE_grnet-engine");

fn engine(folder: &Path, extra: &[&str]) -> Command {
    let mut command = Command::new(ENGINE);
    // Relative, as the supervisor does it: the folder's own path may be too long.
    command.current_dir(folder).args(["serve", "--socket", "s", "--device", "cpu", "--threads", "1"]).args(extra);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn started(child: &mut Child, folder: &Path) -> Client {
    let socket = folder.join("s");
    let mut client = None;
    eventually("the engine answers", || {
        assert_eq!(child.try_wait().unwrap(), None, "the engine ended");
        client = Client::connect(&socket).ok();
        client.is_some()
    });
    client.unwrap()
}

fn ended_within(child: &mut Child, limit: Duration) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > limit {
            child.kill().unwrap();
            panic!("the engine was still there after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn it_ends_with_the_parent_s_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = engine(folder.path(), &["--parent-pipe"]).spawn().unwrap();
    let mut client = started(&mut child, folder.path());
    match client.ask(&Request::Stats { id: 1 }) {
        Reply::Stats { stats, .. } => assert_eq!((stats.pid, &*stats.device), (child.id(), "cpu")),
        other => panic!("{other:?}"),
    }
    drop(child.stdin.take());
    ended_within(&mut child, Duration::from_secs(1));
    assert!(client.is_closed());
}

#[test]
fn a_signal_ends_it_cleanly_and_a_dead_one_s_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = engine(folder.path(), &[]).spawn().unwrap();
    started(&mut child, folder.path());
    let second = engine(folder.path(), &[]).output().unwrap();
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && message.contains("another engine answers"), "{message}");

    child.kill().unwrap();
    child.wait().unwrap();
    assert!(folder.path().join("s").exists(), "killed, it cannot clean up");

    let mut child = engine(folder.path(), &[]).spawn().unwrap();
    started(&mut child, folder.path());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(ended_within(&mut child, Duration::from_secs(3)).code(), Some(0));
    assert!(!folder.path().join("s").exists());
}

#[test]
fn it_is_killed_with_its_parent_even_where_it_is_stopped() {
    for stopped in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        // A shell as the parent, which keeps the pipe open and says the engine's process id.
        let script = format!(
            "'{ENGINE}' serve --socket s --device cpu --threads 1 --parent-pipe <p & echo $! >pid; exec 3>p; wait"
        );
        let mut shell = Command::new("sh")
            .args(["-c", &format!("mkfifo p; {script}")])
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let client = started(&mut shell, folder.path());
        drop(client);
        let pid: i32 = std::fs::read_to_string(folder.path().join("pid")).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        if stopped {
            rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        }
        shell.kill().unwrap();
        assert_eq!(shell.wait().unwrap().signal(), Some(9));
        let killed = Instant::now();
        eventually("the engine is gone", || gone(pid));
        assert!(killed.elapsed() < Duration::from_secs(1), "{:?}, stopped: {stopped}", killed.elapsed());
    }
}

/// No such process, or one that only waits to be collected.
fn gone(pid: rustix::process::Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with(['Z', 'X']))
}

#[test]
fn a_path_that_is_too_long_and_a_device_that_is_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(120);
    for (args, expected) in [(["--socket", &*long], "120 bytes"), (["--device", "cuda:99"], "cuda:99")] {
        let mut command = Command::new(ENGINE);
        command.current_dir(folder.path()).arg("serve");
        if args[0] != "--socket" {
            command.args(["--socket", "s"]);
        }
        let output = command.args(args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && message.contains(expected), "{message}");
    }
}
