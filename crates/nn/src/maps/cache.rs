//! Every image's map, computed once.

use std::collections::HashMap;
use std::path::Path;

use grnet_data::DataError;
use grnet_data::dataset::image::Image;
use grnet_features::model_file::ModelId;
use tch::{Kind, Tensor};

use crate::embedder::Embedder;
use crate::error::NnError;
use crate::maps::map_set::Maps;
use crate::maps::stream;

/// Version of what a map is, part of a cached file's name: to be raised when images are prepared or stored differently.
const VERSION: u32 = 3;

/// [`maps`], or what an earlier call left in `folder` for the same backbone and images. An image is the same as long as
/// its path, length and time of change are.
///
/// # Errors
/// As [`maps`], and where the folder cannot be written.
pub fn cached_maps(
    embedder: &Embedder,
    images: &[Image],
    stages: usize,
    folder: Option<&Path>,
) -> Result<Maps, NnError> {
    let Some(folder) = folder else { return maps(embedder, images, stages) };
    // Before the work: what cannot be cached is not worth an hour.
    std::fs::create_dir_all(folder).map_err(DataError::io(folder))?;
    let list: String = images.iter().map(identity).collect();
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
    let maps = maps(embedder, images, stages)?;
    let facts: Vec<i64> = [maps.height, maps.width].iter().chain(&maps.unreadable).map(|&n| n as i64).collect();
    // Under another name first: a killed run leaves no half of a cache.
    let unfinished = path.with_extension("unfinished");
    Tensor::write_safetensors(&[("cells", &maps.cells), ("facts", &Tensor::f_from_slice(&facts)?)], &unfinished)?;
    std::fs::rename(&unfinished, &path).map_err(DataError::io(&path))?;
    Ok(maps)
}

/// A line that changes when the image does.
pub fn identity(image: &Image) -> String {
    let path = image.path.canonicalize().unwrap_or_else(|_| image.path.clone());
    let (length, changed) = path.metadata().map_or((0, None), |m| (m.len(), m.modified().ok()));
    format!("{path:?} {length} {changed:?} {:?} {:?}\n", image.region, image.augmented)
}

/// Runs every image through the backbone's first `stages`. An image that cannot be read has a map of zeros and is
/// listed.
///
/// # Errors
/// As [`stream::each`].
pub fn maps(embedder: &Embedder, images: &[Image], stages: usize) -> Result<Maps, NnError> {
    let mut all: Option<Maps> = None;
    let unreadable = stream::each(embedder, images, stages, |rows, maps| put(&mut all, maps, images.len(), rows))?;
    // At most a tenth is missing, so there is one unless there was no image at all.
    let none = || DataError::Dataset { path: "images".into(), reason: "there are none".to_owned() };
    Ok(Maps { unreadable, ..all.ok_or_else(none)? })
}

/// Puts a batch's maps into their rows of all images'.
fn put(all: &mut Option<Maps>, maps: &Maps, images: usize, rows: &[usize]) -> Result<(), NnError> {
    let all = match all {
        Some(all) => all,
        None => {
            let (_, cells, channels) = maps.cells.size3()?;
            let size = [images as i64, cells, channels];
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

    fn image(path: &Path) -> Image {
        Image::new(path)
    }

    #[test]
    fn another_image_under_the_same_name_is_another_image() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, b"one").unwrap();
        let first = identity(&image(&path));
        assert_eq!(first, identity(&image(&folder.path().join("./a.jpg"))));
        std::fs::write(&path, b"three").unwrap();
        assert_ne!(first, identity(&image(&path)));
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
