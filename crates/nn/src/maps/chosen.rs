//! Maps of some of many images: a training keeps those of the few that it looks at as they are.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use grnet_data::dataset::image::Image;
use tch::Tensor;

use crate::embedder::Embedder;
use crate::error::NnError;
use crate::maps::cache;
use crate::maps::map_set::Maps;

/// Maps of some images, found by the images' numbers.
#[derive(Debug)]
pub struct Chosen {
    maps: Maps,
    /// The row of each image.
    rows: HashMap<usize, usize>,
    /// Images asked for that cannot be read; their maps are zeros.
    pub unreadable: HashSet<usize>,
}

impl Chosen {
    /// Runs the images that are `wanted`, by their numbers among `images`, through the backbone's first `stages`, or
    /// takes what an earlier call left in `folder`.
    ///
    /// # Errors
    /// As [`cache::cached_maps`].
    pub fn cached(
        embedder: &Embedder,
        images: &[Image],
        wanted: &BTreeSet<usize>,
        stages: usize,
        folder: Option<&Path>,
    ) -> Result<Self, NnError> {
        let some: Vec<Image> = wanted.iter().map(|&image| images[image].clone()).collect();
        Ok(Self::new(cache::cached_maps(embedder, &some, stages, folder)?, wanted))
    }

    fn new(maps: Maps, wanted: &BTreeSet<usize>) -> Self {
        let numbers: Vec<usize> = wanted.iter().copied().collect();
        let unreadable = maps.unreadable.iter().map(|&row| numbers[row]).collect();
        let rows = numbers.into_iter().enumerate().map(|(row, image)| (image, row)).collect();
        Self { maps, rows, unreadable }
    }

    /// Maps `[B, c, h, w]` of images by their numbers, f32 on a device.
    ///
    /// # Errors
    /// An image was not wanted, or libtorch refuses something.
    pub fn maps(&self, images: &[usize], device: tch::Device) -> Result<Tensor, NnError> {
        let row = |image: &usize| {
            let missing = || NnError::Torch(format!("there is no map of image {image}"));
            self.rows.get(image).copied().ok_or_else(missing)
        };
        self.maps.maps(&images.iter().map(row).collect::<Result<Vec<_>, _>>()?, device)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn an_image_is_found_by_its_number_and_what_was_not_wanted_is_named() {
        let cells = Tensor::arange(3, (Kind::Float, Device::Cpu)).view([3, 1, 1]);
        let maps = Maps { cells, height: 1, width: 1, unreadable: vec![1] };
        let chosen = Chosen::new(maps, &BTreeSet::from([70, 9, 40]));
        let got = chosen.maps(&[70, 9, 70], Device::Cpu).unwrap();
        assert_eq!(got.size(), [3, 1, 1, 1]);
        assert_eq!(Vec::<f32>::try_from(got.view([-1])).unwrap(), [2.0, 0.0, 2.0]);
        assert_eq!(chosen.unreadable, HashSet::from([40]));
        assert!(chosen.maps(&[9, 10], Device::Cpu).unwrap_err().to_string().contains("image 10"));
    }
}
