//! What a training begins with: the model file's network, or as much of a new one as is asked for.

use std::collections::HashSet;

use grnet_features::config::{Backbone, ModelConfig};
use grnet_features::model_file::ModelFile;
use grnet_nn::embedder::Embedder;
use grnet_nn::graph::TorchGraph;
use grnet_nn::maps::chosen::Chosen;
use grnet_nn::pool;
use grnet_nn::weights::read as read_tensor;
use tch::Tensor;

use crate::arguments::TrainArgs;
use crate::batch::Sampler;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::split::spread;
use crate::{initial, pca};

/// Most images and most regions that the principal components are taken of: with grids {1,2,3} all regions of the
/// images.
const MOST_IMAGES: usize = 4000;
const MOST_REGIONS: usize = 56_000;

/// How far a new reduction is whitened where nothing else is asked for.
const WHITEN: f64 = 0.5;

/// Images on each side whose pairs a new graph is fitted to.
const FITTED: usize = 48;

/// What begins anew. Each has the ones before it begin anew, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reinit {
    /// All is trained further.
    Nothing,
    /// The graph: its nodes, layers and readout.
    Graph,
    /// The reduction, and what the graph's nodes are made of with it.
    Reduction,
}

/// Images as they are that a new network is made of.
#[derive(Debug)]
pub struct Beginning {
    /// Those whose principal components a new reduction is.
    sample: Vec<usize>,
    /// Two images of a garment each, that a new graph is fitted to.
    pairs: Vec<(usize, usize)>,
}

impl Beginning {
    /// Chooses them, evenly spread. Grids and graph do not decide which, so that trainings of other shapes find the
    /// same cached maps.
    pub fn of(training: &[usize], sampler: &Sampler, reinit: Reinit) -> Self {
        let sample = if reinit == Reinit::Reduction { spread(training, MOST_IMAGES) } else { Vec::new() };
        Self { sample, pairs: sampler.pairs(FITTED) }
    }

    /// All of them, some more than once.
    pub fn images(&self) -> impl Iterator<Item = usize> {
        self.pairs.iter().flat_map(|&(a, b)| [a, b]).chain(self.sample.iter().copied())
    }

    /// Those that can be read.
    pub fn without(mut self, unreadable: &HashSet<usize>) -> Self {
        self.sample.retain(|image| !unreadable.contains(image));
        self.pairs.retain(|(a, b)| !unreadable.contains(a) && !unreadable.contains(b));
        self
    }
}

/// The configuration to be trained, and what of it the file does not have or is asked for in another shape.
pub fn shape(args: &TrainArgs, base: &ModelConfig) -> (ModelConfig, Reinit) {
    let (pyramid, graph) = (&base.pyramid, &base.graph);
    let own = base.reduction.then_some((&pyramid.grids, base.channels, graph.dim, graph.layers));
    let (grids, channels, dim, layers) = own.map_or((vec![1, 2, 3], 256, 64, 2), |(g, c, d, l)| (g.clone(), c, d, l));
    let grids = args.grids.clone().unwrap_or(grids);
    let (channels, dim) = (args.channels.unwrap_or(channels), args.dim.unwrap_or(dim));
    let layers = args.layers.unwrap_or(layers);
    let asked_for = args.fresh || args.fresh_graph || args.without_cosine;
    if own == Some((&grids, channels, dim, layers)) && !asked_for {
        return (base.clone(), Reinit::Nothing);
    }
    let kept = base.reduction && channels == base.channels && !args.fresh;
    let mut config = initial::config(base, &grids, channels, dim, layers);
    config.graph.global_cosine = !args.without_cosine;
    (config, if kept { Reinit::Graph } else { Reinit::Reduction })
}

/// Refuses, before the images are looked at, a shape that the backbone's map does not allow.
pub fn fits(embedder: &Embedder, config: &ModelConfig, reinit: Reinit) -> Result<(), TrainError> {
    let (channels, from) = (config.channels, config.backbone_channels);
    // A new reduction is made of principal components: there are no more of them.
    if reinit == Reinit::Reduction && channels > from {
        let got = format!("{channels}, the backbone has {from} channels");
        return Err(TrainError::Option { option: "--channels", got, allowed: "at most the backbone's channels" });
    }
    let grey = vec![127; (config.input.size as usize).pow(2) * 3];
    let (_, _, height, width) = embedder.map(&[&grey])?.size4()?;
    Ok(pool::shares(&config.pyramid.grids, height as usize, width as usize).map(drop)?)
}

/// Stages that do not learn.
pub fn frozen(args: &TrainArgs, stages: usize, config: &ModelConfig) -> Result<usize, TrainError> {
    let usual = match config.backbone {
        // Up to the first block of 192 channels, whose input is the smallest map: 112 × 14 × 14. What is behind it has
        // 60 % of the weights and 25 % of the work.
        Backbone::EfficientnetLite0 => 12,
        _ => stages,
    };
    let frozen = args.frozen.unwrap_or(if args.backbone_rate > 0.0 { usual } else { stages });
    if frozen > stages {
        let got = format!("{frozen}, the backbone has {stages} stages");
        return Err(TrainError::Option { option: "--frozen", got, allowed: "at most the backbone's stages" });
    }
    if frozen < stages && config.backbone == Backbone::Torchscript {
        let allowed = "1, or none at all: a TorchScript module does not show its weights and stays as it is";
        return Err(TrainError::Option { option: "--frozen", got: frozen.to_string(), allowed });
    }
    Ok(frozen)
}

/// The network before the first step.
#[allow(clippy::too_many_arguments, reason = "each is a thing of its own, and this is called once")]
pub fn start(
    args: &TrainArgs,
    file: &ModelFile<'_>,
    config: ModelConfig,
    embedder: Embedder,
    frozen: usize,
    reinit: Reinit,
    maps: &Chosen,
    beginning: &Beginning,
) -> Result<Learner, TrainError> {
    let device = embedder.device();
    let kind = args.precision.kind();
    let kept = if reinit < Reinit::Reduction {
        let (channels, from) = (config.channels, config.backbone_channels);
        let weight = read_tensor(file, "reduction.weight", &[channels, from])?.f_to_device(device)?;
        let bias = read_tensor(file, "reduction.bias", &[channels])?.f_to_device(device)?;
        Some((weight, bias))
    } else {
        None
    };
    let mut graph = if reinit == Reinit::Nothing { TorchGraph::read(file)? } else { TorchGraph::new(&config, &[])? };
    graph.move_to(device)?;
    let mut learner = Learner::new(config, embedder.into_backbone(), frozen, kind, kept, graph);
    if reinit == Reinit::Nothing {
        return Ok(learner);
    }
    let config = learner.config.clone();
    tch::no_grad(|| {
        if reinit == Reinit::Reduction {
            let most = MOST_REGIONS / grnet_features::pyramid::regions(&config.pyramid.grids);
            let raw = spread(&beginning.sample, most)
                .chunks(64)
                .map(|part| learner.raw(&maps.maps(part, device)?))
                .collect::<Result<Vec<_>, _>>()?;
            let raw = Tensor::f_cat(&raw, 0)?.f_flatten(0, 1)?;
            learner.reduction = Some(pca::reduction(&raw, config.channels, args.whiten.unwrap_or(WHITEN))?);
        }
        // The images as they are: an augmented image of the graph's first batch would only be another few of them.
        let (left, right): (Vec<usize>, Vec<usize>) = beginning.pairs.iter().copied().unzip();
        let regions = |images: &[usize]| learner.regions_of(images, |part| maps.maps(part, device));
        learner.graph = initial::graph(&config, &regions(&left)?, &regions(&right)?, args.seed)?;
        Ok(learner)
    })
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};
    use grnet_nn::import::defaults;

    use super::*;

    #[test]
    fn a_backbone_that_cannot_learn_is_not_silently_asked_to() {
        let frozen_of = |backbone, stages, more: &[&str]| {
            let words = ["train", "--data", "d", "--backbone", "b", "--out", "o"].iter().chain(more);
            let matches = TrainArgs::augment_args(Command::new("train")).get_matches_from(words);
            let args = TrainArgs::from_arg_matches(&matches).unwrap();
            frozen(&args, stages, &defaults::config(backbone, 1024)).map_err(|error| error.to_string())
        };
        assert_eq!(frozen_of(Backbone::Torchscript, 1, &[]), Ok(1));
        assert_eq!(frozen_of(Backbone::Torchscript, 1, &["--frozen", "1"]), Ok(1));
        let error = frozen_of(Backbone::Torchscript, 1, &["--frozen", "0"]).unwrap_err();
        assert!(error.starts_with("--frozen is 0, allowed is 1, or none at all"), "{error}");
        assert_eq!(frozen_of(Backbone::Googlenet, 1, &["--frozen", "0"]), Ok(0));
        assert!(frozen_of(Backbone::Googlenet, 1, &["--frozen", "2"]).unwrap_err().contains("has 1 stages"));
    }
}
