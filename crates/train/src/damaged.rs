//! Images that only a batch finds to be damaged: left out and counted, until there are too many of them.

use std::collections::{BTreeSet, HashSet};

use grnet_data::DataError;
use grnet_data::dataset::image::Image;

use crate::error::TrainError;
use crate::loader::Opened;

/// Standard deviations by which those met so far may exceed a tenth: a few dozen images may hold twice their share by
/// chance.
const CHANCE: f64 = 3.0;

/// What is known of the images that cannot be read.
#[derive(Debug)]
pub struct Damaged {
    /// Images to learn from.
    training: usize,
    /// All that are known, also from before this process.
    known: BTreeSet<usize>,
    /// Those that this process opened for batches, and the damaged ones among them in their order.
    opened: HashSet<usize>,
    found: Vec<usize>,
    told: bool,
}

impl Damaged {
    /// Nothing was opened yet of `training` images; `known` ones have been told.
    pub fn new(training: usize, known: impl IntoIterator<Item = usize>) -> Self {
        Self { training, known: known.into_iter().collect(), opened: HashSet::new(), found: Vec::new(), told: false }
    }

    /// Takes what an earlier process found as known.
    pub fn remember(&mut self, known: &[usize]) {
        self.known.extend(known);
    }

    /// All that are known, in ascending order.
    pub fn known(&self) -> impl Iterator<Item = usize> {
        self.known.iter().copied()
    }

    /// Counts what a batch opened. Returns what is to be said: of the first that nobody knew.
    ///
    /// # Errors
    /// More than one image in ten cannot be read: of all to learn from, or of those opened so far by more than chance.
    pub fn count(&mut self, opened: &[Opened], images: &[Image]) -> Result<Option<String>, TrainError> {
        let mut news = None;
        for (image, reason) in opened {
            if !self.opened.insert(*image) {
                continue;
            }
            let Some(reason) = reason else { continue };
            self.found.push(*image);
            if self.known.insert(*image) && !std::mem::replace(&mut self.told, true) {
                let path = images[*image].path.display();
                news = Some(format!("left out {path}: {reason}; others like it are counted"));
            }
        }
        let (bad, seen) = (self.found.len(), self.opened.len() as f64);
        if bad * 10 > self.training || bad as f64 > 0.1 * seen + CHANCE * (0.09 * seen).sqrt() {
            let path = images[self.found[0]].path.clone();
            let reason = format!(
                "{bad} of the first {seen} images of batches cannot be read, this is the first; a tenth may be"
            );
            return Err(DataError::Dataset { path, reason }.into());
        }
        Ok(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images by number, damaged where `bad` says so.
    fn opened(images: std::ops::Range<usize>, bad: impl Fn(usize) -> bool) -> Vec<Opened> {
        images.map(|image| (image, bad(image).then(|| "cut off".into()))).collect()
    }

    fn images(count: usize) -> Vec<Image> {
        (0..count).map(|n| Image::new(format!("{n}.jpg"))).collect()
    }

    #[test]
    fn the_first_is_told_and_every_one_counted_once() {
        let images = images(1000);
        let mut damaged = Damaged::new(1000, []);
        assert_eq!(damaged.count(&opened(0..10, |_| false), &images).unwrap(), None);
        let told = damaged.count(&opened(10..30, |image| image % 15 == 0), &images).unwrap().unwrap();
        assert_eq!(told, "left out 15.jpg: cut off; others like it are counted");
        assert_eq!(damaged.count(&opened(20..50, |image| image % 15 == 0), &images).unwrap(), None);
        assert_eq!(damaged.known().collect::<Vec<_>>(), [15, 30, 45]);
        // What is known already is no news.
        let mut again = Damaged::new(1000, [15]);
        again.remember(&[30]);
        assert_eq!(again.count(&opened(10..40, |image| image % 15 == 0), &images).unwrap(), None);
        let told = again.count(&opened(10..50, |image| image % 15 == 0), &images).unwrap().unwrap();
        assert!(told.contains("45.jpg") && again.known().count() == 3, "{told}");
    }

    #[test]
    fn a_tenth_may_be_damaged_and_more_is_an_error_once_it_is_no_chance() {
        let images = images(10_000);
        let refused = |training: usize, bad: &dyn Fn(usize) -> bool| {
            let mut damaged = Damaged::new(training, []);
            (0..training).step_by(48).find_map(|first| {
                let last = (first + 48).min(training);
                damaged.count(&opened(first..last, bad), &images).err().map(|error| (last, error.to_string()))
            })
        };
        assert_eq!(refused(10_000, &|image| image % 10 == 3), None);
        let (after, error) = refused(10_000, &|image| image % 2 == 1).unwrap();
        assert_eq!(after, 48);
        assert_eq!(
            error,
            "1.jpg: 24 of the first 48 images of batches cannot be read, this is the first; a tenth may be"
        );
        let (after, _) = refused(10_000, &|image| image % 6 == 1).unwrap();
        assert!((100..2000).contains(&after), "{after}");
        // Of few images more than a tenth is more than a tenth.
        assert_eq!(refused(40, &|image| image < 4), None);
        assert!(refused(40, &|image| image < 5).is_some());
    }
}
