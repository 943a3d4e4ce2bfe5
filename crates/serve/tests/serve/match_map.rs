//! Match maps: the way of an embedding, and a picture at its end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use grnet_features::model_file::ModelId;
use grnet_wire::{Drawing, Failure, ImageFault, Reply, Side};
use image::RgbImage;

use super::fixture::{Running, drawing, embed, eventually, failure, limits, match_map, model_file, number, outcomes};

const LONG: u32 = 60_000;

/// The picture that a reply has.
fn picture(reply: Reply) -> RgbImage {
    match drawing(reply) {
        Drawing::Png(png) => image::load_from_memory_with_format(&png, image::ImageFormat::Png).unwrap().into_rgb8(),
        other => panic!("{other:?}"),
    }
}

/// What is wrong with which image.
fn refused(reply: Reply) -> (Side, ImageFault) {
    match drawing(reply) {
        Drawing::Refused(side, refusal) => (side, refusal.fault),
        other => panic!("{other:?}"),
    }
}

/// Pixels of boxes and lines: paper, these images and letters are grey, or nearly.
fn drawn(map: &RgbImage) -> usize {
    map.pixels().filter(|pixel| pixel.0[0].abs_diff(pixel.0[1]) > 16).count()
}

#[test]
fn two_images_become_a_picture_of_both() {
    let running = Running::with_model(limits());
    let mut client = running.connect();
    let map = picture(client.ask(&match_map(7, running.model, LONG, b"ok\x64", b"ok\x32")));
    // Both images are 256 wide and 512 high.
    assert_eq!(map.height(), 570);
    // Between the edge of a box and its middle nothing lies above them.
    let (left, right) = (map.width() / 2 - 38 - 256 + 40, map.width() / 2 + 38 + 40);
    assert_eq!([map.get_pixel(left, 54).0, map.get_pixel(right, 54).0], [[100; 3], [50; 3]]);
    assert!(drawn(&map) > 2000, "{} pixels of boxes and lines", drawn(&map));
    // White regions show nothing.
    assert_eq!(drawn(&picture(client.ask(&match_map(8, running.model, LONG, b"ok\xf5", b"ok\x32")))), 0);
    let stats = running.stats();
    assert_eq!((stats.requests, stats.images, stats.queued, stats.refused), (2, 4, 0, 0));
}

#[test]
fn its_images_share_a_batch_with_those_of_others() {
    let running = Running::with_model(limits());
    let (mut first, mut mapper, mut other) = (running.connect(), running.connect(), running.connect());
    running.bench.hold();
    first.send(&embed(1, running.model, &[b"ok\x01"]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    mapper.send(&match_map(2, running.model, LONG, b"ok\x02", b"ok\x03"));
    other.send(&embed(3, running.model, &[b"ok\x04"]));
    eventually("all are decoded", || running.bench.decoded.load(Ordering::SeqCst) == 4);
    std::thread::sleep(Duration::from_millis(20));
    running.bench.release();
    picture(mapper.receive());
    assert_eq!(number(&outcomes(first.receive())[0]), 1.0);
    assert_eq!(number(&outcomes(other.receive())[0]), 4.0);
    let mut batches = running.bench.batches().clone();
    batches.iter_mut().for_each(|batch| batch.sort_unstable());
    assert_eq!(batches, [vec![1], vec![2, 3, 4]]);
}

#[test]
fn a_bad_image_is_named_and_the_next_map_is_drawn() {
    let running = Running::with_model(limits());
    let mut client = running.connect();
    let large = vec![b'o'; (1 << 20) + 1];
    for (query, item, expected) in [
        (&b"none"[..], &b"ok\x01"[..], (Side::Query, ImageFault::BadImage)),
        (b"ok\x01", b"none", (Side::Item, ImageFault::BadImage)),
        (b"ok\x01", b"", (Side::Item, ImageFault::BadImage)),
        (b"ok\x01", b"panic", (Side::Item, ImageFault::BadImage)),
        (b"ok\x01", &large, (Side::Item, ImageFault::TooLarge)),
        (&large, b"none", (Side::Query, ImageFault::TooLarge)),
        (b"none", &large, (Side::Query, ImageFault::BadImage)),
        // Fit for the network, and then not for the picture.
        (b"half\x01", b"ok\x01", (Side::Query, ImageFault::BadImage)),
        (b"ok\x01", b"half\x01", (Side::Item, ImageFault::BadImage)),
    ] {
        for _ in 0..3 {
            assert_eq!(refused(client.ask(&match_map(1, running.model, LONG, query, item))), expected);
        }
    }
    picture(client.ask(&match_map(2, running.model, LONG, b"ok\x01", b"ok\x02")));
    assert_eq!(running.stats().queued, 0);
}

#[test]
fn an_unknown_model_is_asked_for() {
    let running = Running::start(limits());
    let file = model_file(5.0, "a");
    let model = ModelId::of(&file);
    let mut client = running.connect();
    let request = match_map(1, model, LONG, b"ok\x01", b"ok\x02");
    assert_eq!(client.ask(&request), Reply::NeedModel { id: 1, model });
    assert_eq!(client.ask(&grnet_wire::Request::Model { id: 2, file: &file }), Reply::ModelReady { id: 2, model });
    picture(client.ask(&request));
}

#[test]
fn what_is_late_is_not_drawn() {
    let running = Running::with_model(limits());
    let (mut first, mut late) = (running.connect(), running.connect());
    assert_eq!(failure(late.ask(&match_map(1, running.model, 0, b"ok\x01", b"ok\x02"))), Failure::Late);
    assert_eq!(running.bench.decoded.load(Ordering::SeqCst), 0);
    running.bench.hold();
    first.send(&embed(2, running.model, &[b"ok\x02"]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    late.send(&match_map(3, running.model, 300, b"ok\x03", b"ok\x04"));
    eventually("it is decoded", || running.bench.decoded.load(Ordering::SeqCst) == 3);
    std::thread::sleep(Duration::from_millis(350));
    running.bench.release();
    assert_eq!(failure(late.receive()), Failure::Late);
    assert_eq!(outcomes(first.receive()).len(), 1);
    let stats = running.stats();
    assert_eq!((stats.abandoned, stats.queued), (2, 0));
    assert_eq!(running.bench.pictures.load(Ordering::SeqCst), 0);
}

#[test]
fn what_a_gone_client_asked_for_is_not_drawn() {
    let running = Running::with_model(limits());
    let mut gone = running.connect();
    running.bench.hold();
    gone.send(&match_map(1, running.model, LONG, b"ok\x01", b"ok\x02"));
    eventually("the network has it", || running.bench.entered.load(Ordering::SeqCst) >= 1);
    let connections = running.stats().connections;
    drop(gone);
    eventually("the connection is gone", || running.stats().connections < connections);
    running.bench.release();
    eventually("its places are free", || running.stats().queued == 0);
    picture(running.connect().ask(&match_map(2, running.model, LONG, b"ok\x03", b"ok\x04")));
    assert_eq!(running.bench.pictures.load(Ordering::SeqCst), 2);
    assert_eq!(running.stats().abandoned, 1);
}

#[test]
fn a_session_that_asks_for_too_many_is_told_at_once_and_nobody_else() {
    let mut limits = limits();
    limits.max_queue = 3;
    let running = Running::with_model(limits);
    let (mut first, mut second) = (running.connect(), running.connect());
    running.bench.hold();
    first.send(&match_map(1, running.model, LONG, b"ok\x01", b"ok\x02"));
    eventually("both images are queued", || running.stats().queued == 2);
    let answer = failure(first.ask(&match_map(2, running.model, LONG, b"ok\x03", b"ok\x04")));
    assert_eq!(answer, Failure::Busy { queued: 2, limit: 3 });
    second.send(&match_map(3, running.model, LONG, b"ok\x03", b"ok\x04"));
    eventually("theirs are queued too", || running.stats().queued == 4);
    running.bench.release();
    picture(first.receive());
    picture(second.receive());
}

#[test]
fn a_network_error_fails_the_request_and_the_next_is_drawn() {
    let running = Running::with_model(limits());
    let mut client = running.connect();
    running.bench.broken.store(true, Ordering::SeqCst);
    let answer = failure(client.ask(&match_map(1, running.model, LONG, b"ok\x01", b"ok\x02")));
    assert_eq!(answer, Failure::Engine("out of memory on the device".into()));
    running.bench.broken.store(false, Ordering::SeqCst);
    picture(client.ask(&match_map(2, running.model, LONG, b"ok\x01", b"ok\x02")));
    assert_eq!(running.stats().queued, 0);
}
