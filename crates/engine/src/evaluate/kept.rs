//! What an evaluation keeps of every photo: a vector and each model's regions, a sixth of its backbone's map.

use std::path::Path;

use grnet_core::config::Pyramid;
use grnet_core::model::ModelFile;
use tch::{Kind, Tensor};

use super::descriptors::Descriptor;
use crate::dataset::Photo;
use crate::maps::cache::{self, Maps};
use crate::maps::regions::Regions;
use crate::maps::stream;
use crate::network::graph::tensor;
use crate::network::{Embedder, EngineError};

/// Photos of kept maps that are looked at together.
const PHOTOS: usize = 64;

/// How a model makes regions of its backbone's map.
#[derive(Debug)]
pub struct Shape {
    /// Grids and pooling.
    pub pyramid: Pyramid,
    /// The reduction, `[C, Cb]`.
    weight: Tensor,
    /// `[C]`.
    bias: Tensor,
}

impl Shape {
    /// Reads it; a model without a reduction has one that changes nothing.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(file: &ModelFile<'_>) -> Result<Self, EngineError> {
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
    pub fn regions<'m>(&self, maps: &'m Maps) -> Result<Regions<'m>, EngineError> {
        Regions::new(maps, &self.pyramid, self.weight.shallow_clone(), self.bias.shallow_clone())
    }
}

/// What is kept of all photos under one backbone.
#[derive(Debug)]
pub struct Kept {
    /// The mean of a photo's map, of unit norm: `[n, Cb]`. Zeros where it cannot be read.
    pub means: Tensor,
    /// For each [`Shape`] the regions of all photos, `[n, M, C]`, likewise.
    pub regions: Vec<Tensor>,
    /// The maps, where they are asked for.
    pub maps: Option<Maps>,
    /// Positions of photos that cannot be read.
    pub unreadable: Vec<usize>,
}

impl Kept {
    /// Shows all photos to the backbone. Maps are kept where `cells` asks for them; they pass through memory together
    /// where a `folder` has them or is to have them, and a few at a time otherwise.
    ///
    /// # Errors
    /// As [`stream::each`], and where the folder cannot be written.
    pub fn of(
        embedder: &Embedder,
        photos: &[Photo],
        shapes: &[&Shape],
        cells: bool,
        folder: Option<&Path>,
    ) -> Result<Self, EngineError> {
        let mut all: Vec<Option<Tensor>> = (0..=shapes.len()).map(|_| None).collect();
        // `places` are the photos' positions in the maps, `rows` those in the list.
        let mut take = |rows: &[usize], maps: &Maps, places: &[usize]| {
            put(&mut all[0], photos.len(), rows, &Descriptor::Mean.of(maps, places)?)?;
            for (all, shape) in all[1..].iter_mut().zip(shapes) {
                put(all, photos.len(), rows, &shape.regions(maps)?.whole(places)?)?;
            }
            Ok(())
        };
        let (maps, unreadable) = if cells || folder.is_some() {
            let maps = cache::kept_maps(embedder, photos, embedder.stages(), folder)?;
            let readable: Vec<usize> = (0..photos.len()).filter(|photo| !maps.unreadable.contains(photo)).collect();
            readable.chunks(PHOTOS).try_for_each(|chunk| take(chunk, &maps, chunk))?;
            let unreadable = maps.unreadable.clone();
            (cells.then_some(maps), unreadable)
        } else {
            let places: Vec<usize> = (0..photos.len()).collect();
            let one = |rows: &[usize], maps: &Maps| take(rows, maps, &places[..rows.len()]);
            (None, stream::each(embedder, photos, embedder.stages(), one)?)
        };
        let mut all = all.into_iter().flatten();
        // A tenth of the photos may be unreadable, so there is a row unless there was no photo at all.
        let none = || EngineError::Dataset { path: "photos".into(), reason: "there are none".to_owned() };
        Ok(Self { means: all.next().ok_or_else(none)?, regions: all.collect(), maps, unreadable })
    }
}

/// Rows of a tensor.
///
/// # Errors
/// What libtorch refuses.
pub fn select(all: &Tensor, photos: &[usize]) -> Result<Tensor, EngineError> {
    let index: Vec<i64> = photos.iter().map(|&photo| photo as i64).collect();
    Ok(all.f_index_select(0, &Tensor::f_from_slice(&index)?)?)
}

/// Puts values into their rows of `count`.
fn put(all: &mut Option<Tensor>, count: usize, rows: &[usize], values: &Tensor) -> Result<(), EngineError> {
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
    use super::*;

    use crate::network::{Device, Precision};
    use crate::numbers::Sequence;

    /// A BMP of 16 × 16 pixels of noise.
    fn noise(seed: u64) -> Vec<u8> {
        let mut file = b"BM".to_vec();
        for value in [54 + 768u32, 0, 54, 40, 16, 16, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
            file.extend(value.to_le_bytes());
        }
        file.extend(Sequence::new(seed).take(768, 127.0).iter().map(|value| (value + 127.0) as u8));
        file
    }

    #[test]
    fn a_few_at_a_time_say_what_all_maps_say() {
        let folder = tempfile::tempdir().unwrap();
        let photos: Vec<Photo> = (0..21)
            .map(|n| {
                let path = folder.path().join(format!("{n}.bmp"));
                std::fs::write(&path, if n == 10 { b"none".to_vec() } else { noise(n) }).unwrap();
                Photo::new(path)
            })
            .collect();
        let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/tiny/tiny.safetensors")).unwrap();
        let file = ModelFile::parse(&bytes).unwrap();
        let embedder = Embedder::load(&file, Device::Cpu, Precision::F32).unwrap();
        let shape = Shape::read(&file).unwrap();
        let other =
            Shape { pyramid: Pyramid { grids: vec![1], ..shape.pyramid.clone() }, ..Shape::read(&file).unwrap() };
        let kept = |cells| Kept::of(&embedder, &photos, &[&shape, &other], cells, None).unwrap();
        let (few, all) = (kept(false), kept(true));
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
        assert!(Kept::of(&embedder, &[], &[&shape], false, None).is_err());
    }
}
