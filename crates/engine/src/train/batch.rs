//! Batches of garments that look alike.
//!
//! Every batch has identities of one source and all their pairs, so that each photo on the right is as often a negative
//! as a positive. With one positive against mined negatives a graph learns which *source* a photo is from.

use std::collections::BTreeMap;

use tch::Tensor;

use super::loader::Shot;
use crate::augment::Kind;
use crate::dataset::Photo;
use crate::network::EngineError;
use crate::numbers::Sequence;

/// Fewest identities that are worth comparing.
const FEWEST: usize = 4;

/// Share of the batches whose garments look alike; the others are drawn from all of the source.
const ALIKE: f64 = 0.6;

/// Garments whose cosines with all of their source are in memory at one time: 560 MB for 34,000.
const ROWS: usize = 4096;

/// How far a snapshot of a consumer's own photo differs from it: it is already what shops' photos have to imitate.
const OWN: f64 = 0.5;

/// A garment that can be trained on.
#[derive(Debug)]
struct Item {
    /// Photos that consumers took.
    consumer: Vec<usize>,
    /// Photos of the shop; where there are none, all.
    shop: Vec<usize>,
}

/// Draws batches.
#[derive(Debug)]
pub struct Sampler {
    items: Vec<Item>,
    /// Items of each source.
    sources: Vec<Vec<usize>>,
    /// The most similar items of the same source.
    neighbours: Vec<Vec<usize>>,
    identities: usize,
    seed: u64,
}

impl Sampler {
    /// Prepares batches of up to `identities` garments over `usable` photos.
    ///
    /// # Errors
    /// Fewer than 4 garments in every source.
    pub fn new(photos: &[Photo], usable: &[usize], identities: usize, seed: u64) -> Result<Self, EngineError> {
        let mut by_item = BTreeMap::<usize, Vec<usize>>::new();
        for &photo in usable {
            by_item.entry(photos[photo].item).or_default().push(photo);
        }
        let mut items = Vec::new();
        let mut sources: Vec<Vec<usize>> = Vec::new();
        for members in by_item.into_values() {
            let source = photos[members[0]].source;
            let (shop, consumer): (Vec<usize>, Vec<usize>) = members.iter().partition(|&&p| photos[p].shop);
            sources.resize(sources.len().max(source + 1), Vec::new());
            sources[source].push(items.len());
            items.push(Item { consumer, shop: if shop.is_empty() { members } else { shop } });
        }
        let most = sources.iter().map(Vec::len).max().unwrap_or(0);
        sources.retain(|s| s.len() >= FEWEST);
        if sources.is_empty() {
            let path = photos.first().map(|p| p.path.clone()).unwrap_or_default();
            let reason =
                format!("training needs {FEWEST} items to learn from in one place, the most in one are {most}");
            return Err(EngineError::Dataset { path, reason });
        }
        Ok(Self { neighbours: vec![Vec::new(); items.len()], items, sources, identities, seed })
    }

    /// One photo of each garment, by which [`mine`](Self::mine) finds what looks alike.
    pub fn faces(&self) -> Vec<usize> {
        self.items.iter().map(|item| item.shop[0]).collect()
    }

    /// At most `most` pairs of photos of the same garment, evenly spread: a consumer's where there is one, the shop's.
    pub fn pairs(&self, most: usize) -> Vec<(usize, usize)> {
        let step = self.items.len().div_ceil(most).max(1);
        let pair = |item: &Item| (*item.consumer.first().or(item.shop.last()).unwrap_or(&item.shop[0]), item.shop[0]);
        self.items.iter().step_by(step).map(pair).collect()
    }

    /// Remembers which garments look alike, by the global vectors `[items, C]` of their [`faces`](Self::faces), of unit
    /// norm.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn mine(&mut self, globals: &Tensor) -> Result<(), EngineError> {
        for source in &self.sources {
            let rows: Vec<i64> = source.iter().map(|&i| i as i64).collect();
            let vectors = globals.f_index_select(0, &Tensor::f_from_slice(&rows)?.f_to_device(globals.device())?)?;
            let count = (3 * self.identities).min(source.len() - 1) as i64;
            let every = vectors.f_tr()?;
            for (part, items) in source.chunks(ROWS).enumerate() {
                let rows = vectors.f_narrow(0, (part * ROWS) as i64, items.len() as i64)?;
                let (_, nearest) = rows.f_matmul(&every)?.f_topk(count + 1, 1, true, true)?;
                for (row, &item) in items.iter().enumerate() {
                    let near = Vec::<i64>::try_from(nearest.f_select(0, row as i64)?)?;
                    self.neighbours[item] = near.iter().map(|&n| source[n as usize]).filter(|&n| n != item).collect();
                }
            }
        }
        Ok(())
    }

    /// The batch of a step: consumers' snapshots first, then as many of the shop's photos in the same order of garments.
    /// It depends on seed, step and what was mined, and on nothing else: a training can go on at any step.
    pub fn draw(&self, step: usize) -> Vec<Shot> {
        let mut dice = Dice(Sequence::new((self.seed ^ (step as u64) << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        dice.0.unit();
        let source = &self.sources[dice.below(self.sources.len())];
        let anchor = source[dice.below(source.len())];
        let mut chosen = vec![anchor];
        let mut around = if dice.share() < ALIKE { self.neighbours[anchor].clone() } else { Vec::new() };
        if around.is_empty() {
            around = source.iter().copied().filter(|&item| item != anchor).collect();
        }
        while chosen.len() < self.identities && !around.is_empty() {
            chosen.push(around.swap_remove(dice.below(around.len())));
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for item in chosen.into_iter().map(|item| &self.items[item]) {
            let own = !item.consumer.is_empty() && (item.shop.is_empty() || dice.share() < 0.5);
            let from = if own { &item.consumer } else { &item.shop };
            let (photo, strength) = (from[dice.below(from.len())], if own { OWN } else { 1.0 });
            left.push(Shot { photo, kind: Kind::Consumer, strength, seed: dice.seed() });
            // Another photo of the shop, where there is one.
            let others: Vec<usize> = item.shop.iter().copied().filter(|&p| p != photo).collect();
            let photo = if others.is_empty() { item.shop[0] } else { others[dice.below(others.len())] };
            right.push(Shot { photo, kind: Kind::Shop, strength: 1.0, seed: dice.seed() });
        }
        left.append(&mut right);
        left
    }
}

struct Dice(Sequence);

impl Dice {
    fn share(&mut self) -> f64 {
        (f64::from(self.0.unit()) + 1.0) / 2.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }

    fn seed(&mut self) -> u64 {
        (f64::from(self.0.unit()) * 8_388_608.0 + 8_388_608.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn photos(items: usize) -> Vec<Photo> {
        let photo = |item, shop| Photo { item, shop, ..Photo::new("") };
        (0..items).flat_map(|item| [photo(item, true), photo(item, false), photo(item, false)]).collect()
    }

    #[test]
    fn a_step_s_batch_pairs_garments_and_can_be_drawn_again() {
        let photos = photos(20);
        let all: Vec<usize> = (0..photos.len()).collect();
        let sampler = Sampler::new(&photos, &all, 8, 1).unwrap();
        let mut seen = HashSet::new();
        for step in 0..200 {
            let batch = sampler.draw(step);
            assert_eq!(batch, sampler.draw(step));
            let (left, right) = batch.split_at(8);
            for (a, b) in left.iter().zip(right) {
                assert_eq!(photos[a.photo].item, photos[b.photo].item);
                assert!(photos[b.photo].shop);
            }
            assert_eq!(left.iter().map(|s| photos[s.photo].item).collect::<HashSet<_>>().len(), 8);
            seen.extend(batch.iter().map(|s| s.photo));
        }
        assert_eq!(seen.len(), photos.len());
        assert_ne!(sampler.draw(1), sampler.draw(2));
    }

    #[test]
    fn batches_gather_what_was_mined_as_alike() {
        let photos = photos(40);
        let all: Vec<usize> = (0..photos.len()).collect();
        let mut sampler = Sampler::new(&photos, &all, 4, 1).unwrap();
        // Garments on a circle: the twelve nearest are six on either side.
        let angles = Tensor::arange(40, (tch::Kind::Float, tch::Device::Cpu)) * (std::f64::consts::TAU / 40.0);
        sampler.mine(&Tensor::stack(&[angles.cos(), angles.sin()], 1)).unwrap();
        let near = |step: usize| {
            let batch = sampler.draw(step);
            let item = |shot: &Shot| photos[shot.photo].item as i64;
            let around = |a: i64, b: i64| ((a - b).rem_euclid(40)).min((b - a).rem_euclid(40));
            batch[..4].iter().all(|shot| around(item(shot), item(&batch[0])) <= 6)
        };
        let share = (0..400).filter(|&step| near(step)).count() as f64 / 400.0;
        assert!((share - ALIKE).abs() < 0.1, "{share}");
    }

    #[test]
    fn too_few_garments_are_refused() {
        let photos = photos(3);
        let error = Sampler::new(&photos, &[0, 1, 2, 3], 8, 1).unwrap_err().to_string();
        assert!(error.contains("needs 4 items") && error.ends_with("the most in one are 2"), "{error}");
    }
}
