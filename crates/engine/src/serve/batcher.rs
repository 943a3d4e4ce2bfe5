//! The model thread: the only one that touches networks. It runs batches across sessions and loads models.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use grnet_core::features::{self, Dtype};
use grnet_core::head::Head;
use grnet_core::model::{ModelFile, ModelId};
use grnet_core::scorer::Scorer;
use grnet_wire::{Failure, Outcome, Reply};

use super::Shared;
use super::decode::resolve;
use super::inbox::{Decoded, Load, Work};
use super::log::log_event;
use super::models::{Known, Models};
use super::work::{Loader, Network, Shape};

/// Works until the server stops.
pub fn run(shared: &Shared, loader: &mut dyn Loader, max_models: usize) {
    let mut models = Models::new(max_models);
    while let Some(work) = shared.inbox.next() {
        match work {
            Work::Batch(photos) => batch(shared, &mut models, photos),
            Work::Load(request) => load(shared, &mut models, loader, &request),
        }
    }
}

/// Runs the photos somebody still waits for, all of one model, and hands out the results.
fn batch(shared: &Shared, models: &mut Models, mut photos: Vec<Decoded>) {
    // From here on their places are others': while these are in the network, the next batch is decoded.
    photos.iter_mut().for_each(|photo| drop(photo.place.take()));
    photos.retain(|photo| photo.job.is_wanted());
    let Some(first) = photos.first() else { return };
    let Some((network, shape)) = models.used(first.job.order.model) else {
        // It went to make room for another while these were on their way.
        photos.iter().for_each(|photo| photo.job.need_model());
        return;
    };
    let Err(message) = forward(shared, network, shape, &photos) else { return };
    let requests = by_request(photos);
    log_event!("a batch failed, {} requests in it: {message}", requests.len());
    if let [request] = &*requests {
        request.iter().for_each(|photo| photo.job.fail(Failure::Engine(message.clone())));
        return;
    }
    // One session's trouble, or a batch too large for the device's memory, is not the others'.
    for request in requests {
        if let Err(message) = forward(shared, network, shape, &request) {
            request.iter().for_each(|photo| photo.job.fail(Failure::Engine(message.clone())));
        }
    }
}

/// Runs photos through a network and hands out the results; on an error nothing was handed out.
fn forward(shared: &Shared, network: &mut dyn Network, shape: &Shape, photos: &[Decoded]) -> Result<(), String> {
    let pixels: Vec<&[u8]> = photos.iter().map(|photo| &*photo.pixels).collect();
    let start = Instant::now();
    let rows = checked(network, shape, &pixels)?;
    shared.counters.batch(photos.len() as u64, start.elapsed());
    photos.iter().zip(rows).for_each(|(photo, values)| answer(shared, photo, shape, &values));
    Ok(())
}

/// The photos of each request, in the order of the first of each.
fn by_request(photos: Vec<Decoded>) -> Vec<Vec<Decoded>> {
    let mut requests: Vec<Vec<Decoded>> = Vec::new();
    for photo in photos {
        match requests.iter_mut().find(|request| Arc::ptr_eq(&request[0].job, &photo.job)) {
            Some(request) => request.push(photo),
            None => requests.push(vec![photo]),
        }
    }
    requests
}

fn answer(shared: &Shared, photo: &Decoded, shape: &Shape, values: &[f32]) {
    let model = photo.job.order.model;
    match features::encode(model, photo.digest, &shape.grids, shape.channels, Dtype::F16, values) {
        Ok(value) => resolve(shared, &photo.job, photo.index, Outcome::Features(value)),
        Err(error) => {
            log_event!("model {model} gave a photo features that cannot be stored: {error}");
            photo.job.fail(Failure::Engine(format!("model {model} gave features that cannot be stored: {error}")));
        }
    }
}

/// Runs a network and checks the size of what it gives.
fn checked(network: &mut dyn Network, shape: &Shape, pixels: &[&[u8]]) -> Result<Vec<Vec<f32>>, String> {
    let rows = contained("the network", || network.embed(pixels))?;
    if rows.len() != pixels.len() {
        return Err(format!("the network gave {} results for {} photos", rows.len(), pixels.len()));
    }
    let expected = shape.values();
    match rows.iter().find(|row| row.len() != expected) {
        Some(row) => Err(format!("the network gave {} values for a photo, its pyramid has {expected}", row.len())),
        None => Ok(rows),
    }
}

/// A panic in such work, above all in the code around libtorch, is the trouble of whoever asked for it: the engine and its other models live on.
pub fn contained<T>(what: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
        Err(format!("{what} panicked: {}", text.lines().next().unwrap_or_default()))
    })
}

fn load(shared: &Shared, models: &mut Models, loader: &mut dyn Loader, request: &Load) {
    let id = request.id;
    let reply = match load_file(shared, models, loader, &request.frame[request.file.clone()]) {
        Ok(model) => Reply::ModelReady { id, model },
        Err(failure) => Reply::Failed { id, failure },
    };
    request.client.send(reply);
}

fn load_file(shared: &Shared, models: &mut Models, loader: &mut dyn Loader, file: &[u8]) -> Result<ModelId, Failure> {
    let start = Instant::now();
    let bad = |message: String| {
        log_event!("a model of {} bytes was refused: {message}", file.len());
        Failure::BadModel(message)
    };
    let parsed = ModelFile::parse(file).map_err(|e| bad(e.to_string()))?;
    let model = parsed.id;
    if models.used(model).is_some() {
        return Ok(model); // Several sessions send what all of them lacked; the first one's is enough.
    }
    let head = Head::read(&parsed).map_err(|e| bad(e.to_string()))?;
    let scorer = Arc::new(Scorer::new(head).map_err(|e| bad(e.to_string()))?);
    let mut network = contained("loading the model", || loader.load(&parsed)).map_err(bad)?;
    let shape = Arc::new(Shape::of(&parsed.config));
    warm_up(&mut *network, &shape, model).map_err(bad)?;
    for gone in models.make_room(&shared.shapes) {
        log_event!("model {gone} unloaded, the least recently used");
    }
    models.add(model, Known { shape, scorer }, network, &shared.shapes);
    log_event!("model {model} loaded in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    Ok(model)
}

/// One grey photo: the first real one finds everything allocated, and a model whose output cannot be stored is
/// refused before it is used.
fn warm_up(network: &mut dyn Network, shape: &Shape, model: ModelId) -> Result<(), String> {
    let grey = vec![128; shape.pixel_bytes()];
    let digest = features::ImageDigest([0; 16]);
    for values in checked(network, shape, &[&grey])? {
        features::encode(model, digest, &shape.grids, shape.channels, Dtype::F16, &values)
            .map_err(|e| e.to_string())?;
    }
    Ok(())
}
