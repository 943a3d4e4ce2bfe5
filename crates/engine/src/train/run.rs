//! `grnet-engine train`, from folders to a model file.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use grnet_core::error::ModelError;
use grnet_core::head::Head;
use grnet_core::model::{self, ModelFile, ModelId, NamedTensor, Storage, TensorData};
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

use super::arguments::TrainArgs;
use super::batch::Sampler;
use super::damaged::Damaged;
use super::learn::{Course, first_best, kept_of, learn};
use super::learner::Learner;
use super::loader::{Pictures, Workshop};
use super::optimiser::AdamW;
use super::start::{Anew, Beginning};
use super::validate::{HeldOut, Validation};
use super::wanted::wanted;
use super::{checkpoint, split, start};
use crate::dataset::{self, Dataset, Photo, Role};
use crate::maps::cache;
use crate::maps::chosen::Chosen;
use crate::network::{Embedder, EngineError, Precision, set_threads};
use crate::output::OutputFile;

/// What a training did, printed as JSON at its end.
#[derive(Debug, Serialize)]
pub struct TrainReport {
    /// Id of the model written.
    pub model: String,
    /// Photos that are not known to be unreadable.
    pub photos: usize,
    /// Photos that could not be read, of those that were looked at.
    pub unreadable: usize,
    /// Garments to train on, and garments held out.
    pub items: [usize; 2],
    /// Numbers that learned.
    pub parameters: usize,
    /// Every validation, the first before any step.
    pub validations: Vec<Validation>,
    /// The validation whose weights were kept.
    pub kept: Validation,
    /// Whether they are better than those before any step.
    pub improved: bool,
    /// The best validation behind at least one step; `None` where there was no step.
    pub best: Option<Validation>,
}

/// Trains a model and writes it.
///
/// # Errors
/// An option, the data or the backbone is not acceptable, or libtorch refuses something.
pub fn run(args: &TrainArgs) -> Result<TrainReport, EngineError> {
    args.check()?;
    set_threads(args.threads);
    let bytes = std::fs::read(&args.backbone).map_err(EngineError::io(&args.backbone))?;
    let file = ModelFile::parse(&bytes)?;
    let (config, anew) = start::shape(args, &file.config);
    config.check()?;
    if let (Some(whiten), true) = (args.whiten, anew < Anew::Reduction) {
        let allowed =
            "a new reduction beside it, by --fresh or other --channels: the model file's own is trained further";
        return Err(EngineError::Option { option: "--whiten", got: whiten.to_string(), allowed });
    }
    // Read before the work, and opened before it: what cannot be used or written is known at once.
    let stored = backbone(&file, &bytes)?;
    let output = OutputFile::create(&args.out)?;
    let Dataset { mut photos, unreadable: missing } = dataset::read(&args.data)?;
    let mut roles = dataset::roles(&photos, args.seed, args.held_out);
    photos.extend(split::imitated(&photos, &roles, args.snapshots));
    roles.resize(photos.len(), Role::Validation);
    let embedder = Embedder::load(&file, args.device, Precision::F32)?;
    let frozen = start::frozen(args, embedder.stages(), &config)?;
    start::fits(&embedder, &config, anew)?;
    let items = |part: &[usize]| part.iter().map(|&p| photos[p].item).collect::<HashSet<_>>().len();
    // What does not suffice is known before the maps are.
    let (training, held_out) = split::split(&photos, &roles);
    let garments = [items(&training), photos.iter().map(|photo| photo.item).collect::<HashSet<_>>().len()];
    refuse_unanswerable(args, &held_out, garments)?;
    let mut sampler = Sampler::new(&photos, &training, args.identities, args.seed)?;
    let beginning = Beginning::of(&training, &sampler, anew);
    let wanted = wanted(&held_out, &sampler, &beginning);
    let maps = Chosen::kept(&embedder, &photos, &wanted, frozen, args.cache.as_deref())?;
    let held_out = held_out.without(&maps.unreadable);
    refuse_unanswerable(args, &held_out, garments)?;
    sampler.hide(&maps.unreadable);
    let beginning = beginning.without(&maps.unreadable);
    let mut learner = start::start(args, &file, config, embedder, frozen, anew, &maps, &beginning)?;
    let [backbone, reduction, graph] = args.paces();
    let mut optimiser = AdamW { parameters: learner.learn(backbone, reduction, graph)?, steps: 0 };
    let parameters = optimiser.parameters.iter().map(|p| p.value.numel()).sum();
    let workshop = Workshop {
        photos: &photos,
        model: &bytes,
        frozen,
        device: args.device,
        precision: args.frozen_precision(),
        pictures: Pictures::without(maps.unreadable.iter().copied()),
    };
    let originals = maps.unreadable.iter().copied().filter(|&photo| photos[photo].snapshot.is_none());
    let mut damaged = Damaged::new(training.len(), originals);
    let (kept_at, course) = (checkpoint::path(args.out.as_path()), training_id(args, file.id, &photos));
    let course =
        Course { args, maps: &maps, workshop: &workshop, held_out: &held_out, training: &course, checkpoint: &kept_at };
    let validations = learn(&course, &mut learner, &mut optimiser, &mut sampler, &mut damaged)?;

    let damaged: HashSet<usize> = damaged.known().collect();

    let bytes = finished(&mut learner, stored, args.backbone_rate > 0.0)?;
    output.put(&bytes)?;
    // Nothing is left to go on from; that it cannot be removed harms nobody.
    let _ = std::fs::remove_file(&kept_at);
    let seen: Vec<usize> = training.iter().copied().filter(|photo| !damaged.contains(photo)).collect();
    let kept = kept_of(&validations);
    Ok(TrainReport {
        model: ModelId::of(&bytes).to_string(),
        photos: photos.iter().filter(|photo| photo.snapshot.is_none()).count() - damaged.len(),
        unreadable: missing + damaged.len(),
        items: [items(&seen), held_out.asked.iter().collect::<HashSet<_>>().len()],
        parameters,
        kept: validations[kept],
        // Nothing else is kept that is no better than the start.
        improved: kept > 0,
        best: validations.get(1..).filter(|later| !later.is_empty()).map(|later| later[first_best(later)]),
        validations,
    })
}

/// Says that there is nothing to validate with.
fn refuse_unanswerable(args: &TrainArgs, held_out: &HeldOut, [training, all]: [usize; 2]) -> Result<(), EngineError> {
    if !held_out.queries.is_empty() {
        return Ok(());
    }
    let held = all - training;
    let reason = format!(
        "{held} of {all} garments are held out, and none has a consumer's and a shop's photo: there is nothing to \
         validate with"
    );
    Err(EngineError::Dataset { path: args.data[0].clone(), reason })
}

/// A word for what a training is made of: options that matter, model, and photos.
fn training_id(args: &TrainArgs, model: ModelId, photos: &[Photo]) -> String {
    let mut args = args.clone();
    (args.out, args.cache, args.curve) = (Path::new("").to_owned(), None, None);
    (args.threads, args.loaders) = (1, None);
    let photos: String = photos.iter().map(cache::identity).collect();
    ModelId::of(format!("{args:?} {model} {photos}").as_bytes()).to_string()
}

/// The model file: what was stored, with what has learned in its place.
fn finished(learner: &mut Learner, stored: Vec<NamedTensor>, backbone: bool) -> Result<Vec<u8>, EngineError> {
    let mut tensors: BTreeMap<String, NamedTensor> = stored.into_iter().map(|t| (t.0.clone(), t)).collect();
    for mut tensor in learner.tensors(backbone)? {
        let before = tensors.get(&tensor.0).map(|t| &t.2);
        // As large as it was: kernels that were stored in half precision stay so.
        if let (Some(TensorData::Numbers(as_before, _)), TensorData::Numbers(storage, _)) = (before, &mut tensor.2) {
            *storage = *as_before;
        }
        tensors.insert(tensor.0.clone(), tensor);
    }
    let tensors: Vec<NamedTensor> = tensors.into_values().collect();
    let bytes = model::write(&learner.config, &tensors)?;
    // Nothing takes the name of a model that PostgreSQL or the engine would refuse.
    let written = ModelFile::parse(&bytes)?;
    written.check_tensors()?;
    Head::read(&written)?;
    Ok(bytes)
}

/// The backbone's tensors as they are stored, without batch norm's step counters.
fn backbone(file: &ModelFile<'_>, bytes: &[u8]) -> Result<Vec<NamedTensor>, EngineError> {
    let stored = SafeTensors::deserialize(bytes).map_err(|e| ModelError::Container(e.to_string()))?;
    let names = file.tensor_names().into_iter();
    names
        .filter(|name| name.starts_with("backbone.") && !name.ends_with("num_batches_tracked"))
        .map(|name| {
            if let Some(bytes) = file.bytes(&name) {
                return Ok((name, vec![bytes.len()], TensorData::Bytes(bytes.to_vec())));
            }
            let (shape, values) = file.tensor(&name)?;
            let half = stored.tensor(&name).is_ok_and(|view| view.dtype() == Dtype::F16);
            let storage = if half { Storage::F16 } else { Storage::F32 };
            Ok((name, shape, TensorData::Numbers(storage, values)))
        })
        .collect()
}
