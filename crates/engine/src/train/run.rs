//! `grnet-engine train`, from folders to a model file.

use std::collections::{HashMap, HashSet};

use grnet_core::error::ModelError;
use grnet_core::head::Head;
use grnet_core::model::{self, ModelFile, NamedTensor, Storage, TensorData};
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;
use tch::Tensor;

use super::arguments::TrainArgs;
use super::batch::Sampler;
use super::learn::{HeldOut, Validation, learn};
use super::{initial, pca};
use crate::dataset::{self, Photo, Role, roles};
use crate::maps::cache;
use crate::maps::regions::Regions;
use crate::network::{Embedder, EngineError, Precision, pool, set_threads};
use crate::output::OutputFile;

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
    args.check()?;
    set_threads(args.threads);
    let bytes = std::fs::read(&args.backbone).map_err(EngineError::io(&args.backbone))?;
    let file = ModelFile::parse(&bytes)?;
    let config = initial::config(&file.config, &args.grids, args.channels, args.dim, args.layers);
    config.check()?;
    // Read before the work, and opened before it: what cannot be used or written is known at once.
    let mut tensors = backbone(&file, &bytes)?;
    let output = OutputFile::create(&args.out)?;
    let photos = dataset::read(&args.data, args.snapshots)?;
    let maps = cache::kept_maps(&Embedder::load(&file, args.device, Precision::F32)?, &photos, args.cache.as_deref())?;
    let unreadable: HashSet<usize> = maps.unreadable.iter().copied().collect();
    let usable: Vec<usize> = (0..photos.len()).filter(|p| !unreadable.contains(p)).collect();

    let nothing = Tensor::f_zeros([1, 1], (tch::Kind::Float, tch::Device::Cpu))?;
    let mut regions = Regions::new(&maps, &config.pyramid, nothing.shallow_clone(), nothing)?;
    let (training, held_out) = split(&photos, &usable, args.seed, args.held_out);
    let items = |part: &[usize]| part.iter().map(|&p| photos[p].item).collect::<HashSet<_>>().len();
    if held_out.queries.is_empty() {
        let (held, all) = (items(&usable) - items(&training), items(&usable));
        let reason = format!(
            "{held} of {all} garments are held out, and none has a consumer's and a shop's photo: there is nothing to \
             validate with"
        );
        return Err(EngineError::Dataset { path: args.data[0].clone(), reason });
    }
    (regions.weight, regions.bias) = tch::no_grad(|| {
        let raw = regions.raw(&spread(&training, MOST_COMPONENTS))?;
        pca::reduction(&raw.f_flatten(0, 1)?, args.channels, args.whiten)
    })?;
    let globals = tch::no_grad(|| {
        let all: Vec<usize> = (0..photos.len()).collect();
        pool::normalise(&regions.whole(&all)?.f_select(1, 0)?)
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

    tensors.extend(initial::reduction_tensors(&regions.weight, &regions.bias)?);
    tensors.extend(graph.tensors()?);
    let bytes = model::write(&config, &tensors)?;
    // Nothing takes the name of a model that PostgreSQL or the engine would refuse.
    let written = ModelFile::parse(&bytes)?;
    written.check_tensors()?;
    Head::read(&written)?;
    output.put(&bytes)?;
    let kept = validations.iter().copied().reduce(|a, b| if b.merit() > a.merit() { b } else { a });
    Ok(TrainReport {
        model: written.id.to_string(),
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

/// Splits by garment, as the data says or by chance: photos to train on, and the validation's queries and gallery. Shop photos of the training
/// garments stand in the gallery as distractors.
fn split(photos: &[Photo], usable: &[usize], seed: u64, percent: u32) -> (Vec<usize>, HeldOut) {
    let roles = &roles(photos, seed, percent);
    let of = |role| usable.iter().copied().filter(move |&p| roles[p] == role);
    let training: Vec<usize> = of(Role::Training).collect();
    let (own, queries): (Vec<usize>, Vec<usize>) = of(Role::Validation).partition(|&p| photos[p].shop);
    let shop: HashSet<usize> = own.iter().map(|&p| photos[p].item).collect();
    let queries: Vec<usize> = queries.into_iter().filter(|&p| shop.contains(&photos[p].item)).collect();
    let queries = spread(&queries, MOST_QUERIES);
    let asked: Vec<usize> = queries.iter().map(|&p| photos[p].item).collect();
    let gallery = gallery(photos, &own, &training, &asked.iter().copied().collect());
    let shown = gallery.iter().map(|&p| Some(photos[p].item)).collect();
    (training, HeldOut { asked, shown, gallery, queries })
}

/// The validation's gallery: first a shop photo of every garment that is asked for, or a query could not be answered,
/// then the others of these, then those of the other garments held out, and the training's.
fn gallery(photos: &[Photo], own: &[usize], training: &[usize], asked: &HashSet<usize>) -> Vec<usize> {
    let mut seen = HashMap::<usize, usize>::new();
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    for &photo in own {
        let item = photos[photo].item;
        let before = seen.entry(item).or_default();
        ranked.push((if asked.contains(&item) { *before } else { usize::MAX }, photo));
        *before += 1;
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut gallery: Vec<usize> = ranked.into_iter().map(|(_, photo)| photo).take(MOST_GALLERY).collect();
    let room = MOST_GALLERY - gallery.len();
    if room > 0 {
        let others: Vec<usize> = training.iter().copied().filter(|&p| photos[p].shop).collect();
        gallery.extend(spread(&others, room));
    }
    gallery
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

#[cfg(test)]
mod tests {
    use grnet_core::config::Backbone;

    use super::*;
    use crate::import::defaults;

    #[test]
    fn every_query_of_a_large_validation_can_be_answered() {
        let photo = |item, shop| Photo { item, shop, ..Photo::new("") };
        // The garments that are asked for have many photos and come last.
        let mut photos: Vec<Photo> = (0..4000).map(|item| photo(item, true)).collect();
        for item in 4000..4100 {
            photos.extend((0..30).map(|_| photo(item, true)));
            photos.push(photo(item, false));
        }
        let usable: Vec<usize> = (0..photos.len()).collect();
        let (training, held_out) = split(&photos, &usable, 1, 50);
        assert!(!training.is_empty() && held_out.queries.len() > 20);
        assert_eq!(held_out.gallery.len(), MOST_GALLERY);
        assert!(held_out.asked.iter().all(|&item| held_out.shown.contains(&Some(item))));
        assert_eq!(held_out.gallery.iter().collect::<HashSet<_>>().len(), MOST_GALLERY);
    }

    #[test]
    fn the_backbone_keeps_its_number_types_and_loses_its_counters() {
        let mut config = defaults::config(Backbone::Patches { patch: 4 }, 2);
        config.pyramid.grids = vec![1];
        let one = |name: &str, shape: &[usize], storage| {
            let values = vec![0.1; shape.iter().product()];
            (name.to_owned(), shape.to_vec(), TensorData::Numbers(storage, values))
        };
        let mut tensors = vec![
            one("backbone.conv.weight", &[2, 3, 4, 4], Storage::F32),
            one("backbone.conv.bias", &[2], Storage::F16),
            one("backbone.bn.num_batches_tracked", &[1], Storage::F32),
        ];
        tensors.extend(defaults::untrained_graph(&config, 1));
        let bytes = model::write(&config, &tensors).unwrap();
        let kept = backbone(&ModelFile::parse(&bytes).unwrap(), &bytes).unwrap();
        let storage = |data: &TensorData| match data {
            TensorData::Numbers(storage, _) => *storage,
            TensorData::Bytes(_) => panic!("no bytes here"),
        };
        let kept: Vec<_> = kept.iter().map(|(name, _, data)| (&**name, storage(data))).collect();
        assert_eq!(kept, [("backbone.conv.bias", Storage::F16), ("backbone.conv.weight", Storage::F32)]);
    }
}
