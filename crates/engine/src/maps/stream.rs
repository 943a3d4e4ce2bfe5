//! Photos through the backbone, a few at a time.

use grnet_core::config::Input;
use grnet_photo::Limits;
use tch::{Kind, Tensor};

use super::cache::Maps;
use crate::augment::Kind as Taken;
use crate::dataset::{Photo, Snapshot};
use crate::network::{Embedder, EngineError, fit};
use crate::progress;

/// Photos per call of the backbone.
const BATCH: usize = 8;

/// Runs every photo through the backbone's first `stages`, and gives the maps of a few at a time to `take`, with the
/// positions of their photos in the list. Positions of photos that cannot be read come back; the first ten are named on
/// standard error.
///
/// # Errors
/// What the network or `take` refuses, a photo whose map cannot be kept in half precision, or more than one photo in ten
/// that cannot be read: as soon as that is certain.
pub fn each(
    embedder: &Embedder,
    photos: &[Photo],
    stages: usize,
    mut take: impl FnMut(&[usize], &Maps) -> Result<(), EngineError>,
) -> Result<Vec<usize>, EngineError> {
    let input = &embedder.config().input;
    let mut bar = progress::begin(photos.len() as u64, "photos");
    let mut unreadable = Vec::new();
    for (chunk, batch) in photos.chunks(BATCH).enumerate() {
        let (mut pixels, mut rows) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for (index, photo) in batch.iter().enumerate() {
            match prepare(photo, input) {
                Ok(prepared) => {
                    pixels.push(prepared);
                    rows.push(chunk * BATCH + index);
                }
                Err(reason) => {
                    if unreadable.len() < 10 {
                        bar.say(&format!("left out {}: {reason}", photo.path.display()));
                    }
                    unreadable.push(chunk * BATCH + index);
                }
            }
        }
        if unreadable.len() * 10 > photos.len() {
            let path = photos[unreadable[0]].path.clone();
            let (count, seen) = (unreadable.len(), (chunk * BATCH + batch.len()).min(photos.len()));
            let reason = format!(
                "{count} of the first {seen} of {} photos cannot be read, this is the first; a tenth may be",
                photos.len()
            );
            return Err(EngineError::Dataset { path, reason });
        }
        if !rows.is_empty() {
            let map = embedder.map_behind(&pixels.iter().map(Vec::as_slice).collect::<Vec<_>>(), stages)?;
            take(&rows, &halves(&map, |row| &photos[rows[row]])?)?;
        }
        bar.inc(batch.len() as u64);
    }
    Ok(unreadable)
}

/// Maps `[n, C, h, w]` as they are kept.
fn halves<'a>(map: &Tensor, photo: impl Fn(usize) -> &'a Photo) -> Result<Maps, EngineError> {
    let (n, channels, height, width) = map.size4()?;
    let cells = map.f_permute([0, 2, 3, 1])?.f_reshape([n, height * width, channels])?;
    let cells = cells.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Half)?;
    let finite = Vec::<bool>::try_from(cells.f_isfinite()?.f_flatten(1, 2)?.f_all_dim(1, false)?)?;
    if let Some(at) = finite.iter().position(|finite| !finite) {
        let path = photo(at).path.clone();
        let reason =
            "its map has cells that half precision cannot hold: the backbone's weights do not suit it".to_owned();
        return Err(EngineError::Dataset { path, reason });
    }
    Ok(Maps { cells, height: height as usize, width: width as usize, unreadable: Vec::new() })
}

/// A photo's pixels at the network's size.
fn prepare(photo: &Photo, input: &Input) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(&photo.path).map_err(|e| e.to_string())?;
    let limits = Limits::default();
    let (size, fit) = (input.size, fit(input.fit));
    if let Some(Snapshot { manner, seed }) = photo.snapshot {
        // Twice the model's size: a snapshot may show half of the photo, and a larger one would only take longer.
        let longest = (2 * size).min(grnet_photo::MAX_SIZE);
        let picture =
            grnet_photo::picture(&bytes, photo.region.as_ref(), longest, &limits).map_err(|e| e.to_string())?;
        return Ok(manner.imitation().snapshot(&picture, &[], Taken::Consumer, size, fit, seed));
    }
    let prepared =
        grnet_photo::prepare(&bytes, photo.region.as_ref(), fit, size, &limits).map_err(|e| e.to_string())?;
    Ok(prepared.pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_half_precision_cannot_hold_is_refused_by_photo() {
        let photos = ["a.jpg", "c.jpg"].map(Photo::new);
        let map = Tensor::ones([2, 3, 2, 2], (Kind::Float, tch::Device::Cpu));
        let maps = halves(&map, |row| &photos[row]).unwrap();
        assert_eq!((maps.cells.size(), maps.height, maps.width), (vec![2, 4, 3], 2, 2));
        let _ = map.get(1).fill_(1e5);
        assert!(halves(&map, |row| &photos[row]).unwrap_err().to_string().contains("c.jpg"));
    }
}
