//! Images through the backbone, a few at a time.

use grnet_data::DataError;
use grnet_data::augment::augmentation::Kind as Taken;
use grnet_data::dataset::image::{Augmented, Image};
use grnet_data::decode::fit::fit;
use grnet_data::output::progress;
use grnet_features::config::Input;
use grnet_image::Limits;
use tch::{Kind, Tensor};

use crate::embedder::Embedder;
use crate::error::NnError;
use crate::maps::map_set::Maps;

/// Images per call of the backbone.
const BATCH: usize = 8;

/// Runs every image through the backbone's first `stages`, and gives the maps of a few at a time to `take`, with the
/// positions of their images in the list. Positions of images that cannot be read come back; the first ten are named on
/// standard error.
///
/// # Errors
/// What the network or `take` refuses, an image whose map cannot be cached in half precision, or more than one image in
/// ten that cannot be read: as soon as that is certain.
pub fn each(
    embedder: &Embedder,
    images: &[Image],
    stages: usize,
    mut take: impl FnMut(&[usize], &Maps) -> Result<(), NnError>,
) -> Result<Vec<usize>, NnError> {
    let input = &embedder.config().input;
    let mut bar = progress::begin(images.len() as u64, "images");
    let mut unreadable = Vec::new();
    for (chunk, batch) in images.chunks(BATCH).enumerate() {
        let (mut pixels, mut rows) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for (index, image) in batch.iter().enumerate() {
            match prepare(image, input) {
                Ok(prepared) => {
                    pixels.push(prepared);
                    rows.push(chunk * BATCH + index);
                }
                Err(reason) => {
                    if unreadable.len() < 10 {
                        bar.say(&format!("left out {}: {reason}", image.path.display()));
                    }
                    unreadable.push(chunk * BATCH + index);
                }
            }
        }
        if unreadable.len() * 10 > images.len() {
            let path = images[unreadable[0]].path.clone();
            let (count, seen) = (unreadable.len(), (chunk * BATCH + batch.len()).min(images.len()));
            let reason = format!(
                "{count} of the first {seen} of {} images cannot be read, this is the first; a tenth may be",
                images.len()
            );
            return Err(DataError::Dataset { path, reason }.into());
        }
        if !rows.is_empty() {
            let map = embedder.map_behind(&pixels.iter().map(Vec::as_slice).collect::<Vec<_>>(), stages)?;
            take(&rows, &halves(&map, |row| &images[rows[row]])?)?;
        }
        bar.inc(batch.len() as u64);
    }
    Ok(unreadable)
}

/// Maps `[n, C, h, w]` as they are cached.
fn halves<'a>(map: &Tensor, image: impl Fn(usize) -> &'a Image) -> Result<Maps, NnError> {
    let (n, channels, height, width) = map.size4()?;
    let cells = map.f_permute([0, 2, 3, 1])?.f_reshape([n, height * width, channels])?;
    let cells = cells.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Half)?;
    let finite = Vec::<bool>::try_from(cells.f_isfinite()?.f_flatten(1, 2)?.f_all_dim(1, false)?)?;
    if let Some(at) = finite.iter().position(|finite| !finite) {
        let path = image(at).path.clone();
        let reason =
            "its map has cells that half precision cannot hold: the backbone's weights do not suit it".to_owned();
        return Err(DataError::Dataset { path, reason }.into());
    }
    Ok(Maps { cells, height: height as usize, width: width as usize, unreadable: Vec::new() })
}

/// An image's pixels at the network's size.
fn prepare(image: &Image, input: &Input) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(&image.path).map_err(|e| e.to_string())?;
    let limits = Limits::default();
    let (size, fit) = (input.size, fit(input.fit));
    if let Some(Augmented { preset, seed }) = image.augmented {
        // Twice the model's size: an augmented image may show half of the image, and a larger one would only take
        // longer.
        let longest = (2 * size).min(grnet_image::MAX_SIZE);
        let picture =
            grnet_image::picture(&bytes, image.region.as_ref(), longest, &limits).map_err(|e| e.to_string())?;
        return Ok(preset.augmentation().apply(&picture, &[], Taken::Consumer, size, fit, seed));
    }
    let prepared =
        grnet_image::prepare(&bytes, image.region.as_ref(), fit, size, &limits).map_err(|e| e.to_string())?;
    Ok(prepared.pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_half_precision_cannot_hold_is_refused_by_image() {
        let images = ["a.jpg", "c.jpg"].map(Image::new);
        let map = Tensor::ones([2, 3, 2, 2], (Kind::Float, tch::Device::Cpu));
        let maps = halves(&map, |row| &images[row]).unwrap();
        assert_eq!((maps.cells.size(), maps.height, maps.width), (vec![2, 4, 3], 2, 2));
        let _ = map.get(1).fill_(1e5);
        assert!(halves(&map, |row| &images[row]).unwrap_err().to_string().contains("c.jpg"));
    }
}
