//! Batches of garments that look alike.
//!
//! Every batch has 16 identities of one source and all 16 × 16 pairs, so that each photo on the right is as often a
//! negative as a positive. With one positive against mined negatives a graph learns which *source* a photo is from.

use tch::Tensor;

use crate::dataset::Photo;
use crate::network::EngineError;
use crate::numbers::Sequence;

/// Identities in a batch.
pub const IDENTITIES: usize = 16;
/// Look-alikes among which a batch is drawn.
const NEIGHBOURS: usize = 48;

/// An identity that can be trained on.
#[derive(Debug)]
struct Item {
    /// Photos that may stand on the left: snapshots where there are any.
    left: Vec<usize>,
    /// Photos that may stand on the right: the shop's where there are any.
    right: Vec<usize>,
}

/// Draws batches.
#[derive(Debug)]
pub struct Sampler {
    items: Vec<Item>,
    /// Items of each source.
    sources: Vec<Vec<usize>>,
    /// The most similar items of the same source, nearest first.
    neighbours: Vec<Vec<usize>>,
    numbers: Sequence,
}

impl Sampler {
    /// Prepares batches over `usable` photos. `globals` are global vectors of unit norm of all photos, `[n, C]`.
    ///
    /// # Errors
    /// Fewer than 16 identities with two photos in every source.
    pub fn new(photos: &[Photo], usable: &[usize], globals: &Tensor, seed: u64) -> Result<Self, EngineError> {
        let mut by_item = std::collections::BTreeMap::<usize, Vec<usize>>::new();
        for &photo in usable {
            by_item.entry(photos[photo].item).or_default().push(photo);
        }
        let mut items = Vec::new();
        let mut sources: Vec<Vec<usize>> = Vec::new();
        for members in by_item.into_values().filter(|m| m.len() > 1) {
            let source = photos[members[0]].source;
            let (shop, other): (Vec<_>, Vec<_>) = members.iter().partition(|&&p| photos[p].shop);
            let or_all = |part: Vec<usize>| if part.is_empty() { members.clone() } else { part };
            sources.resize(sources.len().max(source + 1), Vec::new());
            sources[source].push(items.len());
            items.push(Item { left: or_all(other), right: or_all(shop) });
        }
        sources.retain(|s| s.len() >= IDENTITIES);
        if sources.is_empty() {
            let path = photos.first().map(|p| p.path.clone()).unwrap_or_default();
            let reason = format!("training needs {IDENTITIES} items with two photos each in one folder");
            return Err(EngineError::Dataset { path, reason });
        }
        let mut neighbours = vec![Vec::new(); items.len()];
        for source in &sources {
            let first: Vec<i64> = source.iter().map(|&i| items[i].right[0] as i64).collect();
            let vectors = globals.f_index_select(0, &Tensor::f_from_slice(&first)?)?;
            let count = NEIGHBOURS.min(source.len() - 1) as i64;
            let (_, nearest) = vectors.f_matmul(&vectors.f_tr()?)?.f_topk(count + 1, 1, true, true)?;
            for (row, &item) in source.iter().enumerate() {
                let near = Vec::<i64>::try_from(nearest.f_select(0, row as i64)?)?;
                neighbours[item] = near.iter().map(|&n| source[n as usize]).filter(|&n| n != item).collect();
            }
        }
        Ok(Self { items, sources, neighbours, numbers: Sequence::new(seed) })
    }

    /// Photos on the left and on the right of 16 identities.
    pub fn draw(&mut self) -> (Vec<usize>, Vec<usize>) {
        let source = self.below(self.sources.len());
        let at = self.below(self.sources[source].len());
        let anchor = self.sources[source][at];
        let mut around = self.neighbours[anchor].clone();
        let mut chosen = vec![anchor];
        while chosen.len() < IDENTITIES && !around.is_empty() {
            let at = self.below(around.len());
            chosen.push(around.swap_remove(at));
        }
        let mut pair = (Vec::new(), Vec::new());
        for item in chosen {
            let at = self.below(self.items[item].left.len());
            let left = self.items[item].left[at];
            let others: Vec<usize> = self.items[item].right.iter().copied().filter(|&p| p != left).collect();
            let Some(last) = others.len().checked_sub(1) else { continue };
            pair.0.push(left);
            pair.1.push(others[self.below(last + 1)]);
        }
        pair
    }

    /// The generator, for choices beside the batch's own.
    pub fn numbers(&mut self) -> &mut Sequence {
        &mut self.numbers
    }

    fn below(&mut self, n: usize) -> usize {
        ((f64::from(self.numbers.unit()) + 1.0) / 2.0 * n as f64) as usize
    }
}
