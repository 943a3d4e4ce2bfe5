//! Which garments look alike to the network as it is: found anew at every validation, among some of them.
//!
//! A garment is known by one image, its face. Faces are kept as maps, so there are not more of them than memory is
//! meant for, and those compared are drawn anew each time, so that a catalogue's size does not decide how long a
//! validation takes.

use tch::Tensor;

use crate::error::TrainError;
use crate::rng::StepRng;

/// Most garments that have faces: 0.7 GB of maps behind 12 stages of EfficientNet-Lite0.
const FACES: usize = 16_000;

/// Most garments that are compared at one time: 30 s behind 12 stages of EfficientNet-Lite0 on one core.
const COMPARED: usize = 3_000;

/// Garments by number, each source on its own: garments of different sources are never compared.
type BySource = Vec<Vec<usize>>;

/// Who looks like whom.
#[derive(Debug)]
pub struct Alike {
    /// Garments that have faces.
    faces: BySource,
    /// What was found last.
    found: Vec<Found>,
    /// Garments in a batch.
    identities: usize,
    seed: u64,
}

/// Garments of a source that were compared, and for each the most similar of the others.
#[derive(Debug, Default)]
struct Found {
    garments: Vec<usize>,
    nearest: Vec<Vec<usize>>,
}

impl Alike {
    /// Chooses the garments that have faces, at most 16,000 of all sources unless batches of `identities` need more.
    pub fn new(sources: &[Vec<usize>], identities: usize, seed: u64) -> Self {
        let faces = some(sources, FACES, identities, &mut StepRng::of(seed, 0xface));
        Self { found: sources.iter().map(|_| Found::default()).collect(), faces, identities, seed }
    }

    /// The garments that have faces.
    pub fn faces(&self) -> impl Iterator<Item = usize> {
        self.faces.iter().flatten().copied()
    }

    /// Takes the faces from garments for which `seen` is false.
    pub fn retain(&mut self, seen: impl Fn(usize) -> bool) {
        self.faces.iter_mut().for_each(|source| source.retain(|&garment| seen(garment)));
    }

    /// Finds out who looks like whom among garments that the seed and `step` decide: `globals` gives the global vectors
    /// `[n, C]` of garments' faces, of unit norm.
    ///
    /// # Errors
    /// What `globals` or libtorch refuses.
    pub fn find(
        &mut self,
        step: usize,
        globals: impl Fn(&[usize]) -> Result<Tensor, TrainError>,
    ) -> Result<(), TrainError> {
        let compared = some(&self.faces, COMPARED, self.identities, &mut StepRng::of(self.seed ^ 0xa11ce, step));
        for (found, garments) in self.found.iter_mut().zip(compared) {
            *found = Found::default();
            if garments.len() < 2 {
                continue;
            }
            let vectors = globals(&garments)?;
            let count = (3 * self.identities).min(garments.len() - 1) as i64;
            let (_, nearest) = vectors.f_matmul(&vectors.f_tr()?)?.f_topk(count + 1, 1, true, true)?;
            for (row, &garment) in garments.iter().enumerate() {
                let near = Vec::<i64>::try_from(nearest.f_select(0, row as i64)?)?;
                found.nearest.push(near.iter().map(|&n| garments[n as usize]).filter(|&n| n != garment).collect());
            }
            found.garments = garments;
        }
        Ok(())
    }

    /// A garment of a source, `at` of 0 to 1 along those that were compared, and those that look like it; `None` where
    /// none were.
    pub fn around(&self, source: usize, at: f64) -> Option<(usize, Vec<usize>)> {
        let Found { garments, nearest } = &self.found[source];
        let place = (at * garments.len() as f64) as usize;
        Some((*garments.get(place)?, nearest.get(place)?.clone()))
    }
}

/// At most `most` garments, as many of one source as of another where that has as many, and no fewer of any than
/// `least`.
fn some(sources: &[Vec<usize>], most: usize, least: usize, rng: &mut StepRng) -> BySource {
    let mut by_size: Vec<usize> = (0..sources.len()).collect();
    by_size.sort_by_key(|&source| sources[source].len());
    let (mut chosen, mut left) = (vec![Vec::new(); sources.len()], most);
    for (done, &source) in by_size.iter().enumerate() {
        let share = (left / (sources.len() - done)).max(least);
        chosen[source] = sample(&sources[source], share, rng);
        left = left.saturating_sub(chosen[source].len());
    }
    chosen
}

/// At most `count` of `all`, in their order: the first of a shuffle.
fn sample(all: &[usize], count: usize, rng: &mut StepRng) -> Vec<usize> {
    let mut all = all.to_vec();
    if count < all.len() {
        for at in 0..count {
            let other = at + rng.below(all.len() - at);
            all.swap(at, other);
        }
        all.truncate(count);
        all.sort_unstable();
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn small_sources_are_whole_and_large_ones_share_what_is_left() {
        let sources: Vec<Vec<usize>> = vec![(0..1000).collect(), (1000..1010).collect(), (2000..2300).collect()];
        let chosen = some(&sources, 210, 4, &mut StepRng::of(1, 1));
        assert_eq!(chosen.iter().map(Vec::len).collect::<Vec<_>>(), [100, 10, 100]);
        assert!(chosen.iter().zip(&sources).all(|(some, all)| some.iter().all(|garment| all.contains(garment))));
        assert!(chosen[0].is_sorted() && chosen[0].iter().collect::<HashSet<_>>().len() == 100);
        assert_eq!(chosen, some(&sources, 210, 4, &mut StepRng::of(1, 1)));
        assert_ne!(chosen, some(&sources, 210, 4, &mut StepRng::of(2, 1)));
        // A batch's worth of each, however many sources there are; all where there is room.
        assert!(some(&sources, 3, 8, &mut StepRng::of(1, 1)).iter().all(|source| source.len() == 8));
        assert_eq!(some(&sources, 5000, 4, &mut StepRng::of(1, 1)), sources);
    }

    #[test]
    fn other_garments_are_compared_each_time_and_in_the_end_all() {
        let sources = vec![(0..2 * COMPARED).collect::<Vec<usize>>()];
        let mut alike = Alike::new(&sources, 1, 7);
        let globals = |garments: &[usize]| Ok(Tensor::zeros([garments.len() as i64, 1], (Kind::Float, Device::Cpu)));
        let mut compared = |step| {
            alike.find(step, globals).unwrap();
            assert!(alike.found[0].nearest.iter().all(|near| (3..=4).contains(&near.len())));
            alike.found[0].garments.clone()
        };
        let first = compared(1);
        assert_eq!((first.len(), &first), (COMPARED, &compared(1)));
        let seen: HashSet<usize> = (1..20).flat_map(|round| compared(50 * round)).collect();
        assert!(seen.len() > 2 * COMPARED - 10, "{}", seen.len());
    }

    #[test]
    fn a_garment_without_a_face_is_not_compared() {
        let mut alike = Alike::new(&[vec![0, 1, 2, 3], vec![4, 5]], 4, 1);
        alike.retain(|garment| garment != 2 && garment != 5);
        assert_eq!(alike.faces().collect::<Vec<_>>(), [0, 1, 3, 4]);
        let globals = |garments: &[usize]| {
            let angles: Vec<f32> = garments.iter().map(|&garment| garment as f32 * 0.1).collect();
            let angles = Tensor::from_slice(&angles);
            Ok(Tensor::stack(&[angles.cos(), angles.sin()], 1))
        };
        assert!(alike.around(0, 0.5).is_none());
        alike.find(1, globals).unwrap();
        assert_eq!(alike.around(0, 0.99), Some((3, vec![1, 0])));
        // One alone has nobody to look like.
        assert!(alike.around(1, 0.0).is_none());
    }
}
