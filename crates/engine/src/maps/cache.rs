//! Every photo's map, computed once.

use std::collections::HashMap;
use std::path::Path;

use grnet_core::model::ModelId;
use tch::{Kind, Tensor};

use super::stream;
use crate::dataset::Photo;
use crate::network::{Embedder, EngineError};

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

/// Runs every photo through the backbone's first `stages`. A photo that cannot be read has a map of zeros and is listed.
///
/// # Errors
/// As [`stream::each`].
pub fn maps(embedder: &Embedder, photos: &[Photo], stages: usize) -> Result<Maps, EngineError> {
    let mut all: Option<Maps> = None;
    let unreadable = stream::each(embedder, photos, stages, |rows, maps| put(&mut all, maps, photos.len(), rows))?;
    // At most a tenth is missing, so there is one unless there was no photo at all.
    let none = || EngineError::Dataset { path: "photos".into(), reason: "there are none".to_owned() };
    Ok(Maps { unreadable, ..all.ok_or_else(none)? })
}

/// Puts a batch's maps into their rows of all photos'.
fn put(all: &mut Option<Maps>, maps: &Maps, photos: usize, rows: &[usize]) -> Result<(), EngineError> {
    let all = match all {
        Some(all) => all,
        None => {
            let (_, cells, channels) = maps.cells.size3()?;
            let size = [photos as i64, cells, channels];
            let cells = Tensor::f_zeros(size, (Kind::Half, tch::Device::Cpu))?;
            all.insert(Maps { cells, height: maps.height, width: maps.width, unreadable: Vec::new() })
        }
    };
    let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    let _ = all.cells.f_index_copy_(0, &Tensor::f_from_slice(&rows)?, &maps.cells)?;
    Ok(())
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
    fn maps_are_put_into_their_rows() {
        let cells = Tensor::ones([2, 4, 3], (Kind::Half, tch::Device::Cpu));
        let batch = Maps { cells, height: 2, width: 2, unreadable: Vec::new() };
        let mut all = None;
        put(&mut all, &batch, 3, &[0, 2]).unwrap();
        let cells = all.unwrap().cells;
        let sum = |row| f64::try_from(cells.get(row).sum(Kind::Float)).unwrap();
        assert_eq!([sum(0), sum(1), sum(2)], [12.0, 0.0, 12.0]);
    }
}
