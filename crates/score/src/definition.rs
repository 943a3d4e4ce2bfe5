//! The equations as they are written, in f64, one scalar loop after another: the definition that every faster path
//! is held against. Nothing here is clever, on purpose.

use crate::edge_bias;
use crate::head::{Head, Layer};
use grnet_features::pyramid;

/// The logit of two images' regions (row-major `[M, C]`, in region order).
///
/// # Panics
/// If either slice does not have M·C values.
pub fn logit(head: &Head, x: &[f32], y: &[f32]) -> f64 {
    let x = regions(head, x);
    let y = regions(head, y);
    let mut nodes = nodes(head, &x, &y);
    for layer in &head.layers {
        nodes = reason(head, layer, &nodes).0;
    }
    let readout: f64 = head.readout.iter().zip(&nodes[0]).map(|(w, s)| f64::from(*w) * s).sum();
    readout + f64::from(head.readout_bias) + f64::from(head.cosine) * cosine(&x[0], &y[0])
}

/// Attention of the last layer's global row over all nodes: how much each pair of regions told the global node.
/// Without a layer the global node reads itself alone.
pub fn attention(head: &Head, x: &[f32], y: &[f32]) -> Vec<f64> {
    let mut nodes = nodes(head, &regions(head, x), &regions(head, y));
    let mut weights: Vec<f64> = (0..nodes.len()).map(|q| if q == 0 { 1.0 } else { 0.0 }).collect();
    for layer in &head.layers {
        let (next, attention) = reason(head, layer, &nodes);
        nodes = next;
        weights = attention[0].clone();
    }
    weights
}

fn regions(head: &Head, values: &[f32]) -> Vec<Vec<f64>> {
    assert_eq!(values.len(), pyramid::regions(&head.grids) * head.channels);
    values
        .chunks_exact(head.channels)
        .map(|region| {
            let region: Vec<f64> = region.iter().map(|v| f64::from(*v)).collect();
            let norm = if head.normalise { (dot(&region, &region) + 1e-12).sqrt() } else { 1.0 };
            region.iter().map(|v| v / norm).collect()
        })
        .collect()
}

fn nodes(head: &Head, x: &[Vec<f64>], y: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let eps = f64::from(head.graph.node_eps);
    let mut out = Vec::new();
    for (scale, projection) in head.projections.iter().enumerate() {
        for i in pyramid::scale(&head.grids, scale) {
            for j in pyramid::scale(&head.grids, scale) {
                let squares: Vec<f64> = x[i].iter().zip(&y[j]).map(|(a, b)| (a - b) * (a - b)).collect();
                let z = affine(&projection.weight, &projection.bias, &squares);
                let norm = (dot(&z, &z) + eps * eps).sqrt();
                out.push(z.iter().map(|v| v / norm).collect());
            }
        }
    }
    out
}

/// One layer: the new nodes, and the attention `[N, N]` (receiver, sender).
fn reason(head: &Head, layer: &Layer, nodes: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let scale = f64::from(head.graph.attention_scale);
    let mut next = Vec::new();
    let mut attention = Vec::new();
    let elements: Vec<edge_bias::Node> = edge_bias::nodes(&head.grids).collect();
    let senders: Vec<Vec<f64>> = nodes.iter().map(|sender| affine(&layer.into, &layer.into_bias, sender)).collect();
    for (receiver, element) in nodes.iter().zip(&elements) {
        let out = affine(&layer.out, &layer.out_bias, receiver);
        let logit =
            |into: &[f64], from: &edge_bias::Node| scale * dot(&out, into) + f64::from(layer.edges.of(*element, *from));
        let logits: Vec<f64> = senders.iter().zip(&elements).map(|(into, from)| logit(into, from)).collect();
        let largest = logits.iter().fold(f64::NEG_INFINITY, |m, e| m.max(*e));
        let weights: Vec<f64> = logits.iter().map(|e| (e - largest).exp()).collect();
        let total: f64 = weights.iter().sum();
        let weights: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let mut mix = if head.graph.residual { receiver.clone() } else { vec![0.0; receiver.len()] };
        for (weight, sender) in weights.iter().zip(nodes) {
            for (m, s) in mix.iter_mut().zip(sender) {
                *m += weight * s;
            }
        }
        next.push(affine(&layer.update, &layer.update_bias, &mix).iter().map(|v| v.max(0.0)).collect());
        attention.push(weights);
    }
    (next, attention)
}

/// `W v + b`, W row-major.
fn affine(weight: &[f32], bias: &[f32], v: &[f64]) -> Vec<f64> {
    weight
        .chunks_exact(v.len())
        .zip(bias)
        .map(|(row, b)| f64::from(*b) + row.iter().zip(v).map(|(w, x)| f64::from(*w) * x).sum::<f64>())
        .collect()
}

/// Cosine of two vectors; 0 where one is zero.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    dot(a, b) / ((dot(a, a) + 1e-12).sqrt() * (dot(b, b) + 1e-12).sqrt())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
