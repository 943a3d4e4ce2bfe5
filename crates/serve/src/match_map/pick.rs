//! Which pairs of regions are drawn.
//!
//! A weight alone says little. In matches the attention is nearly flat, and some of what it rests on is white paper; so
//! a pair counts by weight times similarity, and regions that show nothing are left out.

use grnet_features::config::Fit;
use grnet_image::Picture;
use grnet_score::scorer::Edge;

use crate::match_map::layout::{Area, region};

/// Pairs that are drawn, at most: as many as there are colours that nobody confuses.
pub const MOST: usize = 6;

/// A channel from here on is white, and a region of which more than this share is, shows nothing.
const WHITE: u8 = 240;
const TOO_WHITE: f32 = 0.85;

/// A pair of regions, each in pixels of its own image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The query's region.
    pub query: Area,
    /// The item's region.
    pub item: Area,
    /// Its share of the attention.
    pub weight: f64,
}

/// The pairs that decided, first the one that did most; of each grid a region comes once. The pair of whole images is
/// not among them: there is nothing to point at.
pub fn pairs(edges: &[Edge], grids: &[u8], fit: Fit, query: &Picture, item: &Picture) -> Vec<Pair> {
    let worth = |edge: &Edge| edge.weight * f64::from(edge.similarity.max(0.0));
    let mut ranked: Vec<&Edge> = edges.iter().filter(|edge| worth(edge) > 0.0).collect();
    ranked.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
    let mut drawn: Vec<(&Edge, Pair)> = Vec::with_capacity(MOST);
    for edge in ranked {
        let again = |other: &Edge| other.scale == edge.scale && (other.left == edge.left || other.right == edge.right);
        if drawn.len() == MOST || drawn.iter().any(|(other, _)| again(other)) {
            continue;
        }
        let Some(&grid) = grids.get(edge.scale).filter(|grid| **grid > 1) else { continue };
        let (Some(query), Some(item)) = (shown(query, fit, grid, edge.left), shown(item, fit, grid, edge.right)) else {
            continue;
        };
        drawn.push((edge, Pair { query, item, weight: edge.weight }));
    }
    drawn.into_iter().map(|(_, pair)| pair).collect()
}

/// A region that shows something.
fn shown(image: &Picture, fit: Fit, grid: u8, index: usize) -> Option<Area> {
    region((image.width(), image.height()), fit, grid, index).filter(|area| white(image, *area) <= TOO_WHITE)
}

/// The share of an area's pixels that are white.
fn white(image: &Picture, area: Area) -> f32 {
    let end = |from: f32, length: f32, size: u32| ((from + length).round() as usize).min(size as usize);
    let columns = area.left.round() as usize..end(area.left, area.width, image.width());
    let rows = area.top.round() as usize..end(area.top, area.height, image.height());
    let count = (columns.len() * rows.len()).max(1);
    let line = image.width() as usize;
    let pixels = rows.flat_map(|row| {
        let part = row * line + columns.start..row * line + columns.end;
        image.pixels()[part.start * 3..part.end * 3].as_chunks::<3>().0
    });
    pixels.filter(|pixel| pixel.iter().all(|channel| *channel >= WHITE)).count() as f32 / count as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, height: u32, colour: impl Fn(u32, u32) -> u8) -> Picture {
        let pixels = (0..width * height).flat_map(|at| [colour(at % width, at / width); 3]).collect();
        Picture::new(width, height, pixels).unwrap()
    }

    fn edge(scale: usize, left: usize, right: usize, similarity: f32, weight: f64) -> Edge {
        Edge { scale, left, right, similarity, weight }
    }

    fn weights(edges: &[Edge], query: &Picture, item: &Picture) -> Vec<f64> {
        pairs(edges, &[1, 2, 3], Fit::Letterbox, query, item).iter().map(|pair| pair.weight).collect()
    }

    #[test]
    fn similarity_counts_beside_weight_and_dissimilar_windows_do_not() {
        let grey = image(90, 90, |_, _| 120);
        let edges =
            [edge(1, 0, 0, 0.1, 0.5), edge(1, 1, 1, 0.9, 0.2), edge(2, 4, 4, -0.2, 0.3), edge(0, 0, 0, 1.0, 0.9)];
        assert_eq!(weights(&edges, &grey, &grey), [0.2, 0.5]);
    }

    #[test]
    fn of_each_grid_a_window_comes_once_and_six_pairs_are_all() {
        let grey = image(90, 90, |_, _| 120);
        let edges =
            [edge(1, 0, 0, 0.9, 0.3), edge(1, 0, 1, 0.9, 0.2), edge(1, 2, 0, 0.9, 0.1), edge(2, 0, 0, 0.9, 0.05)];
        assert_eq!(weights(&edges, &grey, &grey), [0.3, 0.05]);
        let many: Vec<Edge> = (0..9).map(|n| edge(2, n, n, 0.5, 0.01 * (9 - n) as f64)).collect();
        let found = weights(&many, &grey, &grey);
        assert_eq!(found.len(), MOST);
        assert!(found.is_sorted_by(|a, b| a > b));
    }

    #[test]
    fn white_windows_and_those_beside_the_image_are_left_out() {
        // White but for its lower half.
        let half = image(90, 90, |_, y| if y < 45 { 255 } else { 90 });
        let grey = image(90, 90, |_, _| 120);
        let edges =
            [edge(1, 0, 0, 1.0, 0.4), edge(1, 2, 2, 1.0, 0.3), edge(2, 1, 1, 1.0, 0.2), edge(2, 4, 4, 1.0, 0.1)];
        assert_eq!(weights(&edges, &half, &grey), [0.3, 0.1]);
        assert_eq!(weights(&edges, &grey, &half), [0.3, 0.1]);
        // Of an image four times as high as wide only the middle column of three is there.
        let thin = image(30, 120, |_, _| 120);
        let edges = [edge(2, 3, 3, 1.0, 0.4), edge(2, 4, 4, 1.0, 0.3), edge(1, 0, 0, 1.0, 0.2)];
        assert_eq!(weights(&edges, &thin, &grey), [0.3]);
    }

    #[test]
    fn a_window_of_85_percent_white_just_counts() {
        let striped = |white: u32| image(100, 100, move |x, _| if x % 50 < white { 240 } else { 239 });
        let edges = [edge(1, 0, 0, 1.0, 0.4)];
        assert_eq!(weights(&edges, &striped(42), &striped(42)).len(), 1);
        assert_eq!(weights(&edges, &striped(42), &striped(43)).len(), 0);
    }
}
