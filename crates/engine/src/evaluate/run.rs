//! From model files and tables of photos to a report.

use std::collections::HashSet;

use grnet_core::head::Head;
use grnet_core::model::ModelFile;
use tch::Tensor;

use super::arguments::EvalArgs;
use super::html;
use super::report::{Model, Report, SetReport};
use super::set::{self, Candidate, Gallery};
use super::shortlist::Clock;
use super::tables::Tables;
use crate::maps::cache::{self, Maps};
use crate::maps::regions::Regions;
use crate::network::graph::{TorchGraph, tensor};
use crate::network::{Embedder, EngineError, Precision, set_threads};
use crate::output::OutputFile;

/// Evaluates every model on every set of queries, and writes the page where one is asked for.
///
/// # Errors
/// An option, a table, photo or model is not acceptable, or the page cannot be written.
pub fn run(args: &EvalArgs) -> Result<Report, EngineError> {
    args.check()?;
    set_threads(args.threads);
    let page = args.html.as_deref().map(OutputFile::create).transpose()?;
    let files = args.model.iter().map(|path| std::fs::read(path).map_err(EngineError::io(path)));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let parsed = files.iter().zip(&args.model).map(|(bytes, path)| {
        let file = ModelFile::parse(bytes)?;
        // Before the photos are read: what is wrong with the last model need not wait for the first.
        let (graph, head) = (TorchGraph::read(&file)?, Head::read(&file)?);
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok::<_, EngineError>((file, graph, head, name))
    });
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    let tables = Tables::read(&args.table)?;

    // Models with one backbone share its maps.
    let mut maps: Vec<(String, Maps)> = Vec::new();
    let mut models = Vec::new();
    for (file, _, _, name) in &parsed {
        let embedder = Embedder::load(file, args.device, Precision::F32)?;
        let backbone = embedder.backbone_id().to_string();
        if !maps.iter().any(|(known, _)| *known == backbone) {
            let stages = embedder.stages();
            let kept = cache::kept_maps(&embedder, &tables.search.photos, stages, args.cache.as_deref())?;
            maps.push((backbone.clone(), kept));
        }
        let same = parsed.iter().filter(|(_, _, _, other)| other == name).count();
        models.push(Model {
            // Two files of one name are told apart by their ids.
            name: if same > 1 { format!("{name} {}", file.id) } else { name.clone() },
            id: file.id.to_string(),
            backbone,
            grids: file.config.pyramid.grids.clone(),
            channels: file.config.channels,
            graph: file.config.graph.clone(),
        });
    }
    // Every model is asked the same: what one backbone cannot be shown, none is.
    let unreadable: HashSet<usize> = maps.iter().flat_map(|(_, maps)| maps.unreadable.iter().copied()).collect();
    let searched = tables.searched(&unreadable)?;
    let gallery = Gallery { shown: searched.iter().map(|&p| tables.search.items[p]).collect(), photos: searched };

    let timed = args.times || args.html.is_some();
    let mut candidates = Vec::new();
    for (at, (file, graph, head, _)) in parsed.into_iter().enumerate() {
        let Some((_, maps)) = maps.iter().find(|(backbone, _)| *backbone == models[at].backbone) else { continue };
        let (weight, bias) = reduction(&file)?;
        let regions = Regions::new(maps, &file.config.pyramid, weight, bias)?;
        let searched = regions.whole(&gallery.photos)?;
        candidates.push(Candidate {
            first_of_backbone: models.iter().position(|m| m.backbone == models[at].backbone) == Some(at),
            clock: timed.then(|| Clock::new(head, &searched)).transpose()?,
            maps,
            regions,
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
    let report = Report { models, shortlist: args.shortlist.min(gallery.photos.len()), sets };
    if let Some(page) = page {
        page.put(html::page(&report, &tables.search.photos).as_bytes())?;
    }
    Ok(report)
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
