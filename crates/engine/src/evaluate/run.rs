//! `grnet-engine eval`: the graph against the model's own global vector on a table of photos.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use grnet_core::metrics::Estimate;
use grnet_core::model::ModelFile;
use serde::Serialize;
use tch::Tensor;

use super::ranking::{Protocol, TopK};
use crate::dataset::Search;
use crate::maps::cache;
use crate::maps::regions::Regions;
use crate::network::graph::{TorchGraph, tensor};
use crate::network::{Device, Embedder, EngineError, Precision, set_threads};

/// Measures a model on a table of photos.
#[derive(Debug, Clone, Args)]
pub struct EvalArgs {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
    /// Tables (CSV or Parquet) with columns file, item and set and, if you have boxes, left, top, width and height: files
    /// relative to the table's folder; an empty item is a distractor; the set `gallery` is searched, every other set is a
    /// list of queries of its own. An item is one garment within its table: the same name in another table is another
    /// garment. Also any dataset that can be trained on: the shop's photos are searched, the consumers' of its test split
    /// (all where it has none) ask. docs/training.md says more.
    #[arg(long, required = true)]
    pub table: Vec<PathBuf>,
    /// Photos of the global's ranking that the graph reorders.
    #[arg(long, default_value_t = 100_000)]
    pub shortlist: usize,
    /// Prints the report as JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// A folder that keeps the backbone's maps, for another evaluation of the same model.
    #[arg(long)]
    pub cache: Option<PathBuf>,
    /// auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: Device,
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
    /// Photos of the set and of the gallery that cannot be read and are left out.
    pub unreadable: usize,
    /// Photos of the set without an item: nothing is right for them, and they are left out.
    pub without_item: usize,
    /// Queries whose item is not in the gallery: each is a miss.
    pub not_in_gallery: usize,
    /// The backbone's own global vector, without the reduction.
    pub backbone: TopK,
    /// The model's global vector.
    pub global: TopK,
    /// The graph.
    pub graph: TopK,
    /// 95 % intervals of the three at top-1, 5, 20 and 50, by bootstrap over queries.
    pub intervals: Intervals,
    /// What the graph gains over the model's global vector, with intervals of the difference on the same queries.
    pub over_global: [Estimate; 4],
    /// What the graph gains over the backbone's global vector.
    pub over_backbone: [Estimate; 4],
    /// Shortlist lengths, and the share of queries whose garment the model's global vector keeps in one.
    pub recall: Vec<(usize, f64)>,
}

/// Figures at top-1, 5, 20 and 50 with their intervals.
#[derive(Debug, Serialize)]
pub struct Intervals {
    /// Of the backbone's global vector.
    pub backbone: [Estimate; 4],
    /// Of the model's global vector.
    pub global: [Estimate; 4],
    /// Of the graph.
    pub graph: [Estimate; 4],
}

/// Lengths at which a shortlist's recall is told.
const SHORTLISTS: [usize; 5] = [50, 100, 200, 500, 1000];

/// Evaluates every set of queries.
///
/// # Errors
/// A table, photo or model is not acceptable.
pub fn run(args: &EvalArgs) -> Result<Vec<EvalReport>, EngineError> {
    if args.shortlist == 0 {
        return Err(EngineError::Option { option: "--shortlist", got: "0".to_owned(), allowed: "1 or more" });
    }
    set_threads(args.threads);
    let bytes = std::fs::read(&args.model).map_err(EngineError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    let graph = TorchGraph::read(&file)?;
    let (weight, bias) = reduction(&file)?;
    let Search { photos, items, sets, gallery } = Search::read(&args.table)?;
    let embedder = Embedder::load(&file, args.device, Precision::F32)?;
    let maps = cache::kept_maps(&embedder, &photos, args.cache.as_deref())?;
    let unreadable: HashSet<usize> = maps.unreadable.iter().copied().collect();
    let readable = |photos: &[usize]| photos.iter().copied().filter(|p| !unreadable.contains(p)).collect::<Vec<_>>();
    let refuse = |reason: String| EngineError::Dataset { path: args.table[0].clone(), reason };

    let regions = Regions::new(&maps, &file.config.pyramid, weight, bias)?;
    let raw = |photos: &[usize]| Ok::<_, EngineError>(regions.raw(photos)?.f_narrow(1, 0, 1)?);
    let searched = readable(&gallery);
    if searched.is_empty() {
        return Err(refuse(format!("none of the {} photos of the set `gallery` can be read", gallery.len())));
    }
    let shown: Vec<Option<usize>> = searched.iter().map(|&p| items[p]).collect();
    let (searched_regions, searched_raw) = (regions.whole(&searched)?, raw(&searched)?);
    let report = |(set, all): (String, Vec<usize>)| {
        let known = readable(&all);
        let unreadable = all.len() - known.len() + gallery.len() - searched.len();
        // One list for both: a query and its item stay at the same place.
        let asked: Vec<(usize, usize)> = known.iter().filter_map(|&p| Some((p, items[p]?))).collect();
        if asked.is_empty() {
            let count = all.len();
            return Err(refuse(format!("none of the {count} photos of the set `{set}` can be read and has an item")));
        }
        let (queries, asked): (Vec<usize>, Vec<usize>) = asked.into_iter().unzip();
        let protocol = Protocol {
            queries: regions.whole(&queries)?,
            gallery: searched_regions.shallow_clone(),
            shown: shown.clone(),
            asked,
        };
        let (global, by_graph) = protocol.compare(&graph, args.shortlist)?;
        let not_in_gallery = protocol.asked.iter().filter(|&&item| !shown.contains(&Some(item))).count();
        let protocol = Protocol { queries: raw(&queries)?, gallery: searched_raw.shallow_clone(), ..protocol };
        let backbone = protocol.globals()?;
        Ok(EvalReport {
            set,
            gallery: searched.len(),
            unreadable,
            without_item: known.len() - queries.len(),
            not_in_gallery,
            intervals: Intervals {
                backbone: backbone.estimates(),
                global: global.estimates(),
                graph: by_graph.estimates(),
            },
            over_global: by_graph.gains_over(&global),
            over_backbone: by_graph.gains_over(&backbone),
            recall: SHORTLISTS.iter().map(|&n| (n, global.recall(n))).collect(),
            backbone: backbone.top(),
            global: global.top(),
            graph: by_graph.top(),
        })
    };
    sets.into_iter().map(report).collect()
}

/// Weight and bias of the reduction; of nothing where the model has none.
fn reduction(file: &ModelFile<'_>) -> Result<(Tensor, Tensor), EngineError> {
    let (channels, from) = (file.config.channels, file.config.backbone_channels);
    if file.config.reduction {
        let weight = tensor(&[channels, from], &file.shaped("reduction.weight", &[channels, from])?)?;
        return Ok((weight, tensor(&[channels], &file.shaped("reduction.bias", &[channels])?)?));
    }
    let kind = (tch::Kind::Float, tch::Device::Cpu);
    Ok((Tensor::f_eye(from as i64, kind)?, Tensor::f_zeros([from as i64], kind)?))
}
