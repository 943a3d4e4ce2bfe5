//! Every photo's map, computed once.

use std::collections::HashMap;
use std::path::Path;

use grnet_core::config::Input;
use grnet_core::model::ModelId;
use grnet_photo::Limits;
use tch::{Kind, Tensor};

use crate::augment::Kind as Taken;
use crate::dataset::{Photo, Snapshot};
use crate::network::{Embedder, EngineError, fit};
use crate::progress;

/// Photos per call of the backbone.
const BATCH: usize = 8;

/// Maps of photos, f16 on the CPU: 125 kB a photo for 7 × 7 cells of 1,280 channels, 44 kB for 14 × 14 of 112.
#[derive(Debug)]
pub struct Maps {
    /// `[n, h·w, c]`.
    pub cells: Tensor,
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
    /// Positions (in the list given) of photos that could not be read.
    pub unreadable: Vec<usize>,
}

impl Maps {
    /// Maps `[B, c, h, w]` of some photos, f32 on a device; strides are channels-last, as they are kept.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn maps(&self, photos: &[usize], device: tch::Device) -> Result<Tensor, EngineError> {
        let index: Vec<i64> = photos.iter().map(|&p| p as i64).collect();
        let cells = self.cells.f_index_select(0, &Tensor::f_from_slice(&index)?)?.f_to_device(device)?;
        let (n, _, channels) = cells.size3()?;
        let map = cells.f_to_kind(Kind::Float)?.f_view([n, self.height as i64, self.width as i64, channels])?;
        Ok(map.f_permute([0, 3, 1, 2])?)
    }
}

/// Version of what a map is, part of a kept file's name: to be raised when photos are prepared or stored differently.
const VERSION: u32 = 3;

/// [`maps`], or what an earlier call left in `folder` for the same backbone and photos. A photo is the same as long as
/// its path, length and time of change are.
///
/// # Errors
/// As [`maps`], and where the folder cannot be written.
pub fn kept_maps(
    embedder: &Embedder,
    photos: &[Photo],
    stages: usize,
    folder: Option<&Path>,
) -> Result<Maps, EngineError> {
    let Some(folder) = folder else { return maps(embedder, photos, stages) };
    // Before the work: what cannot be kept is not worth an hour.
    std::fs::create_dir_all(folder).map_err(EngineError::io(folder))?;
    let list: String = photos.iter().map(identity).collect();
    let name = ModelId::of(format!("{VERSION} {} {stages}\n{list}", embedder.backbone_id()).as_bytes());
    let path = folder.join(format!("maps-{name}.safetensors"));
    if path.is_file() {
        let mut tensors: HashMap<String, Tensor> = Tensor::read_safetensors(&path)?.into_iter().collect();
        if let (Some(cells), Some(facts)) = (tensors.remove("cells"), tensors.remove("facts")) {
            let facts = Vec::<i64>::try_from(facts)?;
            if let [height, width, unreadable @ ..] = &facts[..] {
                let unreadable = unreadable.iter().map(|&n| n as usize).collect();
                return Ok(Maps { cells, height: *height as usize, width: *width as usize, unreadable });
            }
        }
    }
    let maps = maps(embedder, photos, stages)?;
    let facts: Vec<i64> = [maps.height, maps.width].iter().chain(&maps.unreadable).map(|&n| n as i64).collect();
    // Under another name first: a killed run leaves no half of a cache.
    let unfinished = path.with_extension("unfinished");
    Tensor::write_safetensors(&[("cells", &maps.cells), ("facts", &Tensor::f_from_slice(&facts)?)], &unfinished)?;
    std::fs::rename(&unfinished, &path).map_err(EngineError::io(&path))?;
    Ok(maps)
}

/// A line that changes when the photo does.
pub fn identity(photo: &Photo) -> String {
    let path = photo.path.canonicalize().unwrap_or_else(|_| photo.path.clone());
    let (length, changed) = path.metadata().map_or((0, None), |m| (m.len(), m.modified().ok()));
    format!("{path:?} {length} {changed:?} {:?} {:?}\n", photo.region, photo.snapshot)
}

/// Runs every photo through the backbone's first `stages`. A photo that cannot be read has a map of zeros and is listed; the first ten
/// are named on standard error.
///
/// # Errors
/// What the network refuses, a photo whose map cannot be kept in half precision, or more than one photo in ten that
/// cannot be read: as soon as that is certain.
pub fn maps(embedder: &Embedder, photos: &[Photo], stages: usize) -> Result<Maps, EngineError> {
    let input = &embedder.config().input;
    let mut bar = progress::begin(photos.len() as u64, "photos");
    let mut unreadable = Vec::new();
    let mut maps: Option<Maps> = None;
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
            keep(&mut maps, &map, photos, &rows)?;
        }
        bar.inc(batch.len() as u64);
    }
    drop(bar);
    // At most a tenth is missing, so there is one unless there was no photo at all.
    let none = || EngineError::Dataset { path: "photos".into(), reason: "there are none".to_owned() };
    Ok(Maps { unreadable, ..maps.ok_or_else(none)? })
}

/// Puts a batch's maps `[n, C, h, w]` into their rows.
fn keep(maps: &mut Option<Maps>, map: &Tensor, photos: &[Photo], rows: &[usize]) -> Result<(), EngineError> {
    let (n, channels, height, width) = map.size4()?;
    let cells = map.f_permute([0, 2, 3, 1])?.f_reshape([n, height * width, channels])?;
    let cells = cells.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Half)?;
    let finite = Vec::<bool>::try_from(cells.f_isfinite()?.f_flatten(1, 2)?.f_all_dim(1, false)?)?;
    if let Some(at) = finite.iter().position(|finite| !finite) {
        let path = photos[rows[at]].path.clone();
        let reason =
            "its map has cells that half precision cannot hold: the backbone's weights do not suit it".to_owned();
        return Err(EngineError::Dataset { path, reason });
    }
    let maps = match maps {
        Some(maps) => maps,
        None => {
            let size = [photos.len() as i64, height * width, channels];
            let cells = Tensor::f_zeros(size, (Kind::Half, tch::Device::Cpu))?;
            maps.insert(Maps { cells, height: height as usize, width: width as usize, unreadable: Vec::new() })
        }
    };
    let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    let _ = maps.cells.f_index_copy_(0, &Tensor::f_from_slice(&rows)?, &cells)?;
    Ok(())
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

    fn photo(path: &Path) -> Photo {
        Photo::new(path)
    }

    #[test]
    fn another_photo_under_the_same_name_is_another_photo() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, b"one").unwrap();
        let first = identity(&photo(&path));
        assert_eq!(first, identity(&photo(&folder.path().join("./a.jpg"))));
        std::fs::write(&path, b"three").unwrap();
        assert_ne!(first, identity(&photo(&path)));
    }

    #[test]
    fn maps_are_kept_in_their_rows_and_refused_by_photo_where_half_precision_cannot_hold_them() {
        let photos = ["a.jpg", "b.jpg", "c.jpg"].map(|name| photo(Path::new(name)));
        let map = Tensor::ones([2, 3, 2, 2], (Kind::Float, tch::Device::Cpu));
        let mut maps = None;
        keep(&mut maps, &map, &photos, &[0, 2]).unwrap();
        let cells = maps.unwrap().cells;
        let sum = |row| f64::try_from(cells.get(row).sum(Kind::Float)).unwrap();
        assert_eq!([sum(0), sum(1), sum(2)], [12.0, 0.0, 12.0]);
        let _ = map.get(1).fill_(1e5);
        assert!(keep(&mut None, &map, &photos, &[0, 2]).unwrap_err().to_string().contains("c.jpg"));
    }
}
