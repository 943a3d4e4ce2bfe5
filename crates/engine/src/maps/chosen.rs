//! Maps of some of many photos: a training keeps those of the few that it looks at as they are.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use tch::Tensor;

use super::cache::{self, Maps};
use crate::dataset::Photo;
use crate::network::{Embedder, EngineError};

/// Maps of some photos, found by the photos' numbers.
#[derive(Debug)]
pub struct Chosen {
    maps: Maps,
    /// The row of each photo.
    rows: HashMap<usize, usize>,
    /// Photos asked for that cannot be read; their maps are zeros.
    pub unreadable: HashSet<usize>,
}

impl Chosen {
    /// Runs the photos that are `wanted`, by their numbers among `photos`, through the backbone's first `stages`, or takes
    /// what an earlier call left in `folder`.
    ///
    /// # Errors
    /// As [`cache::kept_maps`].
    pub fn kept(
        embedder: &Embedder,
        photos: &[Photo],
        wanted: &BTreeSet<usize>,
        stages: usize,
        folder: Option<&Path>,
    ) -> Result<Self, EngineError> {
        let some: Vec<Photo> = wanted.iter().map(|&photo| photos[photo].clone()).collect();
        Ok(Self::new(cache::kept_maps(embedder, &some, stages, folder)?, wanted))
    }

    fn new(maps: Maps, wanted: &BTreeSet<usize>) -> Self {
        let numbers: Vec<usize> = wanted.iter().copied().collect();
        let unreadable = maps.unreadable.iter().map(|&row| numbers[row]).collect();
        let rows = numbers.into_iter().enumerate().map(|(row, photo)| (photo, row)).collect();
        Self { maps, rows, unreadable }
    }

    /// Maps `[B, c, h, w]` of photos by their numbers, f32 on a device.
    ///
    /// # Errors
    /// A photo was not wanted, or libtorch refuses something.
    pub fn maps(&self, photos: &[usize], device: tch::Device) -> Result<Tensor, EngineError> {
        let row = |photo: &usize| {
            let missing = || EngineError::Torch(format!("there is no map of photo {photo}"));
            self.rows.get(photo).copied().ok_or_else(missing)
        };
        self.maps.maps(&photos.iter().map(row).collect::<Result<Vec<_>, _>>()?, device)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn a_photo_is_found_by_its_number_and_what_was_not_wanted_is_named() {
        let cells = Tensor::arange(3, (Kind::Float, Device::Cpu)).view([3, 1, 1]);
        let maps = Maps { cells, height: 1, width: 1, unreadable: vec![1] };
        let chosen = Chosen::new(maps, &BTreeSet::from([70, 9, 40]));
        let got = chosen.maps(&[70, 9, 70], Device::Cpu).unwrap();
        assert_eq!(got.size(), [3, 1, 1, 1]);
        assert_eq!(Vec::<f32>::try_from(got.view([-1])).unwrap(), [2.0, 0.0, 2.0]);
        assert_eq!(chosen.unreadable, HashSet::from([40]));
        assert!(chosen.maps(&[9, 10], Device::Cpu).unwrap_err().to_string().contains("photo 10"));
    }
}
