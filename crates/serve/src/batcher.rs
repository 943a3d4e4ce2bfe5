//! The model thread: the only one that touches networks. It runs batches across sessions and loads models.

use std::sync::Arc;
use std::time::Instant;

use grnet_features::model_file::{ModelFile, ModelId};
use grnet_features::value::{self, Dtype};
use grnet_nn::shape::ModelShape;
use grnet_score::head::Head;
use grnet_score::scorer::Scorer;
use grnet_wire::{Failure, Outcome, Reply};

use crate::decode::resolve;
use crate::guarded::contained;
use crate::inbox::{Decoded, Load, Work};
use crate::log::log_event;
use crate::models::{Known, Models};
use crate::ports::{Loader, Network};
use crate::shared::Shared;

/// Works until the server stops.
pub fn run(shared: &Shared, loader: &mut dyn Loader, max_models: usize) {
    let mut models = Models::new(max_models);
    while let Some(work) = shared.inbox.next() {
        match work {
            Work::Batch(images) => batch(shared, &mut models, images),
            Work::Load(request) => load(shared, &mut models, loader, &request),
        }
    }
}

/// Runs the images somebody still waits for, all of one model, and hands out the results.
fn batch(shared: &Shared, models: &mut Models, mut images: Vec<Decoded>) {
    // From here on their slots are others': while these are in the network, the next batch is decoded.
    images.iter_mut().for_each(|image| drop(image.slot.take()));
    images.retain(|image| image.pending.is_wanted());
    let Some(first) = images.first() else { return };
    let Some((network, shape)) = models.used(first.pending.request.model) else {
        // It went to make room for another while these were on their way.
        images.iter().for_each(|image| image.pending.need_model());
        return;
    };
    let Err(message) = forward(shared, network, shape, &images) else { return };
    let requests = by_request(images);
    log_event!("a batch failed, {} requests in it: {message}", requests.len());
    if let [request] = &*requests {
        request.iter().for_each(|image| image.pending.fail(Failure::Engine(message.clone())));
        return;
    }
    // One session's trouble, or a batch too large for the device's memory, is not the others'.
    for request in requests {
        if let Err(message) = forward(shared, network, shape, &request) {
            request.iter().for_each(|image| image.pending.fail(Failure::Engine(message.clone())));
        }
    }
}

/// Runs images through a network and hands out the results; on an error nothing was handed out.
fn forward(shared: &Shared, network: &mut dyn Network, shape: &ModelShape, images: &[Decoded]) -> Result<(), String> {
    let pixels: Vec<&[u8]> = images.iter().map(|image| &*image.pixels).collect();
    let start = Instant::now();
    let rows = checked(network, shape, &pixels)?;
    shared.counters.batch(images.len() as u64, start.elapsed());
    images.iter().zip(rows).for_each(|(image, values)| answer(shared, image, shape, &values));
    Ok(())
}

/// The images of each request, in the order of the first of each.
fn by_request(images: Vec<Decoded>) -> Vec<Vec<Decoded>> {
    let mut requests: Vec<Vec<Decoded>> = Vec::new();
    for image in images {
        match requests.iter_mut().find(|request| Arc::ptr_eq(&request[0].pending, &image.pending)) {
            Some(request) => request.push(image),
            None => requests.push(vec![image]),
        }
    }
    requests
}

fn answer(shared: &Shared, image: &Decoded, shape: &ModelShape, values: &[f32]) {
    let model = image.pending.request.model;
    match value::encode(model, image.digest, &shape.grids, shape.channels, Dtype::F16, values) {
        Ok(value) => resolve(shared, &image.pending, image.index, Outcome::Features(value)),
        Err(error) => {
            log_event!("model {model} gave an image features that cannot be stored: {error}");
            image.pending.fail(Failure::Engine(format!("model {model} gave features that cannot be stored: {error}")));
        }
    }
}

/// Runs a network and checks the size of what it gives.
fn checked(network: &mut dyn Network, shape: &ModelShape, pixels: &[&[u8]]) -> Result<Vec<Vec<f32>>, String> {
    let rows = contained("the network", || network.embed(pixels))?;
    if rows.len() != pixels.len() {
        return Err(format!("the network gave {} results for {} images", rows.len(), pixels.len()));
    }
    let expected = shape.values();
    match rows.iter().find(|row| row.len() != expected) {
        Some(row) => Err(format!("the network gave {} values for an image, its pyramid has {expected}", row.len())),
        None => Ok(rows),
    }
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
    let shape = Arc::new(ModelShape::of(&parsed.config));
    warm_up(&mut *network, &shape, model).map_err(bad)?;
    for gone in models.make_room(&shared.shapes) {
        log_event!("model {gone} unloaded, the least recently used");
    }
    models.add(model, Known { shape, scorer }, network, &shared.shapes);
    log_event!("model {model} loaded in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    Ok(model)
}

/// One grey image: the first real one finds everything allocated, and a model whose output cannot be stored is
/// refused before it is used.
fn warm_up(network: &mut dyn Network, shape: &ModelShape, model: ModelId) -> Result<(), String> {
    let grey = vec![128; shape.pixel_bytes()];
    let digest = value::ImageDigest([0; 16]);
    for values in checked(network, shape, &[&grey])? {
        value::encode(model, digest, &shape.grids, shape.channels, Dtype::F16, &values).map_err(|e| e.to_string())?;
    }
    Ok(())
}
