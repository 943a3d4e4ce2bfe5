//! Batches of garments that look alike.
//!
//! Every batch has identities of one source and all their pairs, so that each photo on the right is as often a negative
//! as a positive. With one positive against mined negatives a graph learns which *source* a photo is from.

use std::collections::{BTreeMap, HashSet};

use tch::Tensor;

use super::alike::Alike;
use super::dice::Dice;
use crate::augment::Kind;
use crate::dataset::Photo;
use crate::network::EngineError;

/// Fewest identities that are worth comparing.
const FEWEST: usize = 4;

/// Share of the batches whose garments look alike; the others are drawn from all of the source.
const ALIKE: f64 = 0.6;

/// How far a snapshot of a consumer's own photo differs from it: it is already what shops' photos have to imitate.
const OWN: f64 = 0.5;

/// Draws of a batch until one has two garments that can be seen.
const TRIES: usize = 64;

/// One photo of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot<P> {
    /// The photo.
    pub photo: usize,
    /// What it shows.
    pub picture: P,
    /// Whose snapshot.
    pub kind: Kind,
    /// How far it differs from the photo, 0 to 1.
    pub strength: f64,
    /// What decides the rest.
    pub seed: u64,
}

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
    alike: Alike,
    identities: usize,
    seed: u64,
}

impl Sampler {
    /// Prepares batches of up to `identities` garments over `training` photos.
    ///
    /// # Errors
    /// Fewer than 4 garments in every source.
    pub fn new(photos: &[Photo], training: &[usize], identities: usize, seed: u64) -> Result<Self, EngineError> {
        let mut by_item = BTreeMap::<usize, Vec<usize>>::new();
        for &photo in training {
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
        Ok(Self { alike: Alike::new(&sources, identities, seed), items, sources, identities, seed })
    }

    /// The photos by which [`mine`](Self::mine) finds what looks alike, one of a garment.
    pub fn faces(&self) -> Vec<usize> {
        self.alike.faces().map(|item| self.items[item].shop[0]).collect()
    }

    /// Has garments whose face cannot be read no longer compared. They are still drawn, by their other photos.
    pub fn hide(&mut self, unreadable: &HashSet<usize>) {
        let Self { alike, items, .. } = self;
        alike.retain(|item| !unreadable.contains(&items[item].shop[0]));
    }

    /// At most `most` pairs of photos of the same garment, evenly spread: a consumer's where there is one, the shop's.
    pub fn pairs(&self, most: usize) -> Vec<(usize, usize)> {
        let step = self.items.len().div_ceil(most).max(1);
        let pair = |item: &Item| (*item.consumer.first().or(item.shop.last()).unwrap_or(&item.shop[0]), item.shop[0]);
        self.items.iter().step_by(step).map(pair).collect()
    }

    /// Finds out which garments look alike before the steps from `step` on. `globals` gives the global vectors `[n, C]` of
    /// some of the [`faces`](Self::faces), of unit norm.
    ///
    /// # Errors
    /// What `globals` or libtorch refuses.
    pub fn mine(
        &mut self,
        step: usize,
        globals: impl Fn(&[usize]) -> Result<Tensor, EngineError>,
    ) -> Result<(), EngineError> {
        let Self { alike, items, .. } = self;
        alike.find(step, |garments| globals(&garments.iter().map(|&item| items[item].shop[0]).collect::<Vec<_>>()))
    }

    /// The batch of a step: consumers' snapshots first, then as many of the shop's photos in the same order of garments.
    /// `open` gives what a photo shows, if it can be read. In the place of one that cannot stands the garment's next one,
    /// and in that of a garment without any the next garment. So a batch depends on seed, step, what was mined and which
    /// photos are damaged, and on nothing else: a training can go on at any step. It is empty where no two garments can
    /// be seen, however often it is drawn.
    pub fn draw<P: Clone>(&self, step: usize, mut open: impl FnMut(usize) -> Option<P>) -> Vec<Shot<P>> {
        let mut dice = Dice::of(self.seed, step);
        for _ in 0..TRIES {
            let (chosen, mut others) = self.garments(&mut dice);
            let (mut chosen, mut left, mut right) = (chosen.into_iter(), Vec::new(), Vec::new());
            while left.len() < self.identities {
                let item = match chosen.next() {
                    Some(item) => item,
                    None if others.is_empty() => break,
                    None => others.swap_remove(dice.below(others.len())),
                };
                if let Some([a, b]) = pair(&self.items[item], &mut dice, &mut open) {
                    left.push(a);
                    right.push(b);
                }
            }
            // Alone a garment is compared with nothing.
            if left.len() > 1 {
                left.append(&mut right);
                return left;
            }
        }
        Vec::new()
    }

    /// Garments for a batch, and those that may stand in for them.
    fn garments(&self, dice: &mut Dice) -> (Vec<usize>, Vec<usize>) {
        let number = dice.below(self.sources.len());
        let (source, at) = (&self.sources[number], dice.share());
        let alike = if dice.share() < ALIKE { self.alike.around(number, at) } else { None };
        let (anchor, mut others) = alike.unwrap_or_else(|| {
            let anchor = source[(at * source.len() as f64) as usize];
            (anchor, source.iter().copied().filter(|&item| item != anchor).collect())
        });
        let mut chosen = vec![anchor];
        while chosen.len() < self.identities && !others.is_empty() {
            chosen.push(others.swap_remove(dice.below(others.len())));
        }
        (chosen, others)
    }
}

/// A garment's two photos, a consumer's and the shop's; `None` where they cannot be read.
fn pair<P: Clone>(item: &Item, dice: &mut Dice, open: &mut impl FnMut(usize) -> Option<P>) -> Option<[Shot<P>; 2]> {
    let Item { consumer, shop } = item;
    let own = !consumer.is_empty() && dice.share() < 0.5;
    let (from, instead) = if own { (consumer, shop) } else { (shop, consumer) };
    let (at, seed) = (dice.below(from.len()), dice.seed());
    let found = first(from, at, open).map(|found| (found, own));
    let ((photo, picture), own) = found.or_else(|| Some((first(instead, 0, open)?, !own)))?;
    // Another photo of the shop, where there is one.
    let others: Vec<usize> = shop.iter().copied().filter(|&p| p != photo).collect();
    let at = if others.is_empty() { 0 } else { dice.below(others.len()) };
    let same = shop.contains(&photo).then(|| (photo, picture.clone()));
    let (other, shown) = first(&others, at, open).or(same)?;
    let left = Shot { photo, picture, kind: Kind::Consumer, strength: if own { OWN } else { 1.0 }, seed };
    Some([left, Shot { photo: other, picture: shown, kind: Kind::Shop, strength: 1.0, seed: dice.seed() }])
}

/// The first photo that can be read, from place `at` on and around.
fn first<P>(photos: &[usize], at: usize, open: &mut impl FnMut(usize) -> Option<P>) -> Option<(usize, P)> {
    let (before, after) = photos.split_at(at);
    after.iter().chain(before).find_map(|&photo| Some((photo, open(photo)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photos(items: usize) -> Vec<Photo> {
        let photo = |item, shop| Photo { item, shop, ..Photo::new("") };
        (0..items).flat_map(|item| [photo(item, true), photo(item, false), photo(item, false)]).collect()
    }

    fn sampler(photos: &[Photo], identities: usize) -> Sampler {
        Sampler::new(photos, &(0..photos.len()).collect::<Vec<_>>(), identities, 1).unwrap()
    }

    /// Every photo can be read.
    fn whole(_: usize) -> Option<()> {
        Some(())
    }

    #[test]
    fn a_step_s_batch_pairs_garments_and_can_be_drawn_again() {
        let photos = photos(20);
        let sampler = sampler(&photos, 8);
        let mut seen = HashSet::new();
        for step in 0..200 {
            let batch = sampler.draw(step, whole);
            assert_eq!(batch, sampler.draw(step, whole));
            let (left, right) = batch.split_at(8);
            for (a, b) in left.iter().zip(right) {
                assert_eq!(photos[a.photo].item, photos[b.photo].item);
                assert!(photos[b.photo].shop);
                assert_eq!(a.strength, if photos[a.photo].shop { 1.0 } else { OWN });
            }
            assert_eq!(left.iter().map(|s| photos[s.photo].item).collect::<HashSet<_>>().len(), 8);
            seen.extend(batch.iter().map(|s| s.photo));
        }
        assert_eq!(seen.len(), photos.len());
        assert_ne!(sampler.draw(1, whole), sampler.draw(2, whole));
    }

    #[test]
    fn batches_gather_what_was_mined_as_alike() {
        let photos = photos(40);
        let mut sampler = sampler(&photos, 4);
        // Garments on a circle: the twelve nearest are six on either side.
        let circle = |faces: &[usize]| {
            let angle = |&face: &usize| (photos[face].item as f64 * std::f64::consts::TAU / 40.0) as f32;
            let angles = Tensor::from_slice(&faces.iter().map(angle).collect::<Vec<_>>());
            Ok(Tensor::stack(&[angles.cos(), angles.sin()], 1))
        };
        sampler.mine(1, circle).unwrap();
        let near = |step: usize| {
            let batch = sampler.draw(step, whole);
            let item = |shot: &Shot<()>| photos[shot.photo].item as i64;
            let around = |a: i64, b: i64| ((a - b).rem_euclid(40)).min((b - a).rem_euclid(40));
            batch[..4].iter().all(|shot| around(item(shot), item(&batch[0])) <= 6)
        };
        let share = (0..400).filter(|&step| near(step)).count() as f64 / 400.0;
        assert!((share - ALIKE).abs() < 0.1, "{share}");
    }

    #[test]
    fn damaged_photos_are_replaced_by_the_garment_s_own_and_a_garment_without_any_by_another() {
        let photos = photos(20);
        let sampler = sampler(&photos, 8);
        // Of garments 0 to 3 the shop's photo, of 4 to 7 both consumers', of 8 to 11 one of these.
        let damaged = |photo: usize| match (photo / 3, photo % 3) {
            (0..4, part) => part == 0,
            (4..8, part) => part > 0,
            (8..12, part) => part == 1,
            _ => false,
        };
        let mut asked = HashSet::new();
        for step in 0..200 {
            let mut open = |photo: usize| {
                asked.insert(photo);
                (!damaged(photo)).then_some(photo)
            };
            let batch = sampler.draw(step, &mut open);
            let (left, right) = batch.split_at(8);
            assert!(batch.iter().all(|shot| !damaged(shot.photo) && shot.picture == shot.photo));
            // Whose shop's photo is lost has nothing to be found by.
            assert!(left.iter().zip(right).all(|(a, b)| a.photo / 3 == b.photo / 3 && a.photo / 3 > 3));
            assert_eq!(left.iter().map(|shot| shot.photo / 3).collect::<HashSet<_>>().len(), 8);
            assert!(left.iter().all(|shot| shot.strength == if shot.photo % 3 == 0 { 1.0 } else { OWN }));
            // What is whole is drawn as if nothing else were damaged, until a garment has to be replaced.
            let before = sampler.draw(step, Some);
            let same = before.iter().zip(&batch).take(8).take_while(|(a, _)| a.photo / 3 > 11 && !damaged(a.photo));
            same.for_each(|(a, b)| assert_eq!(a, b));
        }
        assert_eq!(asked.len(), photos.len());
        // Nothing to compare with: said by nothing, and not asked for ever.
        assert!(sampler.draw(1, |photo| (photo < 3).then_some(())).is_empty());
        assert_eq!(sampler.draw(1, |photo| (photo < 6).then_some(())).len(), 4);
    }

    #[test]
    fn too_few_garments_are_refused() {
        let photos = photos(3);
        let error = Sampler::new(&photos, &[0, 1, 2, 3], 8, 1).unwrap_err().to_string();
        assert!(error.contains("needs 4 items") && error.ends_with("the most in one are 2"), "{error}");
    }
}
