//! Queue, deadlines, and clients that go or do not read.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use grnet_wire::{Failure, Request};

use super::fixture::{Running, embed, embed_within, eventually, failure, limits, number, outcomes};

#[test]
fn a_session_that_asks_for_too_much_is_told_at_once_and_nobody_else() {
    let mut limits = limits();
    limits.max_queue = 4;
    let running = Running::with_model(limits);
    let (mut first, mut second) = (running.connect(), running.connect());
    running.bench.hold();
    first.send(&embed(1, running.model, &[b"ok\x01", b"ok\x02", b"ok\x03"]));
    eventually("three are queued", || running.stats().queued == 3);
    let start = Instant::now();
    let answer = failure(first.ask(&embed(2, running.model, &[b"ok\x04", b"ok\x05"])));
    assert_eq!(answer, Failure::Busy { queued: 3, limit: 4 });
    assert!(start.elapsed() < Duration::from_secs(1));
    // Larger than the limit, but all that this session waits for.
    second.send(&embed(3, running.model, &[&b"ok\x06"[..]; 9]));
    eventually("theirs are queued too", || running.stats().queued == 12);
    running.bench.release();
    assert_eq!(outcomes(first.receive()).len(), 3);
    assert_eq!(outcomes(second.receive()).len(), 9);
    assert_eq!(outcomes(first.ask(&embed(4, running.model, &[&b"ok\x01"[..]; 4]))).len(), 4);
    let stats = running.stats();
    assert_eq!((stats.busy, stats.queued, stats.queued_max), (1, 0, 12));
}

#[test]
fn bytes_in_memory_are_bounded_and_who_finds_no_room_waits() {
    let mut limits = limits();
    limits.max_request_bytes = 300 << 10;
    let running = Running::with_model(limits);
    let (mut first, mut second, mut gone) = (running.connect(), running.connect(), running.connect());
    let mut image = vec![0; 200 << 10];
    image[..3].copy_from_slice(b"ok\x01");
    running.bench.hold();
    first.send(&embed(1, running.model, &[&image]));
    eventually("one is queued", || running.stats().queued == 1);
    // Not read, so more than the socket takes is not even sent.
    let open = running.stats().connections;
    let model = running.model;
    let abandoned = image.clone();
    let leaving = std::thread::spawn(move || {
        gone.stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(gone.try_send(&embed(2, model, &[&abandoned, &abandoned])).is_err(), "it was read");
    });
    leaving.join().unwrap();
    eventually("one that waited for room and left is forgotten", || running.stats().connections < open);
    let waiting = std::thread::spawn(move || outcomes(second.ask(&embed(3, model, &[&image]))));
    // Small requests need no room: somebody else is served meanwhile.
    let mut third = running.connect();
    third.send(&embed(4, model, &[b"ok\x07"]));
    eventually("a small one is queued", || running.stats().queued == 2);
    running.bench.release();
    assert_eq!(number(&outcomes(first.receive())[0]), 1.0);
    assert_eq!(number(&outcomes(third.receive())[0]), 7.0);
    assert_eq!(number(&waiting.join().unwrap()[0]), 1.0);
    assert_eq!(running.stats().busy, 0);
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
    let images = [&b"slow\x02"[..]; 200];
    gone.send(&embed(2, running.model, &images));
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
