//! The network that learns: what is behind the frozen stages of the backbone, the reduction, and the graph.

use std::fmt;

use grnet_features::config::ModelConfig;
use grnet_features::model_file::NamedTensor;
use grnet_nn::backbone::Backbone;
use grnet_nn::graph::TorchGraph;
use grnet_nn::weights::named;
use grnet_nn::{NnError, pool};
use tch::{Kind, Tensor};

use crate::optimiser::{Pace, Parameter};

/// Images that go through the network at one time where nothing learns.
const IMAGES: usize = 64;

/// The network that learns.
pub struct Learner {
    /// The model's configuration.
    pub config: ModelConfig,
    backbone: Box<dyn Backbone>,
    /// Stages that do not learn and whose maps come from outside.
    frozen: usize,
    /// Number type of the maps in between.
    kind: Kind,
    /// The reduction, `[C, Cb]` and `[C]`; nothing where the model has none.
    pub reduction: Option<(Tensor, Tensor)>,
    /// The graph.
    pub graph: TorchGraph,
}

impl fmt::Debug for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Learner").field("frozen", &self.frozen).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Learner {
    /// A network whose backbone's first `frozen` stages stay outside; `kind` is the number type of its maps.
    pub fn new(
        config: ModelConfig,
        backbone: Box<dyn Backbone>,
        frozen: usize,
        kind: Kind,
        reduction: Option<(Tensor, Tensor)>,
        graph: TorchGraph,
    ) -> Self {
        Self { config, backbone, frozen, kind, reduction, graph }
    }

    /// Makes everything a variable that learns at the paces of the backbone, the reduction and the graph. What has the
    /// rate 0 stays as it is. The graph's few scalars take larger steps, and no share of theirs decays: they have to
    /// grow to their size.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn learn(&mut self, backbone: Pace, reduction: Pace, graph: Pace) -> Result<Vec<Parameter>, NnError> {
        let mut parameters = Vec::new();
        if backbone.rate > 0.0 {
            for conv in self.backbone.learnable(self.frozen) {
                for (name, tensor) in conv.learnable() {
                    parameters.push(Parameter::of(name, tensor, backbone)?);
                }
            }
        }
        if let (Some((weight, bias)), true) = (&mut self.reduction, reduction.rate > 0.0) {
            for (name, tensor) in [("reduction.weight", weight), ("reduction.bias", bias)] {
                parameters.push(Parameter::of(name.to_owned(), tensor, reduction)?);
            }
        }
        let scalars = Pace { rate: 5.0 * graph.rate, decay: 0.0 };
        for (name, tensor) in self.graph.learnable() {
            let scalar = [".cosine", "readout.bias", "edge.scales", "edge.windows"].iter().any(|s| name.ends_with(s));
            parameters.push(Parameter::of(name.clone(), tensor, if scalar { scalars } else { graph })?);
        }
        Ok(parameters)
    }

    /// The backbone's maps `[B, Cb, h, w]` in f32 of maps `[B, c, h', w']` behind its frozen stages.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn map(&self, frozen: &Tensor) -> Result<Tensor, NnError> {
        let x = frozen.f_to_kind(self.kind)?;
        Ok(self.backbone.run(&x, self.frozen..self.backbone.stages())?.f_to_kind(Kind::Float)?)
    }

    /// Regions `[B, M, Cb]` before the reduction, of maps behind the frozen stages.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn raw(&self, frozen: &Tensor) -> Result<Tensor, NnError> {
        let map = self.map(frozen)?;
        let pyramid = &self.config.pyramid;
        pool::pool(&map, &pyramid.grids, pyramid.pooling, &self.shares(&map)?)
    }

    /// Regions `[B, M, C]` of maps behind the frozen stages, normalised as the pyramid says. Differentiable.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn regions(&self, frozen: &Tensor) -> Result<Tensor, NnError> {
        let map = self.map(frozen)?;
        let shares = self.shares(&map)?;
        let Some((weight, bias)) = &self.reduction else {
            return pool::regions_of(&map, &self.config.pyramid, &shares, None);
        };
        let reduce = |x: &Tensor| Ok(x.f_matmul(&weight.f_tr()?)?.f_add(bias)?);
        pool::regions_of(&map, &self.config.pyramid, &shares, Some(&reduce))
    }

    /// [`regions`](Self::regions) of many images, without anything to learn from.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn regions_of(
        &self,
        images: &[usize],
        maps: impl Fn(&[usize]) -> Result<Tensor, NnError>,
    ) -> Result<Tensor, NnError> {
        tch::no_grad(|| {
            let parts = images.chunks(IMAGES).map(|chunk| self.regions(&maps(chunk)?));
            Ok(Tensor::f_cat(&parts.collect::<Result<Vec<_>, NnError>>()?, 0)?)
        })
    }

    /// Tensors as they are to be stored: of the stages that learned, the reduction and the graph.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn tensors(&mut self, backbone: bool) -> Result<Vec<NamedTensor>, NnError> {
        let mut tensors = self.graph.tensors()?;
        if let Some((weight, bias)) = &self.reduction {
            tensors.extend([named("reduction.weight", weight)?, named("reduction.bias", bias)?]);
        }
        if backbone {
            for conv in self.backbone.learnable(self.frozen) {
                tensors.extend(conv.tensors()?);
            }
        }
        Ok(tensors)
    }

    /// The pooling matrix for maps of that size.
    fn shares(&self, map: &Tensor) -> Result<Tensor, NnError> {
        let (_, _, height, width) = map.size4()?;
        let shares = pool::shares(&self.config.pyramid.grids, height as usize, width as usize)?;
        Ok(shares.f_to_device(map.device())?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use grnet_data::rng::Rng;
    use grnet_features::model_file::{self, ModelFile, TensorData};
    use grnet_nn::device::{Device, Precision};
    use grnet_nn::embedder::Embedder;
    use grnet_nn::weights::read as read_tensor;
    use tch::Device as TorchDevice;

    use super::*;
    use crate::optimiser::AdamW;

    const PLACE: &str = "../../models/base/base.safetensors";

    /// Images of noise at the model's size.
    fn images(count: u64, size: u32) -> Vec<Vec<u8>> {
        let image = |seed| {
            let mut rng = Rng::new(seed);
            (0..size * size * 3).map(|_| (rng.unit() * 120.0 + 127.0) as u8).collect()
        };
        (1..=count).map(image).collect()
    }

    #[test]
    fn what_has_learned_is_what_its_file_computes() {
        let bytes = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE)).unwrap();
        let file = ModelFile::parse(&bytes).unwrap();
        let load = |file: &ModelFile<'_>| Embedder::load(file, Device::Cpu, Precision::F32).unwrap();
        let images = images(4, file.config.input.size);
        let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
        let (frozen, embedder) = (12, load(&file));
        let low = embedder.map_behind(&images, frozen).unwrap();
        let (c, from) = (file.config.channels, file.config.backbone_channels);
        let reduction = (
            read_tensor(&file, "reduction.weight", &[c, from]).unwrap(),
            read_tensor(&file, "reduction.bias", &[c]).unwrap(),
        );
        let graph = TorchGraph::read(&file).unwrap();
        let mut learner =
            Learner::new(file.config.clone(), load(&file).into_backbone(), frozen, Kind::Float, Some(reduction), graph);
        let start = learner.map(&low).unwrap();
        let pace = |rate| Pace { rate, decay: 0.0 };
        let parameters = learner.learn(pace(1e-3), pace(1e-3), pace(1e-3)).unwrap();
        assert!(parameters.iter().any(|p| p.name == "backbone._blocks.11._expand_conv.weight"));
        assert!(parameters.iter().all(|p| !p.name.contains("_blocks.10.") && !p.name.contains("stem")));
        let mut optimiser = AdamW { parameters, steps: 0 };
        for _ in 0..3 {
            let regions = learner.regions(&low).unwrap();
            let logits = learner.graph.logits(&regions.narrow(0, 0, 2), &regions.narrow(0, 2, 2)).unwrap();
            (logits.square().sum(Kind::Float) + regions.select(2, 0).sum(Kind::Float)).backward();
            optimiser.step(1.0, 1.0).unwrap();
        }
        let moved = tch::no_grad(|| learner.map(&low)).unwrap();
        let apart = |a: &Tensor, b: &Tensor| f64::try_from((a - b).abs().max() / b.abs().max()).unwrap();
        assert!(apart(&moved, &start) > 1e-2, "{}", apart(&moved, &start));
        // In bf16 the same within what 8 bits of mantissa leave.
        learner.kind = Kind::BFloat16;
        let rounded = tch::no_grad(|| learner.map(&low)).unwrap();
        assert!(apart(&rounded, &moved) < 0.1 && rounded.kind() == Kind::Float, "{}", apart(&rounded, &moved));

        // Written in f32, a file computes the same from the images themselves.
        let stored = file.tensor_names().into_iter().filter(|n| n.starts_with("backbone."));
        let mut tensors: BTreeMap<String, NamedTensor> = stored
            .map(|name| {
                let (shape, values) = file.tensor(&name).unwrap();
                (name.clone(), (name, shape, TensorData::Values(model_file::Storage::F32, values)))
            })
            .collect();
        tensors.extend(learner.tensors(true).unwrap().into_iter().map(|t| (t.0.clone(), t)));
        let written = model_file::write(&file.config, &tensors.into_values().collect::<Vec<_>>()).unwrap();
        let map = load(&ModelFile::parse(&written).unwrap()).map(&images).unwrap();
        assert!(apart(&map, &moved) < 1e-4, "{}", apart(&map, &moved));
        assert_eq!(map.device(), TorchDevice::Cpu);
    }
}
