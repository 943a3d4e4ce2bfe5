//! Who is let in, and what becomes of those who talk nonsense.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use grnet_wire::{PROTOCOL, Reply, Request};

use super::fixture::{Client, Running, embed, limits, number, outcomes};

#[test]
fn a_client_of_the_same_protocol_is_let_in() {
    let running = Running::start(limits());
    let mut client = Client::raw(&running.socket()).unwrap();
    let reply = client.ask(&Request::Hello { protocol: PROTOCOL, pid: 1 });
    assert_eq!(reply, Reply::Hello { protocol: PROTOCOL, pid: std::process::id() });
}

#[test]
fn another_protocol_is_refused_with_both_numbers() {
    let running = Running::start(limits());
    let mut client = Client::raw(&running.socket()).unwrap();
    match client.ask(&Request::Hello { protocol: 77, pid: 1 }) {
        Reply::Refused { reason } => assert!(reason.contains("77") && reason.contains(&PROTOCOL.to_string())),
        other => panic!("{other:?}"),
    }
    assert!(client.is_closed());
    let mut client = Client::raw(&running.socket()).unwrap();
    assert!(matches!(client.ask(&Request::Stats { id: 1 }), Reply::Refused { .. }));
    assert!(client.is_closed());
}

#[test]
fn connections_beyond_the_limit_are_refused_until_one_goes() {
    let mut limits = limits();
    limits.max_connections = 2;
    let running = Running::start(limits);
    let (first, _second) = (running.connect(), running.connect());
    let error = Client::connect(&running.socket()).err().unwrap().to_string();
    assert!(error.contains("2 connections") || error.contains("pipe"), "{error}");
    drop(first);
    super::fixture::eventually("a place is free", || Client::connect(&running.socket()).is_ok());
}

#[test]
fn nonsense_closes_the_connection_and_no_other() {
    let running = Running::with_model(limits());
    let mut witness = running.connect();
    let stats = grnet_wire::encode_request(&Request::Stats { id: 1 }).unwrap();
    let mut trailing = (stats.len() as u32 + 3).to_le_bytes().to_vec();
    trailing.extend(&stats);
    trailing.extend([1, 2, 3]);
    let garbage = [&16u32.to_le_bytes()[..], &[0xaa; 16]].concat();
    let huge = u32::MAX.to_le_bytes().to_vec();
    let counted = {
        // A list of 2^60 images, announced in a small frame.
        let mut bytes = grnet_wire::encode_request(&embed(1, running.model, &[])).unwrap();
        let at = bytes.len() - 8;
        bytes[at..].copy_from_slice(&(1u64 << 60).to_le_bytes());
        [&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat()
    };
    for (what, bytes) in [("trailing", trailing), ("garbage", garbage), ("huge", huge), ("counted", counted)] {
        let mut client = running.connect();
        client.stream.write_all(&bytes).unwrap();
        assert!(client.is_closed(), "{what}");
        let mut early = Client::raw(&running.socket()).unwrap();
        early.stream.write_all(&bytes).unwrap();
        assert!(early.is_closed() || what == "trailing", "{what} instead of a hello");
        let answer = outcomes(witness.ask(&embed(2, running.model, &[b"ok\x05"])));
        assert_eq!(number(&answer[0]), 5.0, "after {what}");
    }
}

#[test]
fn the_socket_is_the_owner_s_alone_and_goes_with_the_server() {
    let mut running = Running::start(limits());
    let path = running.socket();
    let metadata = std::fs::symlink_metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(metadata.uid(), rustix::process::geteuid().as_raw());
    assert!(running.server.take().unwrap().stop(super::fixture::PATIENCE));
    assert!(!path.exists());

    let running = Running::start(limits());
    std::fs::remove_file(running.socket()).unwrap();
    std::fs::write(running.socket(), "a successor's").unwrap();
    let path = running.socket();
    let folder = {
        let mut running = running;
        assert!(running.server.take().unwrap().stop(super::fixture::PATIENCE));
        std::mem::replace(&mut running.folder, tempfile::tempdir().unwrap())
    };
    assert!(path.exists(), "another's file was removed");
    drop(folder);
}
