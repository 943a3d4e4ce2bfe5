//! What an image is for in a training.

use crate::dataset::image::{Image, Split};
use crate::rng::Rng;

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The model learns from it.
    Training,
    /// It says when the model has learned enough.
    Validation,
    /// It is for an evaluation, and no training looks at it.
    Neither,
}

/// The images' roles. Where a source has splits they decide; a source without splits, or with splits and no `val`, has
/// `percent` of its garments held out, drawn from the seed. All images of a garment have one role.
pub fn roles(images: &[Image], seed: u64, percent: u32) -> Vec<Role> {
    let items = images.iter().map(|image| image.item + 1).max().unwrap_or(0);
    let sources = images.iter().map(|image| image.source + 1).max().unwrap_or(0);
    let mut rng = Rng::new(seed ^ 0x5eed);
    let held: Vec<bool> = (0..items).map(|_| (rng.unit() + 1.0) * 50.0 < percent as f32).collect();
    let mut says = vec![false; sources];
    for image in images.iter().filter(|image| image.split == Some(Split::Val)) {
        says[image.source] = true;
    }
    let role = |image: &Image| match image.split {
        Some(Split::Test) => Role::Neither,
        Some(Split::Val) => Role::Validation,
        _ if !says[image.source] && held[image.item] => Role::Validation,
        _ => Role::Training,
    };
    images.iter().map(role).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 garments with two images each of a source; the garment's number decides its split.
    fn images(source: usize, split: impl Fn(usize) -> Option<Split>) -> Vec<Image> {
        let item = |n: usize| source * 1000 + n / 2;
        (0..400).map(|n| Image { item: item(n), source, split: split(n / 2), ..Image::new("") }).collect()
    }

    fn count(roles: &[Role], role: Role) -> usize {
        roles.iter().filter(|&&one| one == role).count()
    }

    #[test]
    fn splits_decide_where_there_are_any() {
        let by_split = images(0, |item| Some(Split::ALL[item % 3]));
        let mut all = by_split.clone();
        all.extend(images(1, |_| None));
        let found = roles(&all, 1, 25);
        let expected = [Role::Training, Role::Validation, Role::Neither];
        assert!(by_split.iter().zip(&found).all(|(image, role)| *role == expected[image.item % 3]));
        // The other source has none: a quarter of its garments, whole.
        let other = &found[400..];
        assert!((60..140).contains(&count(other, Role::Validation)), "{}", count(other, Role::Validation));
        assert!(other.chunks(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(count(other, Role::Neither), 0);
    }

    #[test]
    fn without_val_some_of_train_is_held_out_and_test_stays_untouched() {
        let images = images(0, |item| Some(if item < 100 { Split::Train } else { Split::Test }));
        let found = roles(&images, 1, 25);
        assert!(found[200..].iter().all(|&role| role == Role::Neither));
        assert!((20..80).contains(&count(&found[..200], Role::Validation)));
        assert_eq!(found, roles(&images, 1, 25));
        assert_ne!(found, roles(&images, 2, 25));
    }
}
