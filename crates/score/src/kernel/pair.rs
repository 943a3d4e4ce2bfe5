//! One pair, from regions to the global node.

use super::last::Dots;
use super::softmax::Softmax;
use super::squares::{Squares, Unit};
use super::weights::{Folded, Weights};
use super::workspace::Buffers;
use grnet_simd::Simd;
use grnet_simd::Transpose;
use grnet_simd::{F32, Out, Product, Right, Scales};
use grnet_simd::{PANEL_DEPTH, PANEL_LEN, PANEL_ROWS, PANEL_STRIDE};

/// The regions of two images, `[M, C]` with C rounded up.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// In the rows of a node's pair.
    pub left: &'a [f32],
    /// In the columns.
    pub right: &'a [f32],
}

/// The global node after the last layer stands in `buffers.nodes`; with a layer its attention is the first row of
/// `buffers.attention`.
pub fn global_node<S: Simd>(s: S, w: &Weights, sides: Sides<'_>, buffers: &mut Buffers<'_>) {
    // Without a layer nobody listens to the other nodes.
    nodes(s, w, sides, if w.layers.is_empty() { 1 } else { w.nodes }, buffers);
    for (index, layer) in w.layers.iter().enumerate() {
        if index + 1 == w.layers.len() {
            last(s, w, layer, buffers);
        } else {
            full(s, w, layer, buffers);
            std::mem::swap(&mut buffers.nodes, &mut buffers.next);
        }
    }
}

/// The first `count` nodes into `buffers.nodes`.
fn nodes<S: Simd>(s: S, w: &Weights, sides: Sides<'_>, count: usize, buffers: &mut Buffers<'_>) {
    let mut begin = 0;
    for &(end, projection) in &w.spans {
        let projection = &w.projections[projection];
        let end = end.min(count);
        while begin < end {
            let rows = PANEL_ROWS.min(end - begin);
            let out = &mut buffers.nodes[begin * w.dim..(begin + rows) * w.dim];
            for first in (0..w.channels).step_by(PANEL_DEPTH) {
                let channels = PANEL_DEPTH.min(w.channels - first);
                s.vectorize(Squares {
                    left: sides.left,
                    right: sides.right,
                    distance: w.channels,
                    pairs: &w.pairs[begin..begin + rows],
                    first,
                    channels,
                    out: buffers.block,
                });
                s.vectorize(Product::<F32> {
                    rows,
                    inner: channels,
                    columns: w.dim,
                    left: buffers.block,
                    right: projection.piece(first),
                    scales: Scales::NONE,
                    start: (first == 0).then_some(&projection.start),
                    out: Out::Rows(out, w.dim),
                    relu: false,
                });
            }
            s.vectorize(Unit { rows: out, distance: w.dim, eps: w.eps });
            begin += rows;
        }
    }
}

/// One layer for all nodes: from `buffers.nodes` to `buffers.next`.
fn full<S: Simd>(s: S, w: &Weights, layer: &Folded, buffers: &mut Buffers<'_>) {
    s.vectorize(Transpose {
        from: buffers.nodes,
        columns: w.columns,
        inner: w.dim,
        piece: PANEL_DEPTH,
        to: buffers.senders,
    });
    for first in (0..w.nodes).step_by(PANEL_ROWS) {
        let rows = PANEL_ROWS.min(w.nodes - first);
        ask(s, w, layer, first, rows, buffers);
        s.vectorize(Product::<F32> {
            rows,
            inner: w.dim,
            columns: w.columns,
            left: buffers.asked,
            right: Right::Packed(buffers.senders),
            scales: Scales::NONE,
            start: Some(&w.senders),
            out: Out::Panels(buffers.attention),
            relu: false,
        });
        receive(s, w, layer, first, rows, buffers);
        let out = &mut buffers.next[first * w.dim..(first + rows) * w.dim];
        s.vectorize(Product::<F32> {
            rows,
            inner: w.dim,
            columns: w.dim,
            left: buffers.block,
            right: layer.update.whole(),
            scales: Scales::NONE,
            start: Some(&layer.update.start),
            out: Out::Rows(out, w.dim),
            relu: true,
        });
    }
}

/// The last layer, for the global node alone, which replaces `buffers.nodes`' first.
pub fn last<S: Simd>(s: S, w: &Weights, layer: &Folded, buffers: &mut Buffers<'_>) {
    ask(s, w, layer, 0, 1, buffers);
    s.vectorize(Dots {
        asked: buffers.asked,
        nodes: buffers.nodes,
        dim: w.dim,
        count: w.nodes,
        start: &w.senders,
        out: buffers.attention,
    });
    receive(s, w, layer, 0, 1, buffers);
    s.vectorize(Product::<F32> {
        rows: 1,
        inner: w.dim,
        columns: w.dim,
        left: buffers.block,
        right: layer.update.whole(),
        scales: Scales::NONE,
        start: Some(&layer.update.start),
        out: Out::Rows(&mut buffers.nodes[..w.dim], w.dim),
        relu: true,
    });
}

/// A block's nodes as a left operand, and times A.
fn ask<S: Simd>(s: S, w: &Weights, layer: &Folded, first: usize, rows: usize, buffers: &mut Buffers<'_>) {
    copy(&buffers.nodes[first * w.dim..], w.dim, rows, buffers.block);
    s.vectorize(Product::<F32> {
        rows,
        inner: w.dim,
        columns: w.dim,
        left: buffers.block,
        right: layer.attend.whole(),
        scales: Scales::NONE,
        start: Some(&layer.attend.start),
        out: Out::Panels(buffers.asked),
        relu: false,
    });
}

/// From logits to what the block's nodes receive, with themselves where there is a residual.
fn receive<S: Simd>(s: S, w: &Weights, layer: &Folded, first: usize, rows: usize, buffers: &mut Buffers<'_>) {
    s.vectorize(Softmax {
        first,
        pairs: &w.pairs[first..first + rows],
        columns: w.columns,
        edges: layer.edges.as_ref(),
        panels: buffers.attention,
        i16s: None,
    });
    s.vectorize(Product::<F32> {
        rows,
        inner: w.nodes,
        columns: w.dim,
        left: buffers.attention,
        right: Right::Rows(buffers.nodes, w.dim),
        scales: Scales::NONE,
        start: (!w.residual).then_some(&w.nothing),
        out: Out::Panels(buffers.block),
        relu: false,
    });
}

/// The first rows of `[_, dim]` as a left operand.
pub fn copy(nodes: &[f32], dim: usize, rows: usize, to: &mut [f32]) {
    for (row, node) in nodes.chunks_exact(dim).take(rows).enumerate() {
        for (piece, part) in node.chunks(PANEL_DEPTH).enumerate() {
            to[piece * PANEL_LEN + row * PANEL_STRIDE..][..part.len()].copy_from_slice(part);
        }
    }
}
