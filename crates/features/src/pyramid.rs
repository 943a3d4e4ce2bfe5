//! Geometry of the pyramid: windows of a map, regions of an image, nodes of a pair.
//!
//! Order everywhere: scale by scale, row by row. Region 0 is the whole image; node 0 is the pair of whole images.

use std::ops::Range;

/// Rows (or columns) of window `index` of a grid with `grid` windows over `size` cells:
/// `⌊index·size/grid⌋ .. ⌈(index+1)·size/grid⌉`. Neighbours overlap where `grid` does not divide `size`.
pub fn window(size: usize, grid: usize, index: usize) -> Range<usize> {
    (index * size) / grid..((index + 1) * size).div_ceil(grid)
}

/// M, the number of regions of one image: Σ g².
pub fn regions(grids: &[u8]) -> usize {
    grids.iter().map(|&g| usize::from(g).pow(2)).sum()
}

/// N, the number of nodes of a pair of images: Σ g⁴.
pub fn nodes(grids: &[u8]) -> usize {
    grids.iter().map(|&g| usize::from(g).pow(4)).sum()
}

/// Regions of one scale, as a range of region numbers.
pub fn scale(grids: &[u8], scale: usize) -> Range<usize> {
    let start = regions(&grids[..scale]);
    start..start + usize::from(grids[scale]).pow(2)
}

/// Number of the region at (`scale`, `row`, `col`), all counted from 0; `None` outside the pyramid.
pub fn region(grids: &[u8], scale_index: usize, row: usize, col: usize) -> Option<usize> {
    let g = usize::from(*grids.get(scale_index)?);
    (row < g && col < g).then(|| scale(grids, scale_index).start + row * g + col)
}

/// Every node's pair of regions (of the left image, of the right image), in node order.
pub fn pairs(grids: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    (0..grids.len()).flat_map(move |s| scale(grids, s).flat_map(move |i| scale(grids, s).map(move |j| (i, j))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_match_the_paper_s_sums() {
        for (grids, m, n) in [(&[1u8, 2, 3][..], 14, 98), (&[1, 2, 4], 21, 273), (&[1, 2, 3, 4], 30, 354)] {
            assert_eq!((regions(grids), nodes(grids), pairs(grids).count()), (m, n, n));
            assert_eq!(pairs(grids).next(), Some((0, 0)));
        }
    }

    #[test]
    fn windows_cover_the_map_and_overlap_by_at_most_one_cell() {
        assert_eq!((window(7, 2, 0), window(7, 2, 1)), (0..4, 3..7));
        for size in 1..20 {
            for grid in 1..=8 {
                assert_eq!(window(size, grid, 0).start, 0);
                assert_eq!(window(size, grid, grid - 1).end, size);
                for i in 0..grid {
                    assert!(!window(size, grid, i).is_empty());
                }
                for i in 1..grid {
                    let (a, b) = (window(size, grid, i - 1), window(size, grid, i));
                    assert!(b.start <= a.end && a.end - b.start <= 1);
                }
            }
        }
    }

    #[test]
    fn regions_are_numbered_scale_by_scale_row_by_row() {
        let g = [1, 2, 3];
        assert_eq!(region(&g, 0, 0, 0), Some(0));
        assert_eq!(region(&g, 1, 1, 0), Some(3));
        assert_eq!(region(&g, 2, 2, 2), Some(13));
        assert_eq!(region(&g, 1, 2, 0), None);
        assert_eq!(region(&g, 3, 0, 0), None);
    }
}
