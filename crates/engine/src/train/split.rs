//! What is learned from, and what is kept to say when that has gone far enough.

use std::collections::{HashMap, HashSet};

use super::validate::HeldOut;
use crate::augment::Manner;
use crate::dataset::{Photo, Role, Snapshot};

/// Most queries and most gallery photos in a validation: 300 × 100 pairs take about 6 s on one core.
const MOST_QUERIES: usize = 300;
const MOST_GALLERY: usize = 1500;

/// Imitated snapshots of the shops' photos that validate, `copies` of each: queries where no consumer took a photo, and
/// more of them where one did.
pub fn imitated(photos: &[Photo], roles: &[Role], copies: usize) -> Vec<Photo> {
    let shop = photos.iter().enumerate().filter(|(n, photo)| photo.shop && roles[*n] == Role::Validation);
    let copy = |(number, photo): (usize, &Photo)| {
        let photo = photo.clone();
        (0..copies as u64).map(move |n| Photo {
            shop: false,
            snapshot: Some(Snapshot { manner: Manner::Any, seed: (number as u64) << 8 | n }),
            ..photo.clone()
        })
    };
    shop.flat_map(copy).collect()
}

/// Splits by role: photos to train on, and the validation's queries and gallery. Shop photos of the training garments
/// stand in the gallery as distractors.
pub fn split(photos: &[Photo], roles: &[Role]) -> (Vec<usize>, HeldOut) {
    let of = |role| (0..photos.len()).filter(move |&p| roles[p] == role);
    let training: Vec<usize> = of(Role::Training).collect();
    let (own, queries): (Vec<usize>, Vec<usize>) = of(Role::Validation).partition(|&p| photos[p].shop);
    let shop: HashSet<usize> = own.iter().map(|&p| photos[p].item).collect();
    let queries: Vec<usize> = queries.into_iter().filter(|&p| shop.contains(&photos[p].item)).collect();
    let queries = spread(&queries, MOST_QUERIES);
    let asked: Vec<usize> = queries.iter().map(|&p| photos[p].item).collect();
    let gallery = gallery(photos, &own, &training, &asked.iter().copied().collect());
    let shown = gallery.iter().map(|&p| Some(photos[p].item)).collect();
    (training, HeldOut { asked, shown, gallery, queries })
}

/// The validation's gallery: first a shop photo of every garment that is asked for, or a query could not be answered,
/// then the others of these, then those of the other garments held out, and the training's.
fn gallery(photos: &[Photo], own: &[usize], training: &[usize], asked: &HashSet<usize>) -> Vec<usize> {
    let mut seen = HashMap::<usize, usize>::new();
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    for &photo in own {
        let item = photos[photo].item;
        let before = seen.entry(item).or_default();
        ranked.push((if asked.contains(&item) { *before } else { usize::MAX }, photo));
        *before += 1;
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut gallery: Vec<usize> = ranked.into_iter().map(|(_, photo)| photo).take(MOST_GALLERY).collect();
    let room = MOST_GALLERY - gallery.len();
    if room > 0 {
        let others: Vec<usize> = training.iter().copied().filter(|&p| photos[p].shop).collect();
        gallery.extend(spread(&others, room));
    }
    gallery
}

/// At most `most` of `all`, evenly spread.
pub fn spread(all: &[usize], most: usize) -> Vec<usize> {
    let step = all.len().div_ceil(most).max(1);
    all.iter().copied().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::roles;

    fn photo(item: usize, shop: bool) -> Photo {
        Photo { item, shop, ..Photo::new("") }
    }

    #[test]
    fn every_query_of_a_large_validation_can_be_answered() {
        // The garments that are asked for have many photos and come last.
        let mut photos: Vec<Photo> = (0..4000).map(|item| photo(item, true)).collect();
        for item in 4000..4100 {
            photos.extend((0..30).map(|_| photo(item, true)));
            photos.push(photo(item, false));
        }
        let (training, held_out) = split(&photos, &roles(&photos, 1, 50));
        assert!(held_out.gallery.len() <= MOST_GALLERY && !held_out.queries.is_empty());
        let shown: HashSet<usize> = held_out.shown.iter().flatten().copied().collect();
        assert!(held_out.asked.iter().all(|item| shown.contains(item)));
        let learned: HashSet<usize> = training.iter().map(|&p| photos[p].item).collect();
        assert!(held_out.asked.iter().all(|item| !learned.contains(item)));
    }

    #[test]
    fn shops_photos_held_out_are_imitated_and_no_others() {
        let photos = [photo(0, true), photo(0, false), photo(1, true)];
        let copies = imitated(&photos, &[Role::Validation, Role::Validation, Role::Training], 3);
        assert_eq!(copies.len(), 3);
        assert!(copies.iter().all(|p| p.item == 0 && !p.shop));
        assert_eq!(copies.iter().map(|p| p.snapshot).collect::<HashSet<_>>().len(), 3);
    }
}
