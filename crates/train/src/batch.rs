//! Batches of garments that look alike.
//!
//! Every batch has identities of one source and all their pairs, so that each image on the right is as often a negative
//! as a positive. With one positive against mined negatives a graph learns which *source* an image is from.

use std::collections::{BTreeMap, HashSet};

use grnet_data::DataError;
use grnet_data::augment::augmentation::Kind;
use grnet_data::dataset::image::Image;
use tch::Tensor;

use crate::alike::Alike;
use crate::error::TrainError;
use crate::rng::StepRng;

/// Fewest identities that are worth comparing.
const FEWEST: usize = 4;

/// Share of the batches whose garments look alike; the others are drawn from all of the source.
const ALIKE: f64 = 0.6;

/// How far an augmented image of a consumer's own image differs from it: it is already what shops' images have to
/// imitate.
const OWN: f64 = 0.5;

/// Draws of a batch until one has two garments that can be seen.
const TRIES: usize = 64;

/// One image of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<P> {
    /// The image.
    pub image: usize,
    /// What it shows.
    pub picture: P,
    /// Whose image it is to look like.
    pub kind: Kind,
    /// How far it differs from the image, 0 to 1.
    pub strength: f64,
    /// What decides the rest.
    pub seed: u64,
}

/// A garment that can be trained on.
#[derive(Debug)]
struct Item {
    /// Images that consumers took.
    consumer: Vec<usize>,
    /// Images of the shop; where there are none, all.
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
    /// Prepares batches of up to `identities` garments over `training` images.
    ///
    /// # Errors
    /// Fewer than 4 garments in every source.
    pub fn new(images: &[Image], training: &[usize], identities: usize, seed: u64) -> Result<Self, TrainError> {
        let mut by_item = BTreeMap::<usize, Vec<usize>>::new();
        for &image in training {
            by_item.entry(images[image].item).or_default().push(image);
        }
        let mut items = Vec::new();
        let mut sources: Vec<Vec<usize>> = Vec::new();
        for members in by_item.into_values() {
            let source = images[members[0]].source;
            let (shop, consumer): (Vec<usize>, Vec<usize>) = members.iter().partition(|&&p| images[p].shop);
            sources.resize(sources.len().max(source + 1), Vec::new());
            sources[source].push(items.len());
            items.push(Item { consumer, shop: if shop.is_empty() { members } else { shop } });
        }
        let most = sources.iter().map(Vec::len).max().unwrap_or(0);
        sources.retain(|s| s.len() >= FEWEST);
        if sources.is_empty() {
            let path = images.first().map(|p| p.path.clone()).unwrap_or_default();
            let reason =
                format!("training needs {FEWEST} items to learn from in one place, the most in one are {most}");
            return Err(DataError::Dataset { path, reason }.into());
        }
        Ok(Self { alike: Alike::new(&sources, identities, seed), items, sources, identities, seed })
    }

    /// The images by which [`mine`](Self::mine) finds what looks alike, one of a garment.
    pub fn faces(&self) -> Vec<usize> {
        self.alike.faces().map(|item| self.items[item].shop[0]).collect()
    }

    /// Has garments whose face cannot be read no longer compared. They are still drawn, by their other images.
    pub fn hide(&mut self, unreadable: &HashSet<usize>) {
        let Self { alike, items, .. } = self;
        alike.retain(|item| !unreadable.contains(&items[item].shop[0]));
    }

    /// At most `most` pairs of images of the same garment, evenly spread: a consumer's where there is one, the shop's.
    pub fn pairs(&self, most: usize) -> Vec<(usize, usize)> {
        let step = self.items.len().div_ceil(most).max(1);
        let pair = |item: &Item| (*item.consumer.first().or(item.shop.last()).unwrap_or(&item.shop[0]), item.shop[0]);
        self.items.iter().step_by(step).map(pair).collect()
    }

    /// Finds out which garments look alike before the steps from `step` on. `globals` gives the global vectors `[n, C]`
    /// of some of the [`faces`](Self::faces), of unit norm.
    ///
    /// # Errors
    /// What `globals` or libtorch refuses.
    pub fn mine(
        &mut self,
        step: usize,
        globals: impl Fn(&[usize]) -> Result<Tensor, TrainError>,
    ) -> Result<(), TrainError> {
        let Self { alike, items, .. } = self;
        alike.find(step, |garments| globals(&garments.iter().map(|&item| items[item].shop[0]).collect::<Vec<_>>()))
    }

    /// The batch of a step: consumers' images, augmented, first, then as many of the shop's images in the same order of
    /// garments.
    /// `open` gives what an image shows, if it can be read. In the place of one that cannot stands the garment's next one,
    /// and in that of a garment without any the next garment. So a batch depends on seed, step, what was mined and
    /// which images are damaged, and on nothing else: a training can go on at any step. It is empty where no two
    /// garments can be seen, however often it is drawn.
    pub fn draw<P: Clone>(&self, step: usize, mut open: impl FnMut(usize) -> Option<P>) -> Vec<Sample<P>> {
        let mut rng = StepRng::of(self.seed, step);
        for _ in 0..TRIES {
            let (chosen, mut others) = self.garments(&mut rng);
            let (mut chosen, mut left, mut right) = (chosen.into_iter(), Vec::new(), Vec::new());
            while left.len() < self.identities {
                let item = match chosen.next() {
                    Some(item) => item,
                    None if others.is_empty() => break,
                    None => others.swap_remove(rng.below(others.len())),
                };
                if let Some([a, b]) = pair(&self.items[item], &mut rng, &mut open) {
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
    fn garments(&self, rng: &mut StepRng) -> (Vec<usize>, Vec<usize>) {
        let number = rng.below(self.sources.len());
        let (source, at) = (&self.sources[number], rng.share());
        let alike = if rng.share() < ALIKE { self.alike.around(number, at) } else { None };
        let (anchor, mut others) = alike.unwrap_or_else(|| {
            let anchor = source[(at * source.len() as f64) as usize];
            (anchor, source.iter().copied().filter(|&item| item != anchor).collect())
        });
        let mut chosen = vec![anchor];
        while chosen.len() < self.identities && !others.is_empty() {
            chosen.push(others.swap_remove(rng.below(others.len())));
        }
        (chosen, others)
    }
}

/// A garment's two images, a consumer's and the shop's; `None` where they cannot be read.
fn pair<P: Clone>(item: &Item, rng: &mut StepRng, open: &mut impl FnMut(usize) -> Option<P>) -> Option<[Sample<P>; 2]> {
    let Item { consumer, shop } = item;
    let own = !consumer.is_empty() && rng.share() < 0.5;
    let (from, instead) = if own { (consumer, shop) } else { (shop, consumer) };
    let (at, seed) = (rng.below(from.len()), rng.seed());
    let found = first(from, at, open).map(|found| (found, own));
    let ((image, picture), own) = found.or_else(|| Some((first(instead, 0, open)?, !own)))?;
    // Another image of the shop, where there is one.
    let others: Vec<usize> = shop.iter().copied().filter(|&p| p != image).collect();
    let at = if others.is_empty() { 0 } else { rng.below(others.len()) };
    let same = shop.contains(&image).then(|| (image, picture.clone()));
    let (other, shown) = first(&others, at, open).or(same)?;
    let left = Sample { image, picture, kind: Kind::Consumer, strength: if own { OWN } else { 1.0 }, seed };
    Some([left, Sample { image: other, picture: shown, kind: Kind::Shop, strength: 1.0, seed: rng.seed() }])
}

/// The first image that can be read, from place `at` on and around.
fn first<P>(images: &[usize], at: usize, open: &mut impl FnMut(usize) -> Option<P>) -> Option<(usize, P)> {
    let (before, after) = images.split_at(at);
    after.iter().chain(before).find_map(|&image| Some((image, open(image)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(items: usize) -> Vec<Image> {
        let image = |item, shop| Image { item, shop, ..Image::new("") };
        (0..items).flat_map(|item| [image(item, true), image(item, false), image(item, false)]).collect()
    }

    fn sampler(images: &[Image], identities: usize) -> Sampler {
        Sampler::new(images, &(0..images.len()).collect::<Vec<_>>(), identities, 1).unwrap()
    }

    /// Every image can be read.
    fn whole(_: usize) -> Option<()> {
        Some(())
    }

    #[test]
    fn a_step_s_batch_pairs_garments_and_can_be_drawn_again() {
        let images = images(20);
        let sampler = sampler(&images, 8);
        let mut seen = HashSet::new();
        for step in 0..200 {
            let batch = sampler.draw(step, whole);
            assert_eq!(batch, sampler.draw(step, whole));
            let (left, right) = batch.split_at(8);
            for (a, b) in left.iter().zip(right) {
                assert_eq!(images[a.image].item, images[b.image].item);
                assert!(images[b.image].shop);
                assert_eq!(a.strength, if images[a.image].shop { 1.0 } else { OWN });
            }
            assert_eq!(left.iter().map(|s| images[s.image].item).collect::<HashSet<_>>().len(), 8);
            seen.extend(batch.iter().map(|s| s.image));
        }
        assert_eq!(seen.len(), images.len());
        assert_ne!(sampler.draw(1, whole), sampler.draw(2, whole));
    }

    #[test]
    fn batches_gather_what_was_mined_as_alike() {
        let images = images(40);
        let mut sampler = sampler(&images, 4);
        // Garments on a circle: the twelve nearest are six on either side.
        let circle = |faces: &[usize]| {
            let angle = |&face: &usize| (images[face].item as f64 * std::f64::consts::TAU / 40.0) as f32;
            let angles = Tensor::from_slice(&faces.iter().map(angle).collect::<Vec<_>>());
            Ok(Tensor::stack(&[angles.cos(), angles.sin()], 1))
        };
        sampler.mine(1, circle).unwrap();
        let near = |step: usize| {
            let batch = sampler.draw(step, whole);
            let item = |sample: &Sample<()>| images[sample.image].item as i64;
            let around = |a: i64, b: i64| ((a - b).rem_euclid(40)).min((b - a).rem_euclid(40));
            batch[..4].iter().all(|sample| around(item(sample), item(&batch[0])) <= 6)
        };
        let share = (0..400).filter(|&step| near(step)).count() as f64 / 400.0;
        assert!((share - ALIKE).abs() < 0.1, "{share}");
    }

    #[test]
    fn damaged_images_are_replaced_by_the_garment_s_own_and_a_garment_without_any_by_another() {
        let images = images(20);
        let sampler = sampler(&images, 8);
        // Of garments 0 to 3 the shop's image, of 4 to 7 both consumers', of 8 to 11 one of these.
        let damaged = |image: usize| match (image / 3, image % 3) {
            (0..4, part) => part == 0,
            (4..8, part) => part > 0,
            (8..12, part) => part == 1,
            _ => false,
        };
        let mut asked = HashSet::new();
        for step in 0..200 {
            let mut open = |image: usize| {
                asked.insert(image);
                (!damaged(image)).then_some(image)
            };
            let batch = sampler.draw(step, &mut open);
            let (left, right) = batch.split_at(8);
            assert!(batch.iter().all(|sample| !damaged(sample.image) && sample.picture == sample.image));
            // Whose shop's image is lost has nothing to be found by.
            assert!(left.iter().zip(right).all(|(a, b)| a.image / 3 == b.image / 3 && a.image / 3 > 3));
            assert_eq!(left.iter().map(|sample| sample.image / 3).collect::<HashSet<_>>().len(), 8);
            assert!(left.iter().all(|sample| sample.strength == if sample.image % 3 == 0 { 1.0 } else { OWN }));
            // What is whole is drawn as if nothing else were damaged, until a garment has to be replaced.
            let before = sampler.draw(step, Some);
            let same = before.iter().zip(&batch).take(8).take_while(|(a, _)| a.image / 3 > 11 && !damaged(a.image));
            same.for_each(|(a, b)| assert_eq!(a, b));
        }
        assert_eq!(asked.len(), images.len());
        // Nothing to compare with: said by nothing, and not asked for ever.
        assert!(sampler.draw(1, |image| (image < 3).then_some(())).is_empty());
        assert_eq!(sampler.draw(1, |image| (image < 6).then_some(())).len(), 4);
    }

    #[test]
    fn too_few_garments_are_refused() {
        let images = images(3);
        let error = Sampler::new(&images, &[0, 1, 2, 3], 8, 1).unwrap_err().to_string();
        assert!(error.contains("needs 4 items") && error.ends_with("the most in one are 2"), "{error}");
    }
}
