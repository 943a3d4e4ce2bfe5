//! From model files and tables of images to a report.

use std::collections::HashSet;

use grnet_data::DataError;
use grnet_data::output::atomic_file::OutputFile;
use grnet_features::model_file::ModelFile;
use grnet_nn::device::{Precision, set_threads};
use grnet_nn::embedder::{Embedder, backbone_id};
use grnet_nn::graph::TorchGraph;
use grnet_score::head::Head;
use grnet_score::operations;

use crate::arguments::EvalArgs;
use crate::error::EvalError;
use crate::image_features::{ImageFeatures, RegionMaker};
use crate::report::{Model, Report, SetReport};
use crate::set::{Candidate, Gallery};
use crate::shortlist::Clock;
use crate::tables::Tables;
use crate::{html, image_features, set};

/// A model file, read.
struct Parsed<'f> {
    file: ModelFile<'f>,
    graph: TorchGraph,
    head: Head,
    shape: RegionMaker,
    /// Its file's name without the ending.
    name: String,
}

/// Evaluates every model on every set of queries, and writes the page where one is asked for.
///
/// # Errors
/// An option, a table, image or model is not acceptable, or the page cannot be written.
pub fn run(args: &EvalArgs) -> Result<Report, EvalError> {
    args.measure.check()?;
    set_threads(args.measure.threads);
    let page = args.html.as_deref().map(OutputFile::create).transpose()?;
    let files = args.model.iter().map(|path| std::fs::read(path).map_err(DataError::io(path)));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let parsed = files.iter().zip(&args.model).map(|(bytes, path)| {
        let file = ModelFile::parse(bytes)?;
        // Before the images are read: what is wrong with the last model need not wait for the first.
        let (graph, head) = (TorchGraph::read(&file)?, Head::read(&file)?);
        let shape = RegionMaker::read(&file)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok::<_, EvalError>(Parsed { file, graph, head, shape, name })
    });
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    let tables = Tables::read(&args.measure.table)?;

    let mut models: Vec<Model> = Vec::new();
    for Parsed { file, name, .. } in &parsed {
        let same = parsed.iter().filter(|other| other.name == *name).count();
        models.push(Model {
            // Two files of one name are told apart by their ids.
            name: if same > 1 { format!("{name} {}", file.id) } else { name.clone() },
            id: file.id.to_string(),
            backbone: backbone_id(file)?.to_string(),
            grids: file.config.pyramid.grids.clone(),
            channels: file.config.channels,
            graph: file.config.graph.clone(),
            mflop: operations::operations(&file.config.pyramid.grids, file.config.channels, &file.config.graph) / 1e6,
        });
    }
    // Models with one backbone share what it sees: the first of them stands for it.
    let first_with = |at: usize| models.iter().position(|model| model.backbone == models[at].backbone).unwrap_or(at);
    let mut backbones: Vec<(usize, ImageFeatures)> = Vec::new();
    for first in (0..models.len()).filter(|&at| first_with(at) == at) {
        let embedder = Embedder::load(&parsed[first].file, args.measure.device, Precision::F32)?;
        let shapes = parsed.iter().enumerate().filter(|(at, _)| first_with(*at) == first);
        let shapes: Vec<&RegionMaker> = shapes.map(|(_, parsed)| &parsed.shape).collect();
        let images = &tables.search.images;
        backbones.push((
            first,
            ImageFeatures::of(&embedder, images, &shapes, args.baselines, args.measure.cache.as_deref())?,
        ));
    }
    // Every model is asked the same: what one backbone cannot be shown, none is.
    let unreadable: HashSet<usize> =
        backbones.iter().flat_map(|(_, features)| features.unreadable.iter().copied()).collect();
    let searched = tables.searched(&unreadable)?;
    let gallery = Gallery { shown: searched.iter().map(|&p| tables.search.items[p]).collect(), images: searched };

    let timed = args.times || args.html.is_some();
    let mut candidates = Vec::new();
    for (at, Parsed { graph, head, shape, .. }) in parsed.into_iter().enumerate() {
        let first = first_with(at);
        let Some((_, features)) = backbones.iter().find(|(backbone, _)| *backbone == first) else { continue };
        let regions = &features.regions[(0..at).filter(|&other| first_with(other) == first).count()];
        let searched = image_features::select(regions, &gallery.images)?;
        candidates.push(Candidate {
            first_of_backbone: first == at,
            clock: timed.then(|| Clock::new(head, &searched)).transpose()?,
            cells: features.maps.as_ref().map(|maps| shape.regions(maps)).transpose()?,
            features,
            regions,
            grids: models[at].grids.clone(),
            graph,
            searched,
            name: (models.len() > 1).then(|| models[at].name.clone()),
        });
    }
    let evaluate = |name: &String| {
        let asked = tables.asked(name, &unreadable)?;
        let mut report = set::evaluate(args, &tables, &gallery, &candidates, name, &asked)?;
        report.unreadable = asked.unreadable + tables.search.gallery.len() - gallery.images.len();
        Ok::<SetReport, EvalError>(report)
    };
    let sets = tables.search.sets.keys().map(evaluate).collect::<Result<Vec<_>, _>>()?;
    let report = Report { models, shortlist: args.measure.shortlist.min(gallery.images.len()), sets };
    if let Some(page) = page {
        page.put(html::page(&report, &tables.search.images).as_bytes())?;
    }
    Ok(report)
}
