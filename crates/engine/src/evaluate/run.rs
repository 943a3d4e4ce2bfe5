//! From model files and tables of photos to a report.

use std::collections::HashSet;

use grnet_core::head::Head;
use grnet_core::model::ModelFile;
use grnet_core::work;

use super::arguments::EvalArgs;
use super::html;
use super::kept::{self, Kept, Shape};
use super::report::{Model, Report, SetReport};
use super::set::{self, Candidate, Gallery};
use super::shortlist::Clock;
use super::tables::Tables;
use crate::network::graph::TorchGraph;
use crate::network::{Embedder, EngineError, Precision, backbone_id, set_threads};
use crate::output::OutputFile;

/// A model file, read.
struct Parsed<'f> {
    file: ModelFile<'f>,
    graph: TorchGraph,
    head: Head,
    shape: Shape,
    /// Its file's name without the ending.
    name: String,
}

/// Evaluates every model on every set of queries, and writes the page where one is asked for.
///
/// # Errors
/// An option, a table, photo or model is not acceptable, or the page cannot be written.
pub fn run(args: &EvalArgs) -> Result<Report, EngineError> {
    args.measure.check()?;
    set_threads(args.measure.threads);
    let page = args.html.as_deref().map(OutputFile::create).transpose()?;
    let files = args.model.iter().map(|path| std::fs::read(path).map_err(EngineError::io(path)));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let parsed = files.iter().zip(&args.model).map(|(bytes, path)| {
        let file = ModelFile::parse(bytes)?;
        // Before the photos are read: what is wrong with the last model need not wait for the first.
        let (graph, head) = (TorchGraph::read(&file)?, Head::read(&file)?);
        let shape = Shape::read(&file)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok::<_, EngineError>(Parsed { file, graph, head, shape, name })
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
            mflop: work::operations(&file.config.pyramid.grids, file.config.channels, &file.config.graph) / 1e6,
        });
    }
    // Models with one backbone share what it sees: the first of them stands for it.
    let first_with = |at: usize| models.iter().position(|model| model.backbone == models[at].backbone).unwrap_or(at);
    let mut backbones: Vec<(usize, Kept)> = Vec::new();
    for first in (0..models.len()).filter(|&at| first_with(at) == at) {
        let embedder = Embedder::load(&parsed[first].file, args.measure.device, Precision::F32)?;
        let shapes = parsed.iter().enumerate().filter(|(at, _)| first_with(*at) == first);
        let shapes: Vec<&Shape> = shapes.map(|(_, parsed)| &parsed.shape).collect();
        let photos = &tables.search.photos;
        backbones.push((first, Kept::of(&embedder, photos, &shapes, args.baselines, args.measure.cache.as_deref())?));
    }
    // Every model is asked the same: what one backbone cannot be shown, none is.
    let unreadable: HashSet<usize> = backbones.iter().flat_map(|(_, kept)| kept.unreadable.iter().copied()).collect();
    let searched = tables.searched(&unreadable)?;
    let gallery = Gallery { shown: searched.iter().map(|&p| tables.search.items[p]).collect(), photos: searched };

    let timed = args.times || args.html.is_some();
    let mut candidates = Vec::new();
    for (at, Parsed { graph, head, shape, .. }) in parsed.into_iter().enumerate() {
        let first = first_with(at);
        let Some((_, kept)) = backbones.iter().find(|(backbone, _)| *backbone == first) else { continue };
        let regions = &kept.regions[(0..at).filter(|&other| first_with(other) == first).count()];
        let searched = kept::select(regions, &gallery.photos)?;
        candidates.push(Candidate {
            first_of_backbone: first == at,
            clock: timed.then(|| Clock::new(head, &searched)).transpose()?,
            cells: kept.maps.as_ref().map(|maps| shape.regions(maps)).transpose()?,
            kept,
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
        report.unreadable = asked.unreadable + tables.search.gallery.len() - gallery.photos.len();
        Ok::<SetReport, EngineError>(report)
    };
    let sets = tables.search.sets.keys().map(evaluate).collect::<Result<Vec<_>, _>>()?;
    let report = Report { models, shortlist: args.measure.shortlist.min(gallery.photos.len()), sets };
    if let Some(page) = page {
        page.put(html::page(&report, &tables.search.photos).as_bytes())?;
    }
    Ok(report)
}
