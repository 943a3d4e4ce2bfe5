//! One set of queries under every ranking.

use std::collections::HashSet;

use grnet_data::dataset::strata::Difficulty;
use grnet_nn::graph::TorchGraph;
use grnet_nn::maps::regions::Regions;
use grnet_nn::ranking::protocol::{Protocol, Ranks, right, rows};
use grnet_nn::ranking::rerank::{Reranked, ahead, rank};
use grnet_score::metrics;
use tch::Tensor;

use crate::arguments::EvalArgs;
use crate::baselines::{Scores, attention_matching, max_sim, pyramid_mean};
use crate::descriptors::Descriptor;
use crate::error::EvalError;
use crate::image_features::{ImageFeatures, select};
use crate::report::{Failure, Gain, Method, Ranking, SetReport, Shortlists, Shown, Stratum, StratumRanking};
use crate::shortlist::{Clock, shortlists};
use crate::tables::{QuerySet, Tables};

/// Failures that are shown of a set, and wrong images of each.
const FAILURES: usize = 12;
const AHEAD: usize = 5;

/// Longest list whose share of hits is told.
const CURVE: usize = 100;

/// What is searched.
#[derive(Debug)]
pub struct Gallery {
    /// The images.
    pub images: Vec<usize>,
    /// Their items.
    pub shown: Vec<Option<usize>>,
}

/// A model that is measured.
#[derive(Debug)]
pub struct Candidate<'m> {
    /// Its name, where there are several.
    pub name: Option<String>,
    /// Whether no model before it has the same backbone.
    pub first_of_backbone: bool,
    /// What is kept of all images under its backbone.
    pub features: &'m ImageFeatures,
    /// All images' regions `[n, M, C]`.
    pub regions: &'m Tensor,
    /// Its backbone's maps under its reduction, where they are cached.
    pub cells: Option<Regions<'m>>,
    /// Sides of its grids.
    pub grids: Vec<u8>,
    /// Its graph.
    pub graph: TorchGraph,
    /// The gallery's regions `[G, M, C]`.
    pub searched: Tensor,
    /// PostgreSQL's scorer, where times are asked for.
    pub clock: Option<Clock>,
}

/// Evaluates one set of queries.
///
/// # Errors
/// What libtorch refuses.
pub fn evaluate(
    args: &EvalArgs,
    tables: &Tables,
    gallery: &Gallery,
    candidates: &[Candidate<'_>],
    set: &str,
    asked: &QuerySet,
) -> Result<SetReport, EvalError> {
    let mut ranked: Vec<(Method, usize, Ranks)> = Vec::new();
    let (mut lengths, mut failures) = (Vec::new(), Vec::new());
    for (model, candidate) in candidates.iter().enumerate() {
        let of_scores = |scores: Scores| Ranks::of_scores(&scores, &asked.items, &gallery.shown);
        if candidate.first_of_backbone {
            let features = candidate.features;
            let mean = |images: &[usize]| select(&features.means, images);
            ranked.push((
                Method::Backbone,
                model,
                of_scores(products(&mean(&asked.queries)?, &mean(&gallery.images)?)?),
            ));
            if let Some(maps) = &features.maps {
                for (method, descriptor) in [(Method::Gem, Descriptor::Gem), (Method::Rmac, Descriptor::Rmac)] {
                    let of = |images: &[usize]| descriptor.of(maps, images);
                    let scores = products(&of(&asked.queries)?, &of(&gallery.images)?)?;
                    ranked.push((method, model, of_scores(scores)));
                }
            }
        }
        let protocol = Protocol {
            queries: select(candidate.regions, &asked.queries)?,
            gallery: candidate.searched.shallow_clone(),
            asked: asked.items.clone(),
            shown: gallery.shown.clone(),
        };
        let both = protocol.rerank(&candidate.graph, args.measure.shortlist)?;
        let under = |n: usize| {
            let ranks = both.iter().zip(&asked.items).map(|(q, &item)| rank(&q.keys(n), &right(&gallery.shown, item)));
            Ranks(ranks.collect())
        };
        let global = under(0);
        ranked.push((Method::Global, model, global.clone()));
        if let Some(cells) = &candidate.cells {
            let grids = &candidate.grids;
            let (x, y) = (&protocol.queries, &protocol.gallery);
            ranked.push((Method::PyramidMean, model, of_scores(pyramid_mean(x, y, grids)?)));
            ranked.push((Method::MaxSim, model, of_scores(max_sim(x, y, grids)?)));
            let scores = attention_matching(cells, &asked.queries, &gallery.images)?;
            ranked.push((Method::Attention, model, of_scores(scores)));
        }
        let graph = under(args.measure.shortlist);
        lengths.push(Shortlists {
            model,
            lengths: shortlists(&both, &asked.items, &gallery.shown, candidate.clock.as_ref()),
        });
        if model == 0 {
            failures = worst(tables, gallery, asked, &both, &graph, &global);
        }
        ranked.push((Method::Graph, model, graph));
    }
    let over = compared(&ranked, candidates);
    let gains = |at: usize, queries: Option<&[usize]>| -> Vec<Gain> {
        let ranks = |at: usize| queries.map_or_else(|| ranked[at].2.clone(), |queries| ranked[at].2.only(queries));
        over[at].iter().map(|&over| Gain { over, top: ranks(at).gains_over(&ranks(over)) }).collect()
    };
    let rankings = ranked.iter().enumerate().map(|(at, (method, model, ranks))| Ranking {
        name: match &candidates[*model].name {
            Some(name) => format!("{name}: {}", method.title()),
            None => method.title().to_owned(),
        },
        method: *method,
        model: *model,
        top: ranks.estimates(),
        curve: (1..=CURVE).map(|k| metrics::top_k(&ranks.0, k)).collect(),
        gains: gains(at, None),
    });
    let (mut strata, mut empty_strata) = (Vec::new(), Vec::new());
    for &difficulty in Difficulty::ALL {
        let belongs = |q: &usize| tables.search.images[asked.queries[*q]].strata.is(difficulty);
        let queries: Vec<usize> = (0..asked.queries.len()).filter(belongs).collect();
        if queries.is_empty() {
            empty_strata.push(difficulty.word());
            continue;
        }
        let rankings = (0..ranked.len()).map(|at| StratumRanking {
            top: ranked[at].2.only(&queries).estimates(),
            gains: gains(at, Some(&queries)),
        });
        strata.push(Stratum { name: difficulty.word(), queries: queries.len(), rankings: rankings.collect() });
    }
    let known: HashSet<usize> = gallery.shown.iter().flatten().copied().collect();
    Ok(SetReport {
        set: set.to_owned(),
        queries: asked.queries.len(),
        gallery: gallery.images.len(),
        unreadable: 0,
        without_item: asked.without_item,
        not_in_gallery: asked.items.iter().filter(|item| !known.contains(item)).count(),
        rankings: rankings.collect(),
        shortlists: lengths,
        strata,
        empty_strata,
        failures,
    })
}

/// Products of every query's vector with every vector of the gallery.
fn products(queries: &Tensor, gallery: &Tensor) -> Result<Scores, EvalError> {
    Ok(rows(&queries.f_matmul(&gallery.f_tr()?)?)?)
}

/// For each ranking those that it is compared with: a graph with everything of its own model and backbone that has no
/// graph, and with the first model's graph.
fn compared(ranked: &[(Method, usize, Ranks)], candidates: &[Candidate<'_>]) -> Vec<Vec<usize>> {
    let same_backbone = |a: usize, b: usize| std::ptr::eq(candidates[a].features, candidates[b].features);
    let first = ranked.iter().position(|(method, ..)| *method == Method::Graph);
    let of = |at: usize| {
        let (method, model, _) = &ranked[at];
        if *method != Method::Graph {
            return Vec::new();
        }
        let own = (0..ranked.len()).filter(|&other| match ranked[other].0 {
            Method::Backbone | Method::Gem | Method::Rmac => same_backbone(*model, ranked[other].1),
            Method::Graph => Some(other) == first && other != at,
            _ => ranked[other].1 == *model,
        });
        let mut own: Vec<usize> = own.collect();
        // What the graph reorders comes first: the difference to decide by.
        own.sort_by_key(|&other| ranked[other].0 != Method::Global);
        own
    };
    (0..ranked.len()).map(of).collect()
}

/// The queries whose right image a graph places worst, one for each garment, the worst first.
fn worst(
    tables: &Tables,
    gallery: &Gallery,
    asked: &QuerySet,
    both: &[Reranked],
    graph: &Ranks,
    global: &Ranks,
) -> Vec<Failure> {
    let mut wrong: Vec<(usize, usize)> =
        graph.0.iter().enumerate().filter_map(|(q, rank)| Some((q, rank.filter(|&rank| rank > 0)?))).collect();
    wrong.sort_by_key(|&(q, rank)| (std::cmp::Reverse(rank), q));
    let mut seen = HashSet::new();
    wrong.retain(|&(q, _)| seen.insert(asked.items[q]));
    let shown = |image: usize| Shown { file: tables.search.images[image].path.display().to_string(), image };
    let failure = |(q, rank): (usize, usize)| {
        let keys = both[q].keys(usize::MAX);
        let right = right(&gallery.shown, asked.items[q]);
        let best = (0..keys.len())
            .filter(|&i| right[i] && keys[i].score.is_finite())
            .max_by(|&a, &b| keys[a].partial_cmp(&keys[b]).unwrap_or(std::cmp::Ordering::Equal))?;
        Some(Failure {
            query: shown(asked.queries[q]),
            right: shown(gallery.images[best]),
            rank: rank + 1,
            global_rank: global.0[q].map(|rank| rank + 1),
            ahead: ahead(&keys, &right, AHEAD).into_iter().map(|i| shown(gallery.images[i])).collect(),
        })
    };
    wrong.into_iter().take(FAILURES).filter_map(failure).collect()
}
