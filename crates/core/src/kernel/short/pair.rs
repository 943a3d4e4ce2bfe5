//! One pair, from windows to the global node, with short integers where the work is.

use super::super::lanes::Lanes;
use super::super::pair::{self, Sides, last};
use super::super::product::Out;
use super::super::scratch::Room;
use super::super::softmax::Softmax;
use super::super::squares::Unit;
use super::super::tile::{BLOCK, CHUNK};
use super::super::transpose::Transpose;
use super::super::weights::{Folded, Weights};
use super::matrix::{ShortLayer, ShortWeights};
use super::product::{ShortProduct, ShortRight};
use super::quantise::{ShortNodes, ShortRows, ShortSquares};
use super::tile::{SHORT_PANEL, SHORT_ROW};

/// As [`pair::global_node`].
pub fn global_node<S: Lanes>(s: S, w: &Weights, short: &ShortWeights, sides: Sides<'_>, room: &mut Room<'_>) {
    if w.layers.is_empty() {
        // One node: nothing to save.
        return pair::global_node(s, w, sides, room);
    }
    nodes(s, w, short, sides, room);
    for (index, layer) in w.layers.iter().enumerate() {
        match short.layers.get(index) {
            Some(matrices) => {
                full(s, w, layer, matrices, &short.ones, room);
                std::mem::swap(&mut room.nodes, &mut room.next);
            }
            None => last(s, w, layer, room),
        }
    }
}

/// All nodes into `room.nodes`.
fn nodes<S: Lanes>(s: S, w: &Weights, short: &ShortWeights, sides: Sides<'_>, room: &mut Room<'_>) {
    let left: &mut [i16] = bytemuck::cast_slice_mut(room.short_block);
    let mut begin = 0;
    for &(end, projection) in &w.spans {
        let (start, projection) = (&w.projections[projection].start, &short.projections[projection]);
        while begin < end {
            let rows = BLOCK.min(end - begin);
            let out = &mut room.nodes[begin * w.dim..(begin + rows) * w.dim];
            for first in (0..w.channels).step_by(CHUNK) {
                let channels = CHUNK.min(w.channels - first);
                let row_scales = s.run(ShortSquares {
                    left: sides.left,
                    right: sides.right,
                    distance: w.channels,
                    pairs: &w.pairs[begin..begin + rows],
                    first,
                    channels,
                    squares: room.block,
                    out: left,
                });
                let (right, column_scales) = projection.from(first);
                s.run(ShortProduct {
                    rows,
                    inner: channels,
                    columns: w.dim,
                    left,
                    right,
                    row_scales: &row_scales,
                    column_scales,
                    start: (first == 0).then_some(start),
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
fn full<S: Lanes>(s: S, w: &Weights, layer: &Folded, matrices: &ShortLayer, ones: &[f32], room: &mut Room<'_>) {
    let (columns, dim) = (w.columns, w.dim);
    let shorts: &mut [i16] = bytemuck::cast_slice_mut(room.short_nodes);
    let block: &mut [i16] = bytemuck::cast_slice_mut(room.short_block);
    let asked: &mut [i16] = bytemuck::cast_slice_mut(room.short_asked);
    let attention: &mut [i16] = bytemuck::cast_slice_mut(room.short_attention);
    // Half of the room for nodes as a right operand holds them as receivers ask, the other half as senders send.
    let (senders, sent) = room.senders.split_at_mut(columns * dim / 2);
    let sent: &mut [i32] = bytemuck::cast_slice_mut(sent);
    let size = s.run(ShortNodes { from: room.nodes, dim, to: shorts, pairs: sent });
    // A pair is moved as if it were a float.
    let pairs: &[f32] = bytemuck::cast_slice(shorts);
    s.run(Transpose { from: pairs, columns, inner: dim / 2, piece: CHUNK / 2, to: senders });
    let senders: &[i32] = bytemuck::cast_slice(senders);
    for first in (0..w.nodes).step_by(BLOCK) {
        let rows = BLOCK.min(w.nodes - first);
        for (row, node) in shorts[first * dim..].chunks_exact(dim).take(rows).enumerate() {
            for (piece, part) in node.chunks(CHUNK).enumerate() {
                block[piece * SHORT_PANEL + row * SHORT_ROW..][..part.len()].copy_from_slice(part);
            }
        }
        let (right, column_scales) = matrices.attend.from(0);
        s.run(ShortProduct {
            rows,
            inner: dim,
            columns: dim,
            left: block,
            right,
            row_scales: &[size; BLOCK],
            column_scales,
            start: Some(&layer.attend.start),
            out: Out::Panels(room.asked),
            relu: false,
        });
        let scales = s.run(ShortRows::<true> { rows, columns: dim, from: room.asked, to: asked });
        s.run(ShortProduct {
            rows,
            inner: dim,
            columns,
            left: asked,
            right: ShortRight::Packed(senders),
            row_scales: &scales.map(|scale| scale * size),
            column_scales: ones,
            start: Some(&w.senders),
            out: Out::Panels(room.attention),
            relu: false,
        });
        let weights = s.run(Softmax {
            first,
            pairs: &w.pairs[first..first + rows],
            columns,
            edges: layer.edges.as_ref(),
            panels: room.attention,
            shorts: Some(attention),
        });
        if w.residual {
            pair::copy(&room.nodes[first * dim..], dim, rows, room.block);
        }
        s.run(ShortProduct {
            rows,
            inner: w.nodes.next_multiple_of(2),
            columns: dim,
            left: attention,
            right: ShortRight::Rows(sent, dim),
            row_scales: &weights.map(|scale| scale * size),
            column_scales: ones,
            start: (!w.residual).then_some(&w.nothing),
            out: Out::Panels(room.block),
            relu: false,
        });
        let scales = s.run(ShortRows::<false> { rows, columns: dim, from: room.block, to: block });
        let (right, column_scales) = matrices.update.from(0);
        s.run(ShortProduct {
            rows,
            inner: dim,
            columns: dim,
            left: block,
            right,
            row_scales: &scales,
            column_scales,
            start: Some(&layer.update.start),
            out: Out::Rows(&mut room.next[first * dim..(first + rows) * dim], dim),
            relu: true,
        });
    }
}
