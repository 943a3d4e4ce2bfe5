//! The fast path: the same score as [`definition`](crate::definition), in f32, by the [kernel](crate::kernel).
//!
//! The two images are taken in an order of their own (by their regions), not the caller's, so that
//! `score(x, y)` and `score(y, x)` are the same bits.

use std::sync::{Arc, OnceLock};

use crate::error::ScoreError;
use crate::head::Head;
pub use crate::kernel::Workspace;
use crate::kernel::i16::{self, WeightsI16};
use crate::kernel::{Buffers, Normalise, Read, Sides, Weights, global_node};
use crate::prepared_query::PreparedQuery;
use grnet_features::pyramid;
use grnet_features::value::Features;
use grnet_simd::{Detected, Isa, PANEL_DEPTH, PANEL_LEN, Simd, up, with_simd};

/// An image made ready to be scored: its regions in f32, normalised where the model says so. Made once for a query.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedFeatures {
    /// Row-major `[M, C]`, C rounded up to whole vectors, zero behind.
    pub(crate) regions: Vec<f32>,
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
    weights_i16: OnceLock<WeightsI16>,
    path: Isa,
    detected: Detected,
}

/// One edge into the global node: how a pair of regions bears on the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// The scale, counted from 0.
    pub scale: usize,
    /// The left image's region within its scale, row by row, counted from 0.
    pub left: usize,
    /// The right image's region.
    pub right: usize,
    /// Cosine of the two regions.
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
        Self::on(Isa::chosen()?, head)
    }

    /// Prepares a model's weights for scoring by one path.
    ///
    /// # Errors
    /// The processor lacks it.
    pub fn on(path: Isa, head: Head) -> Result<Self, ScoreError> {
        let detected = path.detect().ok_or_else(|| path.missing())?;
        let weights = with_simd!(detected, s => Weights::new(s, &head));
        Ok(Self { kernel: Arc::new(Kernel { head, weights, weights_i16: OnceLock::new(), path, detected }) })
    }

    /// The weights this scorer was made from.
    pub fn head(&self) -> &Head {
        &self.kernel.head
    }

    /// The instructions that it uses.
    pub fn path(&self) -> Isa {
        self.kernel.path
    }

    /// Makes an image ready.
    ///
    /// # Errors
    /// Its shape is not the model's. That the value's model is this model is the caller's to check.
    pub fn prepare(&self, features: &Features<'_>) -> Result<PreparedFeatures, ScoreError> {
        self.kernel.check(features)?;
        let mut regions = vec![0.0; self.kernel.regions_len()];
        self.kernel.read(features, &mut regions);
        Ok(PreparedFeatures { regions })
    }

    /// Makes an image ready from its regions, row-major `[M, C]`.
    ///
    /// # Panics
    /// If there are not M·C values.
    pub fn prepare_values(&self, values: Vec<f32>) -> PreparedFeatures {
        let c = self.kernel.head.channels;
        assert_eq!(values.len(), self.kernel.weights.regions * c);
        let mut regions = vec![0.0; self.kernel.regions_len()];
        for (region, values) in regions.chunks_exact_mut(up(c)).zip(values.chunks_exact(c)) {
            region[..c].copy_from_slice(values);
        }
        self.kernel.normalise(&mut regions);
        PreparedFeatures { regions }
    }

    /// An image that many are scored against, in f32.
    ///
    /// # Panics
    /// If it was prepared by a model of another shape.
    pub fn query(&self, image: &PreparedFeatures) -> PreparedQuery {
        self.query_in(Precision::F32, image)
    }

    /// An image that many are scored against, in the precision that the caller chooses.
    ///
    /// # Panics
    /// As [`query`](Self::query).
    pub fn query_in(&self, precision: Precision, image: &PreparedFeatures) -> PreparedQuery {
        self.kernel.check_prepared(image);
        PreparedQuery::new(Arc::clone(&self.kernel), precision, image.clone())
    }

    /// Makes the buffers that this model needs, so that scoring allocates nothing.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn fit(&self, workspace: &mut Workspace) -> Result<(), ScoreError> {
        self.kernel.fit(workspace)
    }

    /// The logit of two images in f32; the same bits whichever comes first.
    ///
    /// # Panics
    /// If an image was prepared by a model of another shape, or there is no memory for a workspace.
    pub fn logit(&self, x: &PreparedFeatures, y: &PreparedFeatures, workspace: &mut Workspace) -> f64 {
        self.logit_in(Precision::F32, x, y, workspace)
    }

    /// The same in the precision that the caller chooses.
    ///
    /// # Panics
    /// As [`logit`](Self::logit).
    pub fn logit_in(
        &self,
        precision: Precision,
        x: &PreparedFeatures,
        y: &PreparedFeatures,
        workspace: &mut Workspace,
    ) -> f64 {
        self.kernel.check_prepared(x);
        self.kernel.check_prepared(y);
        self.kernel.logit(precision, &x.regions, &y.regions, &mut self.kernel.buffers(workspace))
    }

    /// The edges into the global node, strongest first: why this match.
    ///
    /// # Panics
    /// As [`logit`](Self::logit).
    pub fn explain(&self, x: &PreparedFeatures, y: &PreparedFeatures, workspace: &mut Workspace) -> Vec<Edge> {
        self.kernel.check_prepared(x);
        self.kernel.check_prepared(y);
        let (head, distance) = (&self.kernel.head, self.kernel.weights.channels);
        let n = self.kernel.weights.nodes;
        let mut buffers = self.kernel.buffers(workspace);
        self.kernel.run(Precision::F32, Sides { left: &x.regions, right: &y.regions }, &mut buffers);
        let weight = |node: usize| match head.layers.len() {
            0 if node == 0 => 1.0,
            0 => 0.0,
            _ => f64::from(buffers.attention[node / PANEL_DEPTH * PANEL_LEN + node % PANEL_DEPTH]),
        };
        let mut edges = Vec::with_capacity(n);
        for scale in 0..head.grids.len() {
            let range = pyramid::scale(&head.grids, scale);
            for i in range.clone() {
                for j in range.clone() {
                    let (left, right) =
                        (&x.regions[i * distance..][..distance], &y.regions[j * distance..][..distance]);
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
    pub fn check_prepared(&self, image: &PreparedFeatures) {
        assert_eq!(image.regions.len(), self.regions_len(), "an image that another model prepared");
    }

    pub fn fit(&self, workspace: &mut Workspace) -> Result<(), ScoreError> {
        workspace.try_fit(&self.weights).map_err(|_| ScoreError::Memory { bytes: Workspace::bytes(&self.weights) })
    }

    pub fn buffers<'a>(&self, workspace: &'a mut Workspace) -> Buffers<'a> {
        workspace.cut(&self.weights)
    }

    /// Floats of an image's regions.
    fn regions_len(&self) -> usize {
        self.weights.regions * self.weights.channels
    }

    /// Reads a value's regions and brings them to unit norm, into `[M, C]` with C rounded up.
    pub fn read(&self, features: &Features<'_>, regions: &mut [f32]) {
        let distance = self.weights.channels;
        if distance > self.head.channels {
            regions.fill(0.0);
        }
        with_simd!(self.detected, s => s.vectorize(Read { features: *features, out: regions, distance }));
        self.normalise(regions);
    }

    fn normalise(&self, regions: &mut [f32]) {
        if self.head.normalise {
            let distance = self.weights.channels;
            with_simd!(self.detected, s => s.vectorize(Normalise { rows: regions, distance }));
        }
    }

    fn run(&self, precision: Precision, sides: Sides<'_>, buffers: &mut Buffers<'_>) {
        with_simd!(self.detected, s => match precision {
            Precision::F32 => global_node(s, &self.weights, sides, buffers),
            Precision::I16 => {
                let weights_i16 = self.weights_i16.get_or_init(|| WeightsI16::new(s, &self.weights));
                i16::global_node(s, &self.weights, weights_i16, sides, buffers);
            }
        });
    }

    /// The logit of two images' regions.
    pub fn logit(&self, precision: Precision, x: &[f32], y: &[f32], buffers: &mut Buffers<'_>) -> f64 {
        let (left, right) = in_order(x, y);
        self.run(precision, Sides { left, right }, buffers);
        let global = &buffers.nodes[..self.head.graph.dim];
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
