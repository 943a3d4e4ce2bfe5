//! The fast path: the same score as [`oracle`](crate::oracle), in f32, by the [kernel](crate::kernel).
//!
//! The two images are taken in an order of their own (by their windows), not the caller's, so that
//! `score(x, y)` and `score(y, x)` are the same bits.

use std::sync::{Arc, OnceLock};

use crate::error::ScoreError;
use crate::features::Features;
use crate::head::Head;
pub use crate::kernel::Scratch;
use crate::kernel::{
    CHUNK, Lanes, Machine, Normalise, PANEL, Path, Read, Room, Sides, Weights, global_node,
    short::{self, ShortWeights},
    up, with_lanes,
};
use crate::pyramid;
use crate::query::Query;

/// An image made ready to be scored: its windows in f32, normalised where the model says so. Made once for a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Row-major `[M, C]`, C rounded up to whole vectors, zero behind.
    pub(crate) windows: Vec<f32>,
}

/// How a score is computed: the caller's choice, never another than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floats throughout: logits within 1e-4 of the definition's, 1e-5 mostly.
    #[default]
    F32,
    /// 16-bit integers in the large products, exact sums: 1.5 times as fast with AVX2 or AVX-512, and
    /// slower than f32 without. Logits differ in the fourth digit; bench/README.md says how rankings do.
    I16,
}

/// Scores pairs with one model's graph.
#[derive(Debug)]
pub struct Scorer {
    kernel: Arc<Kernel>,
}

/// A model's weights as the kernel reads them, and the instructions that it uses.
#[derive(Debug)]
pub(crate) struct Kernel {
    head: Head,
    weights: Weights,
    /// Made when they are first asked for.
    short: OnceLock<ShortWeights>,
    path: Path,
    machine: Machine,
}

/// One edge into the global node: how a pair of regions bears on the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// The scale, counted from 0.
    pub scale: usize,
    /// The left image's window within its scale, row by row, counted from 0.
    pub left: usize,
    /// The right image's window.
    pub right: usize,
    /// Cosine of the two windows.
    pub similarity: f32,
    /// The last layer's attention of the global node; the weights of all edges sum to 1.
    pub weight: f64,
}

impl Scorer {
    /// Prepares a model's weights for scoring by the fastest path that the processor has, or the one that the
    /// environment variable `GRNET_KERNEL` names.
    ///
    /// # Errors
    /// That variable names no path, or one that this processor lacks.
    pub fn new(head: Head) -> Result<Self, ScoreError> {
        Self::on(Path::chosen()?, head)
    }

    /// Prepares a model's weights for scoring by one path.
    ///
    /// # Errors
    /// The processor lacks it.
    pub fn on(path: Path, head: Head) -> Result<Self, ScoreError> {
        let machine = path.machine().ok_or_else(|| path.missing())?;
        let weights = with_lanes!(machine, lanes => Weights::new(lanes, &head));
        Ok(Self { kernel: Arc::new(Kernel { head, weights, short: OnceLock::new(), path, machine }) })
    }

    /// The weights this scorer was made from.
    pub fn head(&self) -> &Head {
        &self.kernel.head
    }

    /// The instructions that it uses.
    pub fn path(&self) -> Path {
        self.kernel.path
    }

    /// Makes an image ready.
    ///
    /// # Errors
    /// Its shape is not the model's. That the value's model is this model is the caller's to check.
    pub fn prepare(&self, features: &Features<'_>) -> Result<Prepared, ScoreError> {
        self.kernel.check(features)?;
        let mut windows = vec![0.0; self.kernel.windows()];
        self.kernel.read(features, &mut windows);
        Ok(Prepared { windows })
    }

    /// Makes an image ready from its regions, row-major `[M, C]`.
    ///
    /// # Panics
    /// If there are not M·C values.
    pub fn prepare_values(&self, values: Vec<f32>) -> Prepared {
        let c = self.kernel.head.channels;
        assert_eq!(values.len(), self.kernel.weights.regions * c);
        let mut windows = vec![0.0; self.kernel.windows()];
        for (window, values) in windows.chunks_exact_mut(up(c)).zip(values.chunks_exact(c)) {
            window[..c].copy_from_slice(values);
        }
        self.kernel.normalise(&mut windows);
        Prepared { windows }
    }

    /// An image that many are scored against, in f32.
    ///
    /// # Panics
    /// If it was prepared by a model of another shape.
    pub fn query(&self, image: &Prepared) -> Query {
        self.query_in(Precision::F32, image)
    }

    /// An image that many are scored against, in the precision that the caller chooses.
    ///
    /// # Panics
    /// As [`query`](Self::query).
    pub fn query_in(&self, precision: Precision, image: &Prepared) -> Query {
        self.kernel.check_prepared(image);
        Query::new(Arc::clone(&self.kernel), precision, image.clone())
    }

    /// Makes the room that this model needs, so that scoring allocates nothing.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn fit(&self, scratch: &mut Scratch) -> Result<(), ScoreError> {
        self.kernel.fit(scratch)
    }

    /// The logit of two images in f32; the same bits whichever comes first.
    ///
    /// # Panics
    /// If an image was prepared by a model of another shape, or there is no memory for a scratch.
    pub fn logit(&self, x: &Prepared, y: &Prepared, scratch: &mut Scratch) -> f64 {
        self.logit_in(Precision::F32, x, y, scratch)
    }

    /// The same in the precision that the caller chooses.
    ///
    /// # Panics
    /// As [`logit`](Self::logit).
    pub fn logit_in(&self, precision: Precision, x: &Prepared, y: &Prepared, scratch: &mut Scratch) -> f64 {
        self.kernel.check_prepared(x);
        self.kernel.check_prepared(y);
        self.kernel.logit(precision, &x.windows, &y.windows, &mut self.kernel.room(scratch))
    }

    /// The edges into the global node, strongest first: why this match.
    ///
    /// # Panics
    /// As [`logit`](Self::logit).
    pub fn explain(&self, x: &Prepared, y: &Prepared, scratch: &mut Scratch) -> Vec<Edge> {
        self.kernel.check_prepared(x);
        self.kernel.check_prepared(y);
        let (head, distance) = (&self.kernel.head, self.kernel.weights.channels);
        let n = self.kernel.weights.nodes;
        let mut room = self.kernel.room(scratch);
        self.kernel.run(Precision::F32, Sides { left: &x.windows, right: &y.windows }, &mut room);
        let weight = |node: usize| match head.layers.len() {
            0 if node == 0 => 1.0,
            0 => 0.0,
            _ => f64::from(room.attention[node / CHUNK * PANEL + node % CHUNK]),
        };
        let mut edges = Vec::with_capacity(n);
        for scale in 0..head.grids.len() {
            let range = pyramid::scale(&head.grids, scale);
            for i in range.clone() {
                for j in range.clone() {
                    let (left, right) =
                        (&x.windows[i * distance..][..distance], &y.windows[j * distance..][..distance]);
                    let similarity = cosine(left, right) as f32;
                    let weight = weight(edges.len());
                    edges.push(Edge { scale, left: i - range.start, right: j - range.start, similarity, weight });
                }
            }
        }
        edges.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        edges
    }
}

impl Kernel {
    /// Refuses a value of another shape than the model's.
    pub fn check(&self, features: &Features<'_>) -> Result<(), ScoreError> {
        if features.grids() == self.head.grids && features.channels() == self.head.channels {
            return Ok(());
        }
        Err(ScoreError::Shape {
            got_grids: features.grids().to_vec(),
            got_channels: features.channels(),
            grids: self.head.grids.clone(),
            channels: self.head.channels,
        })
    }

    /// Panics where an image was prepared by a model of another shape.
    pub fn check_prepared(&self, image: &Prepared) {
        assert_eq!(image.windows.len(), self.windows(), "an image that another model prepared");
    }

    pub fn fit(&self, scratch: &mut Scratch) -> Result<(), ScoreError> {
        scratch.try_fit(&self.weights).map_err(|_| ScoreError::Memory { bytes: Scratch::bytes(&self.weights) })
    }

    pub fn room<'a>(&self, scratch: &'a mut Scratch) -> Room<'a> {
        scratch.cut(&self.weights)
    }

    /// Floats of an image's windows.
    fn windows(&self) -> usize {
        self.weights.regions * self.weights.channels
    }

    /// Reads a value's regions and brings them to unit norm, into `[M, C]` with C rounded up.
    pub fn read(&self, features: &Features<'_>, windows: &mut [f32]) {
        let distance = self.weights.channels;
        if distance > self.head.channels {
            windows.fill(0.0);
        }
        with_lanes!(self.machine, lanes => lanes.run(Read { features: *features, out: windows, distance }));
        self.normalise(windows);
    }

    fn normalise(&self, windows: &mut [f32]) {
        if self.head.normalise {
            let distance = self.weights.channels;
            with_lanes!(self.machine, lanes => lanes.run(Normalise { rows: windows, distance }));
        }
    }

    fn run(&self, precision: Precision, sides: Sides<'_>, room: &mut Room<'_>) {
        with_lanes!(self.machine, lanes => match precision {
            Precision::F32 => global_node(lanes, &self.weights, sides, room),
            Precision::I16 => {
                let short = self.short.get_or_init(|| ShortWeights::new(lanes, &self.weights));
                short::global_node(lanes, &self.weights, short, sides, room);
            }
        });
    }

    /// The logit of two images' windows.
    pub fn logit(&self, precision: Precision, x: &[f32], y: &[f32], room: &mut Room<'_>) -> f64 {
        let (left, right) = in_order(x, y);
        self.run(precision, Sides { left, right }, room);
        let global = &room.nodes[..self.head.graph.dim];
        let readout: f64 = self.head.readout.iter().zip(global).map(|(w, s)| f64::from(*w) * f64::from(*s)).sum();
        let c = self.head.channels;
        let cosine = if self.head.graph.global_cosine {
            f64::from(self.head.cosine) * cosine(&left[..c], &right[..c])
        } else {
            0.0
        };
        readout + f64::from(self.head.readout_bias) + cosine
    }
}

/// The pair in an order that does not depend on the caller's.
fn in_order<'a>(x: &'a [f32], y: &'a [f32]) -> (&'a [f32], &'a [f32]) {
    let differing = x.iter().zip(y).find(|(a, b)| a != b);
    match differing {
        Some((a, b)) if a > b => (y, x),
        _ => (x, y),
    }
}

/// Cosine of two vectors; 0 where one is zero.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0, 1e-12, 1e-12);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / (f64::sqrt(aa) * f64::sqrt(bb))
}
