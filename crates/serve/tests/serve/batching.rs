//! What ends up in a batch, and what becomes of the images of one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use grnet_features::value::{Features, ImageDigest};
use grnet_wire::{Failure, ImageFault, Outcome, Region, Reply, Request};

use super::fixture::{INFINITE, PANIC, Running, embed, eventually, failure, limits, model_file, number, outcomes};

#[test]
fn images_of_two_sessions_share_a_batch() {
    let running = Running::with_model(limits());
    let (mut first, mut second, mut third) = (running.connect(), running.connect(), running.connect());
    running.bench.hold();
    first.send(&embed(1, running.model, &[b"ok\x01"]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    second.send(&embed(2, running.model, &[b"ok\x02", b"ok\x03"]));
    third.send(&embed(3, running.model, &[b"ok\x04"]));
    eventually("all are decoded", || running.bench.decoded.load(Ordering::SeqCst) == 4);
    std::thread::sleep(Duration::from_millis(20));
    running.bench.release();
    let answers = [first.receive(), second.receive(), third.receive()].map(outcomes);
    let numbers: Vec<Vec<f32>> = answers.iter().map(|a| a.iter().map(number).collect()).collect();
    assert_eq!(numbers, [vec![1.0], vec![2.0, 3.0], vec![4.0]]);
    let mut batches = running.bench.batches().clone();
    batches.iter_mut().for_each(|batch| batch.sort_unstable());
    assert_eq!(batches, [vec![1], vec![2, 3, 4]]);
    let stats = running.stats();
    assert_eq!((stats.batches, stats.images, stats.requests, stats.queued), (2, 4, 3, 0));
}

#[test]
fn a_batch_has_no_more_images_than_allowed_and_answers_keep_their_order() {
    let mut limits = limits();
    limits.max_batch = 3;
    let running = Running::with_model(limits);
    let images: Vec<Vec<u8>> = (0..20).map(|n| vec![b'o', b'k', n]).collect();
    let images: Vec<&[u8]> = images.iter().map(|image| &**image).collect();
    let answer = outcomes(running.connect().ask(&embed(1, running.model, &images)));
    assert_eq!(answer.iter().map(number).collect::<Vec<_>>(), (0..20u8).map(f32::from).collect::<Vec<_>>());
    assert!(running.bench.batches().iter().all(|batch| batch.len() <= 3));
}

#[test]
fn a_small_request_does_not_wait_behind_a_large_one() {
    let running = Running::with_model(limits());
    let (mut large, mut small) = (running.connect(), running.connect());
    let images = vec![&b"slow\x01"[..]; 100];
    large.send(&embed(1, running.model, &images));
    eventually("the large one is in work", || running.bench.decoded.load(Ordering::SeqCst) > 1);
    assert_eq!(number(&outcomes(small.ask(&embed(2, running.model, &[b"ok\x02"])))[0]), 2.0);
    assert!(running.bench.decoded.load(Ordering::SeqCst) < 50, "the large request went first");
    assert_eq!(outcomes(large.receive()).len(), 100);
}

#[test]
fn a_bad_image_leaves_the_good_ones_beside_it() {
    let running = Running::with_model(limits());
    let large = vec![b'o'; (1 << 20) + 1];
    let answer =
        outcomes(running.connect().ask(&embed(1, running.model, &[b"ok\x01", b"", b"panic", &large, b"ok\x02"])));
    assert_eq!((number(&answer[0]), number(&answer[4])), (1.0, 2.0));
    let fault = |outcome: &Outcome| match outcome {
        Outcome::Refused(refusal) => refusal.fault,
        other => panic!("{other:?}"),
    };
    let faults: Vec<_> = answer[1..4].iter().map(fault).collect();
    assert_eq!(faults, [ImageFault::BadImage, ImageFault::BadImage, ImageFault::TooLarge]);
    assert_eq!(running.stats().refused, 3);
}

#[test]
fn features_carry_model_and_digest_of_bytes_and_region() {
    let running = Running::with_model(limits());
    let region = Region { left: 1.0, top: 2.0, width: 3.0, height: 4.0 };
    let mut request = embed(1, running.model, &[b"ok\x07", b"ok\x07"]);
    if let Request::Embed { images, .. } = &mut request {
        images[1].region = Some(region);
    }
    let answer = outcomes(running.connect().ask(&request));
    for (outcome, region) in answer.iter().zip([None, Some([1.0, 2.0, 3.0, 4.0])]) {
        let Outcome::Features(value) = outcome else { panic!("{outcome:?}") };
        let features = Features::parse(value).unwrap();
        assert_eq!((features.model(), features.digest()), (running.model, ImageDigest::of(b"ok\x07", region)));
    }
}

#[test]
fn a_request_without_images_is_answered_at_once() {
    let running = Running::with_model(limits());
    assert_eq!(outcomes(running.connect().ask(&embed(1, running.model, &[]))), []);
}

#[test]
fn a_network_error_fails_the_request_and_the_next_is_served() {
    let running = Running::with_model(limits());
    let mut client = running.connect();
    running.bench.broken.store(true, Ordering::SeqCst);
    let answer = failure(client.ask(&embed(1, running.model, &[b"ok\x01", b"ok\x02"])));
    assert_eq!(answer, Failure::Engine("out of memory on the device".into()));
    running.bench.broken.store(false, Ordering::SeqCst);
    assert_eq!(number(&outcomes(client.ask(&embed(2, running.model, &[b"ok\x01"])))[0]), 1.0);
    assert_eq!(running.stats().queued, 0);
}

#[test]
fn features_that_cannot_be_stored_fail_their_own_request_only() {
    let running = Running::with_model(limits());
    let (mut first, mut bad, mut good) = (running.connect(), running.connect(), running.connect());
    running.bench.hold();
    first.send(&embed(1, running.model, &[b"ok\x01"]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    bad.send(&embed(2, running.model, &[&[b'o', b'k', INFINITE]]));
    good.send(&embed(3, running.model, &[b"ok\x03"]));
    eventually("all are decoded", || running.bench.decoded.load(Ordering::SeqCst) == 3);
    running.bench.release();
    assert!(matches!(failure(bad.receive()), Failure::Engine(message) if message.contains("not finite")));
    assert_eq!(number(&outcomes(good.receive())[0]), 3.0);
    assert!(matches!(first.receive(), Reply::Features { .. }));
}

#[test]
fn a_panic_of_the_network_fails_its_own_request_and_the_engine_lives_on() {
    let running = Running::with_model(limits());
    let (mut first, mut bad, mut good) = (running.connect(), running.connect(), running.connect());
    running.bench.hold();
    first.send(&embed(1, running.model, &[b"ok\x01"]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    bad.send(&embed(2, running.model, &[&[b'o', b'k', PANIC]]));
    good.send(&embed(3, running.model, &[b"ok\x03"]));
    eventually("all are decoded", || running.bench.decoded.load(Ordering::SeqCst) == 3);
    running.bench.release();
    assert!(matches!(failure(bad.receive()), Failure::Engine(message) if message.contains("panics on purpose")));
    assert_eq!(number(&outcomes(good.receive())[0]), 3.0);
    assert_eq!(number(&outcomes(first.receive())[0]), 1.0);
    assert_eq!(number(&outcomes(bad.ask(&embed(4, running.model, &[b"ok\x04"])))[0]), 4.0);
    assert_eq!(running.stats().queued, 0);
}

#[test]
fn a_panic_while_a_model_is_loaded_refuses_that_model() {
    let running = Running::with_model(limits());
    let mut client = running.connect();
    let answer = failure(client.ask(&Request::Model { id: 1, file: &model_file(1.0, "panics") }));
    assert!(matches!(answer, Failure::BadModel(message) if message.contains("panics on purpose")));
    assert_eq!(number(&outcomes(client.ask(&embed(2, running.model, &[b"ok\x05"])))[0]), 5.0);
}
