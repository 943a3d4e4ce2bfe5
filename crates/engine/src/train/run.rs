//! `grnet-engine train`, from folders to a model file.

use std::collections::HashSet;

use grnet_core::model::{self, ModelFile, NamedTensor, Storage, TensorData};
use serde::Serialize;
use tch::Tensor;

use super::arguments::TrainArgs;
use super::batch::Sampler;
use super::dataset::{self, Photo};
use super::learn::{HeldOut, Validation, learn};
use super::regions::Regions;
use super::{cache, initial, pca};
use crate::import::defaults::Sequence;
use crate::network::{Embedder, EngineError, Precision, pool, set_threads};

/// What a training did, printed as JSON at its end.
#[derive(Debug, Serialize)]
pub struct TrainReport {
    /// Id of the model written.
    pub model: String,
    /// Photos used.
    pub photos: usize,
    /// Photos that could not be read.
    pub unreadable: usize,
    /// Garments to train on, and garments held out.
    pub items: [usize; 2],
    /// Every validation, the first before any step.
    pub validations: Vec<Validation>,
    /// The validation whose weights were kept.
    pub kept: Validation,
}

/// Most queries and most gallery photos in a validation: 300 × 100 pairs take about 6 s on one core.
const MOST_QUERIES: usize = 300;
const MOST_GALLERY: usize = 1500;
/// Most photos whose regions the principal components are taken of: 56,000 regions for grids {1,2,3}.
const MOST_COMPONENTS: usize = 4000;

/// Trains a model and writes it.
///
/// # Errors
/// An option, the data or the backbone is not acceptable, or libtorch refuses something.
pub fn run(args: &TrainArgs) -> Result<TrainReport, EngineError> {
    let device = args.check()?;
    set_threads(args.threads);
    let bytes = std::fs::read(&args.backbone).map_err(EngineError::io(&args.backbone))?;
    let file = ModelFile::parse(&bytes)?;
    let config = initial::config(&file.config, &args.grids, args.channels, args.dim, args.layers);
    config.check()?;
    let photos = dataset::read(&args.data, args.snapshots)?;
    let maps = cache::kept_maps(&Embedder::load(&file, device, Precision::F32)?, &photos, args.cache.as_deref())?;
    let unreadable: HashSet<usize> = maps.unreadable.iter().copied().collect();
    let usable: Vec<usize> = (0..photos.len()).filter(|p| !unreadable.contains(p)).collect();

    let nothing = Tensor::f_zeros([1, 1], (tch::Kind::Float, tch::Device::Cpu))?;
    let mut regions = Regions::new(&maps, &args.grids, nothing.shallow_clone(), nothing)?;
    let (training, held_out) = split(&photos, &usable, args);
    (regions.weight, regions.bias) = tch::no_grad(|| {
        let mut raw = Vec::new();
        for chunk in spread(&training, MOST_COMPONENTS).chunks(64) {
            raw.push(regions.raw(chunk)?.f_flatten(0, 1)?);
        }
        pca::reduction(&Tensor::f_cat(&raw, 0)?, args.channels, args.whiten)
    })?;
    let globals = tch::no_grad(|| {
        let mut all = Vec::new();
        for chunk in (0..photos.len()).collect::<Vec<_>>().chunks(64) {
            all.push(pool::normalise(&regions.whole(chunk)?.f_select(1, 0)?)?);
        }
        Ok::<_, EngineError>(Tensor::f_cat(&all, 0)?)
    })?;
    let mut sampler = Sampler::new(&photos, &training, &globals, args.seed)?;
    let mut graph = tch::no_grad(|| {
        let batches = (0..8).map(|_| {
            let (left, right) = sampler.draw();
            Ok((regions.whole(&left)?, regions.whole(&right)?))
        });
        initial::graph(&config, &batches.collect::<Result<Vec<_>, EngineError>>()?, args.seed)
    })?;
    let validations = learn(args, &mut regions, &mut graph, &mut sampler, &held_out)?;

    let mut tensors = backbone(&file)?;
    tensors.extend(initial::reduction_tensors(&regions.weight, &regions.bias)?);
    tensors.extend(graph.tensors()?);
    let bytes = model::write(&config, &tensors)?;
    std::fs::write(&args.out, &bytes).map_err(EngineError::io(&args.out))?;
    let merit = |v: &Validation| v.graph.top[..3].iter().sum::<f64>();
    let kept = validations.iter().copied().reduce(|a, b| if merit(&b) > merit(&a) { b } else { a });
    let items = |part: &[usize]| part.iter().map(|&p| photos[p].item).collect::<HashSet<_>>().len();
    Ok(TrainReport {
        model: model::ModelId::of(&bytes).to_string(),
        photos: usable.len(),
        unreadable: unreadable.len(),
        items: [items(&training), held_out.asked.iter().collect::<HashSet<_>>().len()],
        kept: kept.unwrap_or(validations[0]),
        validations,
    })
}

/// At most `most` of `all`, evenly spread.
fn spread(all: &[usize], most: usize) -> Vec<usize> {
    let step = all.len().div_ceil(most).max(1);
    all.iter().copied().step_by(step).collect()
}

/// Splits by garment: photos to train on, and the validation's queries and gallery. Shop photos of the training
/// garments stand in the gallery as distractors.
fn split(photos: &[Photo], usable: &[usize], args: &TrainArgs) -> (Vec<usize>, HeldOut) {
    let items = photos.iter().map(|p| p.item + 1).max().unwrap_or(0);
    let mut numbers = Sequence::new(args.seed ^ 0x5eed);
    let held: Vec<bool> = (0..items).map(|_| (numbers.unit() + 1.0) * 50.0 < args.held_out as f32).collect();
    let training: Vec<usize> = usable.iter().copied().filter(|&p| !held[photos[p].item]).collect();
    let (mut own, queries): (Vec<usize>, Vec<usize>) =
        usable.iter().copied().filter(|&p| held[photos[p].item]).partition(|&p| photos[p].shop);
    let shop: HashSet<usize> = own.iter().map(|&p| photos[p].item).collect();
    let queries: Vec<usize> = queries.into_iter().filter(|&p| shop.contains(&photos[p].item)).collect();
    let queries = spread(&queries, MOST_QUERIES);
    let others: Vec<usize> = training.iter().copied().filter(|&p| photos[p].shop).collect();
    own.truncate(MOST_GALLERY);
    own.extend(spread(&others, MOST_GALLERY.saturating_sub(own.len()).max(1)));
    let held_out = HeldOut {
        asked: queries.iter().map(|&p| photos[p].item).collect(),
        shown: own.iter().map(|&p| Some(photos[p].item)).collect(),
        gallery: own,
        queries,
    };
    (training, held_out)
}

/// The backbone's tensors as they are stored: kernels in half precision, vectors in single.
fn backbone(file: &ModelFile<'_>) -> Result<Vec<NamedTensor>, EngineError> {
    let names = file.tensor_names().into_iter().filter(|n| n.starts_with("backbone."));
    names
        .map(|name| {
            if let Some(bytes) = file.bytes(&name) {
                return Ok((name, vec![bytes.len()], TensorData::Bytes(bytes.to_vec())));
            }
            let (shape, values) = file.tensor(&name)?;
            let storage = if shape.len() > 1 { Storage::F16 } else { Storage::F32 };
            Ok((name, shape, TensorData::Numbers(storage, values)))
        })
        .collect()
}
