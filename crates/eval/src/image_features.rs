//! What an evaluation keeps of every image: a vector and each model's regions, a sixth of its backbone's map.

use std::path::Path;

use grnet_data::DataError;
use grnet_data::dataset::image::Image;
use grnet_features::config::Pyramid;
use grnet_features::model_file::ModelFile;
use grnet_nn::NnError;
use grnet_nn::embedder::Embedder;
use grnet_nn::graph::tensor;
use grnet_nn::maps::map_set::Maps;
use grnet_nn::maps::regions::Regions;
use grnet_nn::maps::{cache, stream};
use tch::{Kind, Tensor};

use crate::descriptors::Descriptor;

/// Images of cached maps that are looked at together.
const IMAGES: usize = 64;

/// How a model makes regions of its backbone's map.
#[derive(Debug)]
pub struct RegionMaker {
    /// Grids and pooling.
    pub pyramid: Pyramid,
    /// The reduction, `[C, Cb]`.
    weight: Tensor,
    /// `[C]`.
    bias: Tensor,
}

impl RegionMaker {
    /// Reads it; a model without a reduction has one that changes nothing.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(file: &ModelFile<'_>) -> Result<Self, NnError> {
        let (channels, from) = (file.config.channels, file.config.backbone_channels);
        let (weight, bias) = if file.config.reduction {
            let weight = file.shaped("reduction.weight", &[channels, from])?;
            let bias = file.shaped("reduction.bias", &[channels])?;
            (tensor(&[channels, from], &weight)?, tensor(&[channels], &bias)?)
        } else {
            let kind = (Kind::Float, tch::Device::Cpu);
            (Tensor::f_eye(from as i64, kind)?, Tensor::f_zeros([from as i64], kind)?)
        };
        Ok(Self { pyramid: file.config.pyramid.clone(), weight, bias })
    }

    /// Regions of maps.
    ///
    /// # Errors
    /// The map is too small for the grids.
    pub fn regions<'m>(&self, maps: &'m Maps) -> Result<Regions<'m>, NnError> {
        Regions::new(maps, &self.pyramid, self.weight.shallow_clone(), self.bias.shallow_clone())
    }
}

/// What is kept of all images under one backbone.
#[derive(Debug)]
pub struct ImageFeatures {
    /// The mean of an image's map, of unit norm: `[n, Cb]`. Zeros where it cannot be read.
    pub means: Tensor,
    /// For each [`RegionMaker`] the regions of all images, `[n, M, C]`, likewise.
    pub regions: Vec<Tensor>,
    /// The maps, where they are asked for.
    pub maps: Option<Maps>,
    /// Positions of images that cannot be read.
    pub unreadable: Vec<usize>,
}

impl ImageFeatures {
    /// Shows all images to the backbone. Maps are cached where `cells` asks for them; they pass through memory together
    /// where a `folder` has them or is to have them, and a few at a time otherwise.
    ///
    /// # Errors
    /// As [`stream::each`], and where the folder cannot be written.
    pub fn of(
        embedder: &Embedder,
        images: &[Image],
        shapes: &[&RegionMaker],
        cells: bool,
        folder: Option<&Path>,
    ) -> Result<Self, NnError> {
        let mut all: Vec<Option<Tensor>> = (0..=shapes.len()).map(|_| None).collect();
        // `places` are the images' positions in the maps, `rows` those in the list.
        let mut take = |rows: &[usize], maps: &Maps, places: &[usize]| {
            put(&mut all[0], images.len(), rows, &Descriptor::Mean.of(maps, places)?)?;
            for (all, shape) in all[1..].iter_mut().zip(shapes) {
                put(all, images.len(), rows, &shape.regions(maps)?.whole(places)?)?;
            }
            Ok(())
        };
        let (maps, unreadable) = if cells || folder.is_some() {
            let maps = cache::cached_maps(embedder, images, embedder.stages(), folder)?;
            let readable: Vec<usize> = (0..images.len()).filter(|image| !maps.unreadable.contains(image)).collect();
            readable.chunks(IMAGES).try_for_each(|chunk| take(chunk, &maps, chunk))?;
            let unreadable = maps.unreadable.clone();
            (cells.then_some(maps), unreadable)
        } else {
            let places: Vec<usize> = (0..images.len()).collect();
            let one = |rows: &[usize], maps: &Maps| take(rows, maps, &places[..rows.len()]);
            (None, stream::each(embedder, images, embedder.stages(), one)?)
        };
        let mut all = all.into_iter().flatten();
        // A tenth of the images may be unreadable, so there is a row unless there was no image at all.
        let none = || DataError::Dataset { path: "images".into(), reason: "there are none".to_owned() };
        Ok(Self { means: all.next().ok_or_else(none)?, regions: all.collect(), maps, unreadable })
    }
}

/// Rows of a tensor.
///
/// # Errors
/// What libtorch refuses.
pub fn select(all: &Tensor, images: &[usize]) -> Result<Tensor, NnError> {
    let index: Vec<i64> = images.iter().map(|&image| image as i64).collect();
    Ok(all.f_index_select(0, &Tensor::f_from_slice(&index)?)?)
}

/// Puts values into their rows of `count`.
fn put(all: &mut Option<Tensor>, count: usize, rows: &[usize], values: &Tensor) -> Result<(), NnError> {
    let all = match all {
        Some(all) => all,
        None => {
            let mut size = values.size();
            size[0] = count as i64;
            all.insert(Tensor::f_zeros(size, (Kind::Float, tch::Device::Cpu))?)
        }
    };
    let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    let _ = all.f_index_copy_(0, &Tensor::f_from_slice(&rows)?, values)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use grnet_data::rng::Rng;
    use grnet_nn::device::{Device, Precision};

    use super::*;

    /// A BMP of 16 × 16 pixels of noise.
    fn noise(seed: u64) -> Vec<u8> {
        let mut file = b"BM".to_vec();
        for value in [54 + 768u32, 0, 54, 40, 16, 16, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
            file.extend(value.to_le_bytes());
        }
        file.extend(Rng::new(seed).take(768, 127.0).iter().map(|value| (value + 127.0) as u8));
        file
    }

    #[test]
    fn a_few_at_a_time_say_what_all_maps_say() {
        let folder = tempfile::tempdir().unwrap();
        let images: Vec<Image> = (0..21)
            .map(|n| {
                let path = folder.path().join(format!("{n}.bmp"));
                std::fs::write(&path, if n == 10 { b"none".to_vec() } else { noise(n) }).unwrap();
                Image::new(path)
            })
            .collect();
        let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/tiny/tiny.safetensors")).unwrap();
        let file = ModelFile::parse(&bytes).unwrap();
        let embedder = Embedder::load(&file, Device::Cpu, Precision::F32).unwrap();
        let shape = RegionMaker::read(&file).unwrap();
        let other = RegionMaker {
            pyramid: Pyramid { grids: vec![1], ..shape.pyramid.clone() },
            ..RegionMaker::read(&file).unwrap()
        };
        let features = |cells| ImageFeatures::of(&embedder, &images, &[&shape, &other], cells, None).unwrap();
        let (few, all) = (features(false), features(true));
        assert!(few.maps.is_none() && all.maps.is_some());
        assert_eq!((&few.unreadable, &all.unreadable), (&vec![10], &vec![10]));
        let pairs = few.regions.iter().chain([&few.means]).zip(all.regions.iter().chain([&all.means]));
        for (few, all) in pairs {
            assert_eq!((few.size(), few.size()[0]), (all.size(), 21));
            assert!(f64::try_from((few - all).abs().max()).unwrap() < 1e-5);
            assert!(
                f64::try_from(few.get(10).abs().max()).unwrap() == 0.0
                    && f64::try_from(few.get(20).norm()).unwrap() > 0.5
            );
        }
        assert_eq!([few.regions[0].size()[1], few.regions[1].size()[1]], [5, 1]);
        assert!(ImageFeatures::of(&embedder, &[], &[&shape], false, None).is_err());
    }
}
