//! `grnet-engine train`, from folders to a model file.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use grnet_data::DataError;
use grnet_data::dataset::image::Image;
use grnet_data::dataset::role::{self, Role};
use grnet_data::output::atomic_file::OutputFile;
use grnet_data::sources::training as dataset;
use grnet_data::sources::training::Dataset;
use grnet_features::error::ModelError;
use grnet_features::model_file::{self, ModelFile, ModelId, NamedTensor, Storage, TensorData};
use grnet_nn::device::{Precision, set_threads};
use grnet_nn::embedder::Embedder;
use grnet_nn::maps::cache;
use grnet_nn::maps::chosen::Chosen;
use grnet_score::head::Head;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

use crate::arguments::TrainArgs;
use crate::batch::Sampler;
use crate::damaged::Damaged;
use crate::error::TrainError;
use crate::learn::{TrainContext, first_best, kept_of, learn};
use crate::learner::Learner;
use crate::loader::{Pictures, Workshop};
use crate::optimiser::AdamW;
use crate::start::{Beginning, Reinit};
use crate::validate::{HeldOut, Validation};
use crate::wanted::wanted;
use crate::{checkpoint, split, start};

/// What a training did, printed as JSON at its end.
#[derive(Debug, Serialize)]
pub struct TrainReport {
    /// Id of the model written.
    pub model: String,
    /// Images that are not known to be unreadable.
    pub images: usize,
    /// Images that could not be read, of those that were looked at.
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
pub fn run(args: &TrainArgs) -> Result<TrainReport, TrainError> {
    args.check()?;
    set_threads(args.threads);
    let bytes = std::fs::read(&args.backbone).map_err(DataError::io(&args.backbone))?;
    let file = ModelFile::parse(&bytes)?;
    let (config, reinit) = start::shape(args, &file.config);
    config.check()?;
    if let (Some(whiten), true) = (args.whiten, reinit < Reinit::Reduction) {
        let allowed =
            "a new reduction beside it, by --fresh or other --channels: the model file's own is trained further";
        return Err(TrainError::Option { option: "--whiten", got: whiten.to_string(), allowed });
    }
    // Read before the work, and opened before it: what cannot be used or written is known at once.
    let stored = backbone(&file, &bytes)?;
    let output = OutputFile::create(&args.out)?;
    let Dataset { mut images, unreadable: missing } = dataset::read(&args.data)?;
    let mut roles = role::roles(&images, args.seed, args.held_out);
    images.extend(split::augmented(&images, &roles, args.snapshots));
    roles.resize(images.len(), Role::Validation);
    let embedder = Embedder::load(&file, args.device, Precision::F32)?;
    let frozen = start::frozen(args, embedder.stages(), &config)?;
    start::fits(&embedder, &config, reinit)?;
    let items = |part: &[usize]| part.iter().map(|&p| images[p].item).collect::<HashSet<_>>().len();
    // What does not suffice is known before the maps are.
    let (training, held_out) = split::split(&images, &roles);
    let garments = [items(&training), images.iter().map(|image| image.item).collect::<HashSet<_>>().len()];
    refuse_unanswerable(args, &held_out, garments)?;
    let mut sampler = Sampler::new(&images, &training, args.identities, args.seed)?;
    let beginning = Beginning::of(&training, &sampler, reinit);
    let wanted = wanted(&held_out, &sampler, &beginning);
    let maps = Chosen::cached(&embedder, &images, &wanted, frozen, args.cache.as_deref())?;
    let held_out = held_out.without(&maps.unreadable);
    refuse_unanswerable(args, &held_out, garments)?;
    sampler.hide(&maps.unreadable);
    let beginning = beginning.without(&maps.unreadable);
    let mut learner = start::start(args, &file, config, embedder, frozen, reinit, &maps, &beginning)?;
    let [backbone, reduction, graph] = args.paces();
    let mut optimiser = AdamW { parameters: learner.learn(backbone, reduction, graph)?, steps: 0 };
    let parameters = optimiser.parameters.iter().map(|p| p.value.numel()).sum();
    let workshop = Workshop {
        images: &images,
        model: &bytes,
        frozen,
        device: args.device,
        precision: args.frozen_precision(),
        pictures: Pictures::without(maps.unreadable.iter().copied()),
    };
    let originals = maps.unreadable.iter().copied().filter(|&image| images[image].augmented.is_none());
    let mut damaged = Damaged::new(training.len(), originals);
    let (checkpoint_path, context) = (checkpoint::path(args.out.as_path()), training_id(args, file.id, &images));
    let context = TrainContext {
        args,
        maps: &maps,
        workshop: &workshop,
        held_out: &held_out,
        training: &context,
        checkpoint: &checkpoint_path,
    };
    let validations = learn(&context, &mut learner, &mut optimiser, &mut sampler, &mut damaged)?;

    let damaged: HashSet<usize> = damaged.known().collect();

    let bytes = finished(&mut learner, stored, args.backbone_rate > 0.0)?;
    output.put(&bytes)?;
    // Nothing is left to go on from; that it cannot be removed harms nobody.
    let _ = std::fs::remove_file(&checkpoint_path);
    let seen: Vec<usize> = training.iter().copied().filter(|image| !damaged.contains(image)).collect();
    let kept = kept_of(&validations);
    Ok(TrainReport {
        model: ModelId::of(&bytes).to_string(),
        images: images.iter().filter(|image| image.augmented.is_none()).count() - damaged.len(),
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
fn refuse_unanswerable(args: &TrainArgs, held_out: &HeldOut, [training, all]: [usize; 2]) -> Result<(), TrainError> {
    if !held_out.queries.is_empty() {
        return Ok(());
    }
    let held = all - training;
    let reason = format!(
        "{held} of {all} garments are held out, and none has a consumer's and a shop's image: there is nothing to \
         validate with"
    );
    Err(DataError::Dataset { path: args.data[0].clone(), reason }.into())
}

/// A word for what a training is made of: options that matter, model, and images.
fn training_id(args: &TrainArgs, model: ModelId, images: &[Image]) -> String {
    let mut args = args.clone();
    (args.out, args.cache, args.curve) = (Path::new("").to_owned(), None, None);
    (args.threads, args.loaders) = (1, None);
    let images: String = images.iter().map(cache::identity).collect();
    ModelId::of(format!("{args:?} {model} {images}").as_bytes()).to_string()
}

/// The model file: what was stored, with what has learned in its place.
fn finished(learner: &mut Learner, stored: Vec<NamedTensor>, backbone: bool) -> Result<Vec<u8>, TrainError> {
    let mut tensors: BTreeMap<String, NamedTensor> = stored.into_iter().map(|t| (t.0.clone(), t)).collect();
    for mut tensor in learner.tensors(backbone)? {
        let before = tensors.get(&tensor.0).map(|t| &t.2);
        // As large as it was: kernels that were stored in half precision stay so.
        if let (Some(TensorData::Values(as_before, _)), TensorData::Values(storage, _)) = (before, &mut tensor.2) {
            *storage = *as_before;
        }
        tensors.insert(tensor.0.clone(), tensor);
    }
    let tensors: Vec<NamedTensor> = tensors.into_values().collect();
    let bytes = model_file::write(&learner.config, &tensors)?;
    // Nothing takes the name of a model that PostgreSQL or the engine would refuse.
    let written = ModelFile::parse(&bytes)?;
    written.check_tensors()?;
    Head::read(&written)?;
    Ok(bytes)
}

/// The backbone's tensors as they are stored, without batch norm's step counters.
fn backbone(file: &ModelFile<'_>, bytes: &[u8]) -> Result<Vec<NamedTensor>, TrainError> {
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
            Ok((name, shape, TensorData::Values(storage, values)))
        })
        .collect()
}
