//! One pair, from regions to the global node, with 16-bit integers where the work is.

use super::super::pair::{self, Sides, last};
use super::super::softmax::Softmax;
use super::super::squares::Unit;
use super::super::weights::{Folded, Weights};
use super::super::workspace::Buffers;
use super::matrix::{LayerI16, WeightsI16};
use super::quantise::{NodesI16, RowsI16, SquaresI16};
use grnet_simd::Out;
use grnet_simd::Simd;
use grnet_simd::Transpose;
use grnet_simd::{I16, Product, Right, Scales};
use grnet_simd::{PANEL_DEPTH, PANEL_ROWS};
use grnet_simd::{PANEL_LEN_I16, PANEL_STRIDE_I16};

/// As [`pair::global_node`].
pub fn global_node<S: Simd>(s: S, w: &Weights, weights_i16: &WeightsI16, sides: Sides<'_>, buffers: &mut Buffers<'_>) {
    if w.layers.is_empty() {
        // One node: nothing to save.
        return pair::global_node(s, w, sides, buffers);
    }
    nodes(s, w, weights_i16, sides, buffers);
    for (index, layer) in w.layers.iter().enumerate() {
        match weights_i16.layers.get(index) {
            Some(matrices) => {
                full(s, w, layer, matrices, &weights_i16.ones, buffers);
                std::mem::swap(&mut buffers.nodes, &mut buffers.next);
            }
            None => last(s, w, layer, buffers),
        }
    }
}

/// All nodes into `buffers.nodes`.
fn nodes<S: Simd>(s: S, w: &Weights, weights_i16: &WeightsI16, sides: Sides<'_>, buffers: &mut Buffers<'_>) {
    let left: &mut [i16] = bytemuck::cast_slice_mut(buffers.block_i16);
    let mut begin = 0;
    for &(end, projection) in &w.spans {
        let (start, projection) = (&w.projections[projection].start, &weights_i16.projections[projection]);
        while begin < end {
            let rows = PANEL_ROWS.min(end - begin);
            let out = &mut buffers.nodes[begin * w.dim..(begin + rows) * w.dim];
            for first in (0..w.channels).step_by(PANEL_DEPTH) {
                let channels = PANEL_DEPTH.min(w.channels - first);
                let row_scales = s.vectorize(SquaresI16 {
                    left: sides.left,
                    right: sides.right,
                    distance: w.channels,
                    pairs: &w.pairs[begin..begin + rows],
                    first,
                    channels,
                    squares: buffers.block,
                    out: left,
                });
                let (right, column_scales) = projection.from(first);
                s.vectorize(Product::<I16> {
                    rows,
                    inner: channels,
                    columns: w.dim,
                    left,
                    right,
                    scales: Scales { rows: &row_scales, columns: column_scales },
                    start: (first == 0).then_some(start),
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
fn full<S: Simd>(s: S, w: &Weights, layer: &Folded, matrices: &LayerI16, ones: &[f32], buffers: &mut Buffers<'_>) {
    let (columns, dim) = (w.columns, w.dim);
    let i16s: &mut [i16] = bytemuck::cast_slice_mut(buffers.nodes_i16);
    let block: &mut [i16] = bytemuck::cast_slice_mut(buffers.block_i16);
    let asked: &mut [i16] = bytemuck::cast_slice_mut(buffers.asked_i16);
    let attention: &mut [i16] = bytemuck::cast_slice_mut(buffers.attention_i16);
    // Half of the buffers for nodes as a right operand holds them as receivers ask, the other half as senders send.
    let (senders, sent) = buffers.senders.split_at_mut(columns * dim / 2);
    let sent: &mut [i32] = bytemuck::cast_slice_mut(sent);
    let size = s.vectorize(NodesI16 { from: buffers.nodes, dim, to: i16s, pairs: sent });
    // A pair is moved as if it were a float.
    let pairs: &[f32] = bytemuck::cast_slice(i16s);
    s.vectorize(Transpose { from: pairs, columns, inner: dim / 2, piece: PANEL_DEPTH / 2, to: senders });
    let senders: &[i32] = bytemuck::cast_slice(senders);
    for first in (0..w.nodes).step_by(PANEL_ROWS) {
        let rows = PANEL_ROWS.min(w.nodes - first);
        for (row, node) in i16s[first * dim..].chunks_exact(dim).take(rows).enumerate() {
            for (piece, part) in node.chunks(PANEL_DEPTH).enumerate() {
                block[piece * PANEL_LEN_I16 + row * PANEL_STRIDE_I16..][..part.len()].copy_from_slice(part);
            }
        }
        let (right, column_scales) = matrices.attend.from(0);
        s.vectorize(Product::<I16> {
            rows,
            inner: dim,
            columns: dim,
            left: block,
            right,
            scales: Scales { rows: &[size; PANEL_ROWS], columns: column_scales },
            start: Some(&layer.attend.start),
            out: Out::Panels(buffers.asked),
            relu: false,
        });
        let scales = s.vectorize(RowsI16::<true> { rows, columns: dim, from: buffers.asked, to: asked });
        s.vectorize(Product::<I16> {
            rows,
            inner: dim,
            columns,
            left: asked,
            right: Right::Packed(senders),
            scales: Scales { rows: &scales.map(|scale| scale * size), columns: ones },
            start: Some(&w.senders),
            out: Out::Panels(buffers.attention),
            relu: false,
        });
        let weights = s.vectorize(Softmax {
            first,
            pairs: &w.pairs[first..first + rows],
            columns,
            edges: layer.edges.as_ref(),
            panels: buffers.attention,
            i16s: Some(attention),
        });
        if w.residual {
            pair::copy(&buffers.nodes[first * dim..], dim, rows, buffers.block);
        }
        s.vectorize(Product::<I16> {
            rows,
            inner: w.nodes.next_multiple_of(2),
            columns: dim,
            left: attention,
            right: Right::Rows(sent, dim),
            scales: Scales { rows: &weights.map(|scale| scale * size), columns: ones },
            start: (!w.residual).then_some(&w.nothing),
            out: Out::Panels(buffers.block),
            relu: false,
        });
        let scales = s.vectorize(RowsI16::<false> { rows, columns: dim, from: buffers.block, to: block });
        let (right, column_scales) = matrices.update.from(0);
        s.vectorize(Product::<I16> {
            rows,
            inner: dim,
            columns: dim,
            left: block,
            right,
            scales: Scales { rows: &scales, columns: column_scales },
            start: Some(&layer.update.start),
            out: Out::Rows(&mut buffers.next[first * dim..(first + rows) * dim], dim),
            relu: true,
        });
    }
}
