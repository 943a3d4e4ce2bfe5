//! One pair, from windows to the global node.

use super::lanes::Lanes;
use super::last::Dots;
use super::product::{Out, Product, Right};
use super::scratch::Room;
use super::softmax::Softmax;
use super::squares::{Squares, Unit};
use super::tile::{BLOCK, CHUNK, PANEL, ROW};
use super::transpose::Transpose;
use super::weights::{Folded, Weights};

/// The regions of two images, `[M, C]` with C rounded up.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// In the rows of a node's pair.
    pub left: &'a [f32],
    /// In the columns.
    pub right: &'a [f32],
}

/// The global node after the last layer stands in `room.nodes`; with a layer its attention is the first row of
/// `room.attention`.
pub fn global_node<S: Lanes>(s: S, w: &Weights, sides: Sides<'_>, room: &mut Room<'_>) {
    // Without a layer nobody listens to the other nodes.
    nodes(s, w, sides, if w.layers.is_empty() { 1 } else { w.nodes }, room);
    for (index, layer) in w.layers.iter().enumerate() {
        if index + 1 == w.layers.len() {
            last(s, w, layer, room);
        } else {
            full(s, w, layer, room);
            std::mem::swap(&mut room.nodes, &mut room.next);
        }
    }
}

/// The first `count` nodes into `room.nodes`.
fn nodes<S: Lanes>(s: S, w: &Weights, sides: Sides<'_>, count: usize, room: &mut Room<'_>) {
    let mut begin = 0;
    for &(end, projection) in &w.spans {
        let projection = &w.projections[projection];
        let end = end.min(count);
        while begin < end {
            let rows = BLOCK.min(end - begin);
            let out = &mut room.nodes[begin * w.dim..(begin + rows) * w.dim];
            for first in (0..w.channels).step_by(CHUNK) {
                let channels = CHUNK.min(w.channels - first);
                s.run(Squares {
                    left: sides.left,
                    right: sides.right,
                    distance: w.channels,
                    pairs: &w.pairs[begin..begin + rows],
                    first,
                    channels,
                    out: room.block,
                });
                s.run(Product {
                    rows,
                    inner: channels,
                    columns: w.dim,
                    left: room.block,
                    right: projection.piece(first),
                    start: (first == 0).then_some(&projection.start),
                    out: Out::Rows(out, w.dim),
                    relu: false,
                });
            }
            s.run(Unit { rows: out, distance: w.dim, eps: w.eps });
            begin += rows;
        }
    }
}

/// One layer for all nodes: from `room.nodes` to `room.next`.
fn full<S: Lanes>(s: S, w: &Weights, layer: &Folded, room: &mut Room<'_>) {
    s.run(Transpose { from: room.nodes, columns: w.columns, inner: w.dim, piece: CHUNK, to: room.senders });
    for first in (0..w.nodes).step_by(BLOCK) {
        let rows = BLOCK.min(w.nodes - first);
        ask(s, w, layer, first, rows, room);
        s.run(Product {
            rows,
            inner: w.dim,
            columns: w.columns,
            left: room.asked,
            right: Right::Packed(room.senders),
            start: Some(&w.senders),
            out: Out::Panels(room.attention),
            relu: false,
        });
        receive(s, w, layer, first, rows, room);
        let out = &mut room.next[first * w.dim..(first + rows) * w.dim];
        s.run(Product {
            rows,
            inner: w.dim,
            columns: w.dim,
            left: room.block,
            right: layer.update.whole(),
            start: Some(&layer.update.start),
            out: Out::Rows(out, w.dim),
            relu: true,
        });
    }
}

/// The last layer, for the global node alone, which replaces `room.nodes`' first.
pub fn last<S: Lanes>(s: S, w: &Weights, layer: &Folded, room: &mut Room<'_>) {
    ask(s, w, layer, 0, 1, room);
    s.run(Dots {
        asked: room.asked,
        nodes: room.nodes,
        dim: w.dim,
        count: w.nodes,
        start: &w.senders,
        out: room.attention,
    });
    receive(s, w, layer, 0, 1, room);
    s.run(Product {
        rows: 1,
        inner: w.dim,
        columns: w.dim,
        left: room.block,
        right: layer.update.whole(),
        start: Some(&layer.update.start),
        out: Out::Rows(&mut room.nodes[..w.dim], w.dim),
        relu: true,
    });
}

/// A block's nodes as a left operand, and times A.
fn ask<S: Lanes>(s: S, w: &Weights, layer: &Folded, first: usize, rows: usize, room: &mut Room<'_>) {
    copy(&room.nodes[first * w.dim..], w.dim, rows, room.block);
    s.run(Product {
        rows,
        inner: w.dim,
        columns: w.dim,
        left: room.block,
        right: layer.attend.whole(),
        start: Some(&layer.attend.start),
        out: Out::Panels(room.asked),
        relu: false,
    });
}

/// From logits to what the block's nodes receive, with themselves where there is a residual.
fn receive<S: Lanes>(s: S, w: &Weights, layer: &Folded, first: usize, rows: usize, room: &mut Room<'_>) {
    s.run(Softmax {
        first,
        pairs: &w.pairs[first..first + rows],
        columns: w.columns,
        edges: layer.edges.as_ref(),
        panels: room.attention,
        shorts: None,
    });
    s.run(Product {
        rows,
        inner: w.nodes,
        columns: w.dim,
        left: room.attention,
        right: Right::Rows(room.nodes, w.dim),
        start: (!w.residual).then_some(&w.nothing),
        out: Out::Panels(room.block),
        relu: false,
    });
}

/// The first rows of `[_, dim]` as a left operand.
pub fn copy(nodes: &[f32], dim: usize, rows: usize, to: &mut [f32]) {
    for (row, node) in nodes.chunks_exact(dim).take(rows).enumerate() {
        for (piece, part) in node.chunks(CHUNK).enumerate() {
            to[piece * PANEL + row * ROW..][..part.len()].copy_from_slice(part);
        }
    }
}
