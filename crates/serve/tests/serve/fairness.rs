//! Sessions side by side: what one asks for, however much, is not the others' wait.

use std::sync::atomic::Ordering;

use grnet_features::model_file::ModelId;
use grnet_wire::{Reply, Request};

use super::fixture::{Client, Running, drawing, embed, eventually, limits, match_map, model_file, number, outcomes};

/// A network that is held in a batch of a session that asked for `images` images of bytes 1, with as many decoded ahead
/// of it as may be.
fn crowded(images: usize) -> (Running, Client) {
    let running = Running::with_model(limits());
    let mut first = running.connect();
    running.bench.hold();
    first.send(&embed(1, running.model, &vec![&b"ok\x01"[..]; images]));
    eventually("the network is busy", || running.bench.entered.load(Ordering::SeqCst) == 1);
    let mut decoded = 0;
    eventually("nothing more is decoded", || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        let before = std::mem::replace(&mut decoded, running.bench.decoded.load(Ordering::SeqCst));
        before == decoded
    });
    (running, first)
}

/// The number of the first batch that has an image of these bytes.
fn batch_of(running: &Running, byte: u8) -> usize {
    running.bench.batches().iter().position(|batch| batch.contains(&byte)).expect("it was in a batch")
}

#[test]
fn one_image_is_in_the_next_batch_beside_a_thousand_of_another_session() {
    let (running, mut first) = crowded(1024);
    let ahead = running.bench.decoded.load(Ordering::SeqCst);
    assert!(ahead <= 16 + 2 * 16 + 2, "{ahead} images are decoded, two batches ahead and one in each decoder may be");
    let mut second = running.connect();
    second.send(&embed(2, running.model, &[b"ok\x02"]));
    eventually("theirs is decoded", || running.bench.decoded.load(Ordering::SeqCst) > ahead);
    // It is in the inbox a moment after it was counted.
    std::thread::sleep(std::time::Duration::from_millis(20));
    running.bench.release();
    assert_eq!(number(&outcomes(second.receive())[0]), 2.0);
    assert_eq!(batch_of(&running, 2), 1);
    assert_eq!(outcomes(first.receive()).len(), 1024);
    let stats = running.stats();
    assert_eq!((stats.busy, stats.queued), (0, 0));
}

#[test]
fn sessions_that_want_more_than_there_is_have_equal_shares() {
    let (running, mut first) = crowded(600);
    let mut others: Vec<Client> = (2..=4u8)
        .map(|byte| {
            let mut client = running.connect();
            let image = [b'o', b'k', byte];
            client.send(&embed(2, running.model, &[&image[..]; 100]));
            client
        })
        .collect();
    eventually("all of theirs wait", || running.stats().queued == 900);
    running.bench.release();
    others.iter_mut().for_each(|client| assert_eq!(outcomes(client.receive()).len(), 100));
    assert_eq!(outcomes(first.receive()).len(), 600);
    // While the three had images left, the first got about as many as one of them, and what it had ahead before they
    // came.
    let batches = running.bench.batches();
    let last = batches.iter().rposition(|batch| batch.iter().any(|byte| *byte != 1)).expect("theirs");
    let firsts = batches[..=last].iter().flatten().filter(|byte| **byte == 1).count();
    assert!(firsts <= 100 + 50 + 2 * 34, "{firsts} images of the first session before 300 of the others were done");
}

#[test]
fn a_session_with_another_model_has_its_turn() {
    let (running, mut first) = crowded(400);
    let file = model_file(2.0, "a");
    let (other, mut second) = (ModelId::of(&file), running.connect());
    second.send(&Request::Model { id: 2, file: &file });
    running.bench.release();
    assert_eq!(second.receive(), Reply::ModelReady { id: 2, model: other });
    let before = running.bench.entered.load(Ordering::SeqCst);
    assert_eq!(number(&outcomes(second.ask(&embed(3, other, &[b"ok\x02"])))[0]), 2.0);
    assert!(batch_of(&running, 2) <= before + 4, "{} after {before}", batch_of(&running, 2));
    assert_eq!(outcomes(first.receive()).len(), 400);
}

#[test]
fn a_map_is_drawn_beside_many_images_of_another_session() {
    let running = Running::with_model(limits());
    let (mut first, mut second) = (running.connect(), running.connect());
    first.send(&embed(1, running.model, &[&b"slow\x01"[..]; 200]));
    eventually("it is in work", || running.bench.decoded.load(Ordering::SeqCst) > 1);
    second.send(&match_map(2, running.model, 60_000, b"ok\x02", b"ok\x03"));
    assert!(matches!(drawing(second.receive()), grnet_wire::Drawing::Png(_)));
    assert!(running.bench.decoded.load(Ordering::SeqCst) < 150, "the large request went first");
    assert_eq!(outcomes(first.receive()).len(), 200);
}

#[test]
fn places_of_a_session_that_left_are_others_at_once() {
    let (running, first) = crowded(1024);
    drop(first);
    eventually("its images wait no more", || running.stats().queued == 0);
    let mut second = running.connect();
    second.send(&embed(2, running.model, &[&b"ok\x02"[..]; 200]));
    eventually("theirs are queued", || running.stats().queued == 200);
    running.bench.release();
    assert_eq!(outcomes(second.receive()).len(), 200);
    let mine = running.bench.batches().iter().flatten().filter(|byte| **byte == 1).count();
    assert!(mine <= 16, "{mine} images of a session that left went through the network");
}
