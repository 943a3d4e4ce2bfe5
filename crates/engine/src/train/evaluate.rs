//! `grnet-engine eval`: the graph against the model's own global vector on a table of photos.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use clap::Args;
use grnet_core::model::ModelFile;
use serde::Serialize;
use tch::Tensor;

use super::cache;
use super::dataset::{Photo, table};
use super::graph::TorchGraph;
use super::ranking::{Protocol, TopK};
use super::regions::Regions;
use crate::network::{Embedder, EngineError, Precision, set_threads};

/// Measures a model on a table of photos.
#[derive(Debug, Clone, Args)]
pub struct EvalArgs {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
    /// Tables with a header file,item,set: files relative to the table's folder; an empty item is a distractor; the set
    /// `gallery` is searched, every other set is a list of queries of its own.
    #[arg(long, required = true)]
    pub table: Vec<PathBuf>,
    /// Photos of the global's ranking that the graph reorders.
    #[arg(long, default_value_t = 100_000)]
    pub shortlist: usize,
    /// A folder that keeps the backbone's maps, for another evaluation of the same model.
    #[arg(long)]
    pub cache: Option<PathBuf>,
    /// auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// libtorch's threads.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
}

/// One set of queries.
#[derive(Debug, Serialize)]
pub struct EvalReport {
    /// The set's name.
    pub set: String,
    /// Photos in the gallery.
    pub gallery: usize,
    /// The backbone's own global vector, without the reduction.
    pub backbone: TopK,
    /// The model's global vector.
    pub global: TopK,
    /// The graph.
    pub graph: TopK,
}

/// Evaluates every set of queries.
///
/// # Errors
/// A table, photo or model is not acceptable.
pub fn run(args: &EvalArgs) -> Result<Vec<EvalReport>, EngineError> {
    set_threads(args.threads);
    let bytes = std::fs::read(&args.model).map_err(EngineError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    let graph = TorchGraph::read(&file)?;
    let mut numbers = HashMap::new();
    let mut photos = Vec::new();
    let mut sets: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for path in &args.table {
        let folder = path.parent().unwrap_or(std::path::Path::new("."));
        for row in table(path, &["file", "item", "set"])? {
            let next = numbers.len();
            let item =
                if row["item"].is_empty() { usize::MAX } else { *numbers.entry(row["item"].clone()).or_insert(next) };
            sets.entry(row["set"].clone()).or_default().push(photos.len());
            let path = folder.join(&row["file"]);
            photos.push(Photo { path, region: None, item, shop: false, source: 0, snapshot: None });
        }
    }
    let Some(gallery) = sets.remove("gallery") else {
        return Err(EngineError::Dataset {
            path: args.table[0].clone(),
            reason: "no row has the set `gallery`".to_owned(),
        });
    };
    let maps = cache::kept_maps(
        &Embedder::load(&file, args.device.parse()?, Precision::F32)?,
        &photos,
        args.cache.as_deref(),
    )?;
    let kind = (tch::Kind::Float, tch::Device::Cpu);
    let from = file.config.backbone_channels;
    let (weight, bias) = if file.config.reduction {
        let channels = file.config.channels;
        let weight = super::graph::tensor(&[channels, from], &file.shaped("reduction.weight", &[channels, from])?)?;
        (weight, super::graph::tensor(&[channels], &file.shaped("reduction.bias", &[channels])?)?)
    } else {
        (Tensor::f_eye(from as i64, kind)?, Tensor::f_zeros([from as i64], kind)?)
    };
    let regions = Regions::new(&maps, &file.config.pyramid.grids, weight, bias)?;
    let item = |photo: usize| Some(photos[photo].item).filter(|&i| i != usize::MAX);
    sets.into_iter()
        .map(|(set, queries)| {
            let asked: Vec<usize> = queries.iter().filter_map(|&p| item(p)).collect();
            let protocol = Protocol {
                queries: regions.whole(&queries)?,
                gallery: regions.whole(&gallery)?,
                shown: gallery.iter().map(|&p| item(p)).collect(),
                asked: asked.clone(),
            };
            let (global, by_graph) = protocol.compare(&graph, args.shortlist)?;
            let raw = |photos: &[usize]| Ok::<_, EngineError>(regions.raw(photos)?.f_narrow(1, 0, 1)?);
            let raw = Protocol { queries: raw(&queries)?, gallery: raw(&gallery)?, ..protocol };
            let backbone = raw.globals()?;
            Ok(EvalReport { set, gallery: gallery.len(), backbone, global, graph: by_graph })
        })
        .collect()
}
