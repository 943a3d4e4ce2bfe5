//! What is learned from, and what is kept to say when that has gone far enough.

use std::collections::{HashMap, HashSet};

use grnet_data::augment::preset::Preset;
use grnet_data::dataset::image::{Augmented, Image};
use grnet_data::dataset::role::Role;

use crate::validate::HeldOut;

/// Most queries and most gallery images in a validation: 300 × 100 pairs take about 6 s on one core.
const MOST_QUERIES: usize = 300;
const MOST_GALLERY: usize = 1500;

/// Augmented copies of the shops' images that validate, `copies` of each: queries where no consumer took an image, and
/// more of them where one did.
pub fn augmented(images: &[Image], roles: &[Role], copies: usize) -> Vec<Image> {
    let shop = images.iter().enumerate().filter(|(n, image)| image.shop && roles[*n] == Role::Validation);
    let copy = |(number, image): (usize, &Image)| {
        let image = image.clone();
        (0..copies as u64).map(move |n| Image {
            shop: false,
            augmented: Some(Augmented { preset: Preset::Any, seed: (number as u64) << 8 | n }),
            ..image.clone()
        })
    };
    shop.flat_map(copy).collect()
}

/// Splits by role: images to train on, and the validation's queries and gallery. Shop images of the training garments
/// stand in the gallery as distractors.
pub fn split(images: &[Image], roles: &[Role]) -> (Vec<usize>, HeldOut) {
    let of = |role| (0..images.len()).filter(move |&p| roles[p] == role);
    let training: Vec<usize> = of(Role::Training).collect();
    let (own, queries): (Vec<usize>, Vec<usize>) = of(Role::Validation).partition(|&p| images[p].shop);
    let shop: HashSet<usize> = own.iter().map(|&p| images[p].item).collect();
    let queries: Vec<usize> = queries.into_iter().filter(|&p| shop.contains(&images[p].item)).collect();
    let queries = spread(&queries, MOST_QUERIES);
    let asked: Vec<usize> = queries.iter().map(|&p| images[p].item).collect();
    let gallery = gallery(images, &own, &training, &asked.iter().copied().collect());
    let shown = gallery.iter().map(|&p| Some(images[p].item)).collect();
    (training, HeldOut { asked, shown, gallery, queries })
}

/// The validation's gallery: first a shop image of every garment that is asked for, or a query could not be answered,
/// then the others of these, then those of the other garments held out, and the training's.
fn gallery(images: &[Image], own: &[usize], training: &[usize], asked: &HashSet<usize>) -> Vec<usize> {
    let mut seen = HashMap::<usize, usize>::new();
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    for &image in own {
        let item = images[image].item;
        let before = seen.entry(item).or_default();
        ranked.push((if asked.contains(&item) { *before } else { usize::MAX }, image));
        *before += 1;
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut gallery: Vec<usize> = ranked.into_iter().map(|(_, image)| image).take(MOST_GALLERY).collect();
    let free = MOST_GALLERY - gallery.len();
    if free > 0 {
        let others: Vec<usize> = training.iter().copied().filter(|&p| images[p].shop).collect();
        gallery.extend(spread(&others, free));
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
    use grnet_data::dataset::role::roles;

    use super::*;

    fn image(item: usize, shop: bool) -> Image {
        Image { item, shop, ..Image::new("") }
    }

    #[test]
    fn every_query_of_a_large_validation_can_be_answered() {
        // The garments that are asked for have many images and come last.
        let mut images: Vec<Image> = (0..4000).map(|item| image(item, true)).collect();
        for item in 4000..4100 {
            images.extend((0..30).map(|_| image(item, true)));
            images.push(image(item, false));
        }
        let (training, held_out) = split(&images, &roles(&images, 1, 50));
        assert!(held_out.gallery.len() <= MOST_GALLERY && !held_out.queries.is_empty());
        let shown: HashSet<usize> = held_out.shown.iter().flatten().copied().collect();
        assert!(held_out.asked.iter().all(|item| shown.contains(item)));
        let learned: HashSet<usize> = training.iter().map(|&p| images[p].item).collect();
        assert!(held_out.asked.iter().all(|item| !learned.contains(item)));
    }

    #[test]
    fn shops_images_held_out_are_imitated_and_no_others() {
        let images = [image(0, true), image(0, false), image(1, true)];
        let copies = augmented(&images, &[Role::Validation, Role::Validation, Role::Training], 3);
        assert_eq!(copies.len(), 3);
        assert!(copies.iter().all(|p| p.item == 0 && !p.shop));
        assert_eq!(copies.iter().map(|p| p.augmented).collect::<HashSet<_>>().len(), 3);
    }
}
