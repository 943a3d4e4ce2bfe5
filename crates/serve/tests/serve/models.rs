//! Models: asked for, sent once, refused, replaced.

use std::sync::atomic::Ordering;

use grnet_features::model_file::ModelId;
use grnet_wire::{Failure, Reply, Request};

use super::fixture::{Running, embed, failure, limits, model_file, number, outcomes};

#[test]
fn an_unknown_model_is_asked_for_and_then_known_to_all() {
    let running = Running::start(limits());
    let file = model_file(3.0, "a");
    let model = ModelId::of(&file);
    let mut client = running.connect();
    assert_eq!(client.ask(&embed(1, model, &[b"ok\x01"])), Reply::NeedModel { id: 1, model });
    assert_eq!(client.ask(&Request::Model { id: 2, file: &file }), Reply::ModelReady { id: 2, model });
    assert_eq!(number(&outcomes(client.ask(&embed(3, model, &[b"ok\x01"])))[0]), 1.0);
    let mut other = running.connect();
    assert_eq!(number(&outcomes(other.ask(&embed(4, model, &[b"ok\x02"])))[0]), 2.0);
    assert_eq!(other.ask(&Request::Model { id: 5, file: &file }), Reply::ModelReady { id: 5, model });
    assert_eq!(running.stats().models, [model]);
}

#[test]
fn a_bad_model_is_refused_and_changes_nothing() {
    let running = Running::with_model(limits());
    let mut client = running.connect();
    for file in [b"no model".to_vec(), vec![], model_file(1.0, "unloadable")] {
        let answer = failure(client.ask(&Request::Model { id: 1, file: &file }));
        assert!(matches!(answer, Failure::BadModel(_)), "{answer:?}");
    }
    running.bench.broken.store(true, Ordering::SeqCst);
    let answer = failure(client.ask(&Request::Model { id: 1, file: &model_file(2.0, "a") }));
    assert!(matches!(answer, Failure::BadModel(_)), "{answer:?}");
    running.bench.broken.store(false, Ordering::SeqCst);
    assert_eq!(running.stats().models, [running.model]);
    assert_eq!(number(&outcomes(client.ask(&embed(3, running.model, &[b"ok\x01"])))[0]), 1.0);
}

#[test]
fn the_least_recently_used_model_goes() {
    let mut limits = limits();
    limits.max_models = 2;
    let running = Running::start(limits);
    let files: Vec<Vec<u8>> = (0..3).map(|n| model_file(n as f32, "a")).collect();
    let ids: Vec<ModelId> = files.iter().map(|file| ModelId::of(file)).collect();
    let mut client = running.connect();
    for file in &files[..2] {
        client.ask(&Request::Model { id: 1, file });
    }
    outcomes(client.ask(&embed(2, ids[0], &[b"ok\x01"])));
    client.ask(&Request::Model { id: 3, file: &files[2] });
    assert_eq!(client.ask(&embed(4, ids[1], &[b"ok\x01"])), Reply::NeedModel { id: 4, model: ids[1] });
    for model in [ids[0], ids[2]] {
        outcomes(client.ask(&embed(5, model, &[b"ok\x01"])));
    }
}
