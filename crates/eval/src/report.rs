//! What an evaluation found: all of what the table, the page and the JSON say.

use grnet_features::config::Graph;
use grnet_score::metrics::Estimate;
use serde::Serialize;

/// An evaluation of one or more models on the same queries.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The models, in the order given.
    pub models: Vec<Model>,
    /// Most images of a global's ranking that a graph reordered.
    pub shortlist: usize,
    /// The sets of queries, by name.
    pub sets: Vec<SetReport>,
}

/// What a model is.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    /// How the report calls it: its file's name without the ending.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Identity of its backbone and input; models that share it share maps.
    pub backbone: String,
    /// Sides of the pyramid's grids.
    pub grids: Vec<u8>,
    /// Channels of a region.
    pub channels: usize,
    /// The graph's configuration.
    pub graph: Graph,
    /// Necessary work of a pair, in millions of floating-point operations ([`grnet_score::operations`]).
    pub mflop: f64,
}

/// One set of queries.
#[derive(Debug, Clone, Serialize)]
pub struct SetReport {
    /// The set's name.
    pub set: String,
    /// Queries that count.
    pub queries: usize,
    /// Images in the gallery.
    pub gallery: usize,
    /// Images of the set and of the gallery that cannot be read and are left out.
    pub unreadable: usize,
    /// Images of the set without an item: nothing is right for them, and they are left out.
    pub without_item: usize,
    /// Queries whose item is not in the gallery: each is a miss.
    pub not_in_gallery: usize,
    /// Every ranking, each model's graph behind what it has to beat.
    pub rankings: Vec<Ranking>,
    /// For each model its graph on shortlists of several lengths.
    pub shortlists: Vec<Shortlists>,
    /// The same rankings on the queries of each stratum that has any.
    pub strata: Vec<Stratum>,
    /// Strata that none of the queries belongs to.
    pub empty_strata: Vec<&'static str>,
    /// Queries that the first model's graph places worst, one for each garment.
    pub failures: Vec<Failure>,
}

/// By what a gallery is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Cosine of the means of the backbone's maps.
    Backbone,
    /// Cosine of generalised means of the backbone's maps.
    Gem,
    /// Cosine of sums of regional maxima of the backbone's maps.
    Rmac,
    /// Cosine of the model's global vectors.
    Global,
    /// Mean cosine of the model's regions at equal places.
    PyramidMean,
    /// Mean of the best cosines of the query's regions.
    MaxSim,
    /// Attention matching of the model's cells.
    Attention,
    /// The graph, on the shortlist of the global.
    Graph,
}

impl Method {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Backbone => "backbone's global",
            Self::Gem => "backbone's GeM",
            Self::Rmac => "backbone's R-MAC",
            Self::Global => "model's global",
            Self::PyramidMean => "pyramid mean",
            Self::MaxSim => "best windows",
            Self::Attention => "attention matching",
            Self::Graph => "graph",
        }
    }
}

/// One ranking of all queries.
#[derive(Debug, Clone, Serialize)]
pub struct Ranking {
    /// What people call it: the method, behind the model's name where there are several.
    pub name: String,
    /// By what it orders.
    pub method: Method,
    /// The model (its position in [`Report::models`]); for a backbone's method the first that has the backbone.
    pub model: usize,
    /// Shares of hits at top-1, 5, 20 and 50 with 95 % intervals by bootstrap over queries.
    pub top: [Estimate; 4],
    /// Shares of hits at top-1, top-2, … top-100.
    pub curve: Vec<f64>,
    /// What it gains over other rankings.
    pub gains: Vec<Gain>,
}

/// A difference of two rankings on the same queries.
#[derive(Debug, Clone, Serialize)]
pub struct Gain {
    /// Position of the other ranking in [`SetReport::rankings`].
    pub over: usize,
    /// Differences of the shares at top-1, 5, 20 and 50, with paired intervals.
    pub top: [Estimate; 4],
}

/// A model's graph on shortlists of its global vector.
#[derive(Debug, Clone, Serialize)]
pub struct Shortlists {
    /// The model's position in [`Report::models`].
    pub model: usize,
    /// One for each length, ascending; the last is the whole gallery, or the most that was asked for.
    pub lengths: Vec<Shortlist>,
}

/// One length of a shortlist.
#[derive(Debug, Clone, Serialize)]
pub struct Shortlist {
    /// Images that the graph scores for a query.
    pub length: usize,
    /// Share of queries whose garment the global vector keeps in it: no top-k on it can be more, up to that k.
    pub recall: f64,
    /// The graph's shares of hits at top-1, 5, 20 and 50.
    pub top: [Estimate; 4],
    /// Milliseconds a query that PostgreSQL's scorer takes on one core, gallery prepared; where it was measured.
    pub milliseconds: Option<f64>,
}

/// The rankings on some of the queries.
#[derive(Debug, Clone, Serialize)]
pub struct Stratum {
    /// easy, hard-view, hard-occlusion or hard-cropping.
    pub name: &'static str,
    /// Queries that belong to it.
    pub queries: usize,
    /// As [`SetReport::rankings`], in the same order.
    pub rankings: Vec<StratumRanking>,
}

/// One ranking on the queries of a stratum.
#[derive(Debug, Clone, Serialize)]
pub struct StratumRanking {
    /// Shares of hits at top-1, 5, 20 and 50.
    pub top: [Estimate; 4],
    /// As [`Ranking::gains`], in the same order.
    pub gains: Vec<Gain>,
}

/// A query that goes wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The query's image.
    pub query: Shown,
    /// The best placed right image.
    pub right: Shown,
    /// Its rank under the graph, from 1.
    pub rank: usize,
    /// Its rank under the model's global vector, from 1.
    pub global_rank: Option<usize>,
    /// The first wrong images in front of it.
    pub ahead: Vec<Shown>,
}

/// An image of a report.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The file, as the table and its folder say it.
    pub file: String,
    /// Position among the images read, for whoever draws it.
    #[serde(skip)]
    pub image: usize,
}
