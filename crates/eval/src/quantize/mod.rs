//! `grnet-engine quantize`: what a smaller dtype of feature values costs a model's rankings.
//!
//! Every image's regions are stored as a database stores them, in each number type, and ranked by what PostgreSQL runs:
//! the global vectors' cosine, then the scorer. Types are compared pair by pair and query by query.

mod compare;
mod rank;
pub mod report;
mod stored;
pub mod text;

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use compare::Storage;
use grnet_data::DataError;
use grnet_data::output::progress;
use grnet_features::model_file::ModelFile;
use grnet_features::value::Dtype;
use grnet_nn::device::{Precision, set_threads};
use grnet_nn::embedder::Embedder;
use grnet_score::head::Head;
use grnet_score::scorer::Scorer;
use rank::Ranking;
use report::{Report, SetReport};
use stored::Stored;

use crate::arguments::Measure;
use crate::error::EvalError;
use crate::image_features::{ImageFeatures, RegionMaker};
use crate::tables::Tables;

/// Measures what a smaller dtype costs a model's rankings.
#[derive(Debug, Clone, Args)]
pub struct QuantizeArgs {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
    /// What it is measured on, and how.
    #[command(flatten)]
    pub measure: Measure,
}

/// How queries and gallery are stored; [`REFERENCE`] is what the others are compared with.
const VARIANTS: [(Dtype, Dtype); 4] =
    [(Dtype::F32, Dtype::F32), (Dtype::F16, Dtype::F16), (Dtype::I8, Dtype::I8), (Dtype::F16, Dtype::I8)];

/// The type that is stored where nothing else is said.
const REFERENCE: usize = 1;

/// Ranks every set of queries in every number type.
///
/// # Errors
/// An option, the model, a table or an image is not acceptable, or a region is beyond what a number type holds.
pub fn run(args: &QuantizeArgs) -> Result<Report, EvalError> {
    let measure = &args.measure;
    measure.check()?;
    set_threads(measure.threads);
    let bytes = std::fs::read(&args.model).map_err(DataError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    let (scorer, shape) = (Scorer::new(Head::read(&file)?)?, RegionMaker::read(&file)?);
    let tables = Tables::read(&measure.table)?;
    let embedder = Embedder::load(&file, measure.device, Precision::F32)?;
    let features = ImageFeatures::of(&embedder, &tables.search.images, &[&shape], false, measure.cache.as_deref())?;
    let unreadable: HashSet<usize> = features.unreadable.iter().copied().collect();
    let gallery = tables.searched(&unreadable)?;
    let shown: Vec<Option<usize>> = gallery.iter().map(|&image| tables.search.items[image]).collect();
    let images = |dtype| Stored::of(&scorer, &features.regions[0], dtype);
    let images = Dtype::ALL.into_iter().map(images).collect::<Result<Vec<_>, _>>()?;
    let stored = |dtype: Dtype| &images[dtype as usize];

    let sets: Vec<_> = tables
        .search
        .sets
        .keys()
        .map(|set| Ok((set, tables.asked(set, &unreadable)?)))
        .collect::<Result<_, EvalError>>()?;
    let total: usize = sets.iter().map(|(_, asked)| asked.queries.len() * VARIANTS.len()).sum();
    let mut bar = progress::begin(total as u64, "rankings");
    let mut reports = Vec::new();
    for (set, asked) in sets {
        let rank = |(query, item): (Dtype, Dtype)| {
            let ranking =
                Ranking { scorer: &scorer, queries: stored(query), items: stored(item), shortlist: measure.shortlist };
            let ranked = ranking.all(&asked.queries, &gallery, measure.threads)?;
            bar.inc(asked.queries.len() as u64);
            Ok::<_, EvalError>(ranked)
        };
        let ranked = VARIANTS.into_iter().map(rank).collect::<Result<Vec<_>, _>>()?;
        let variant = |at: usize| {
            let (query, item) = VARIANTS[at];
            let against = (at != REFERENCE).then(|| &ranked[REFERENCE]);
            let storage = Storage { query, item, bytes: stored(item).bytes };
            compare::variant(storage, &ranked[at], against, &asked.items, &shown)
        };
        reports.push(SetReport {
            set: set.clone(),
            queries: asked.queries.len(),
            gallery: gallery.len(),
            unreadable: asked.unreadable + tables.search.gallery.len() - gallery.len(),
            without_item: asked.without_item,
            variants: (0..VARIANTS.len()).map(variant).collect(),
        });
    }
    drop(bar);
    let shortlist = measure.shortlist.min(gallery.len());
    Ok(Report { model: file.id.to_string(), kernel: scorer.path().to_string(), shortlist, sets: reports })
}
