//! Queue, deadlines, and clients that go or do not read.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use grnet_wire::{Failure, Reply, Request};

use super::fixture::{Running, embed, embed_within, eventually, failure, limits, number, outcomes};

#[test]
fn a_full_queue_says_so_at_once() {
    let mut limits = limits();
    limits.max_queue = 4;
    let running = Running::with_model(limits);
    let (mut first, mut second) = (running.connect(), running.connect());
    running.bench.hold();
    first.send(&embed(1, running.model, &[b"ok\x01", b"ok\x02", b"ok\x03"]));
    eventually("three are queued", || running.stats().queued == 3);
    let start = Instant::now();
    let answer = failure(second.ask(&embed(2, running.model, &[b"ok\x04", b"ok\x05"])));
    assert_eq!(answer, Failure::Busy { queued: 3, limit: 4 });
    assert!(start.elapsed() < Duration::from_secs(1));
    second.send(&embed(3, running.model, &[b"ok\x06"]));
    running.bench.release();
    assert_eq!(outcomes(first.receive()).len(), 3);
    assert_eq!(outcomes(second.receive()).len(), 1);
    // Larger than the queue, but alone.
    assert_eq!(outcomes(first.ask(&embed(4, running.model, &[&b"ok\x01"[..]; 9]))).len(), 9);
    let stats = running.stats();
    assert_eq!((stats.busy, stats.queued, stats.queued_max), (1, 0, 9));
}

#[test]
fn bytes_in_memory_are_bounded_and_the_connection_survives() {
    let mut limits = limits();
    limits.max_request_bytes = 300 << 10;
    let running = Running::with_model(limits);
    let (mut first, mut second) = (running.connect(), running.connect());
    let mut photo = vec![0; 200 << 10];
    photo[..3].copy_from_slice(b"ok\x01");
    running.bench.hold();
    first.send(&embed(1, running.model, &[&photo]));
    eventually("one is queued", || running.stats().queued == 1);
    assert!(matches!(failure(second.ask(&embed(2, running.model, &[&photo]))), Failure::Busy { .. }));
    running.bench.release();
    assert_eq!(number(&outcomes(first.receive())[0]), 1.0);
    eventually("the bytes are given back", || {
        matches!(second.ask(&embed(3, running.model, &[&photo])), Reply::Features { .. })
    });
}

#[test]
fn what_is_late_reaches_neither_decoder_nor_network() {
    let running = Running::with_model(limits());
    let (mut first, mut late, mut decoded) = (running.connect(), running.connect(), running.connect());
    assert_eq!(failure(late.ask(&embed_within(1, running.model, 0, &[b"ok\x01"]))), Failure::Late);
    assert_eq!(running.bench.decoded.load(Ordering::SeqCst), 0);
    running.bench.hold();
    first.send(&embed(2, running.model, &[b"ok\x02"]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    decoded.send(&embed_within(3, running.model, 300, &[b"ok\x03"]));
    eventually("it is decoded", || running.bench.decoded.load(Ordering::SeqCst) == 2);
    std::thread::sleep(Duration::from_millis(350));
    running.bench.release();
    assert_eq!(failure(decoded.receive()), Failure::Late);
    assert_eq!(outcomes(first.receive()).len(), 1);
    assert_eq!(*running.bench.batches(), [vec![2]]);
    assert_eq!(running.stats().abandoned, 2);
}

#[test]
fn what_a_gone_client_asked_for_is_dropped() {
    let running = Running::with_model(limits());
    let (mut first, mut gone) = (running.connect(), running.connect());
    running.bench.hold();
    first.send(&embed(1, running.model, &[b"ok\x01"]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    let photos = [&b"slow\x02"[..]; 200];
    gone.send(&embed(2, running.model, &photos));
    eventually("it is in work", || running.bench.decoded.load(Ordering::SeqCst) > 1);
    drop(gone);
    eventually("its places are free", || running.stats().queued == 1);
    running.bench.release();
    assert_eq!(outcomes(first.receive()).len(), 1);
    let stats = running.stats();
    assert_eq!((stats.abandoned, stats.queued), (1, 0));
    assert!(running.bench.decoded.load(Ordering::SeqCst) < 150, "an abandoned request was decoded");
    assert_eq!(*running.bench.batches(), [vec![1]]);
}

#[test]
fn a_client_that_does_not_read_is_dropped_and_holds_nobody_up() {
    let running = Running::with_model(limits());
    let mut deaf = running.connect();
    let before = running.stats().connections;
    deaf.stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    let request = grnet_wire::encode_request(&Request::Stats { id: 1 }).unwrap();
    let frame = [&(request.len() as u32).to_le_bytes()[..], &request].concat();
    // More answers than the socket's buffer takes: ends with an error once the server hangs up.
    let start = Instant::now();
    while deaf.stream.write_all(&frame).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(20), "the server keeps a client that does not read");
    }
    let mut other = running.connect();
    assert_eq!(number(&outcomes(other.ask(&embed(1, running.model, &[b"ok\x01"])))[0]), 1.0);
    // `other` and the connection that asks are there, the deaf one is not.
    eventually("it is gone", || running.stats().connections == before);
}
