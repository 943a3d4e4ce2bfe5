//! A folder for each garment, or images without identity.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::dataset::image::Image;
use crate::error::DataError;
use crate::files::is_image;

/// Reads a folder of folders (each one garment; the first image by name counts as the shop's) and of images, each a
/// garment of its own.
/// Garments are numbered from `first`.
///
/// # Errors
/// The folder cannot be searched.
pub fn read(folder: &Path, first: usize) -> Result<Vec<Image>, DataError> {
    let mut by_item: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for entry in WalkDir::new(folder).follow_links(true).min_depth(1).max_depth(2).sort_by_file_name() {
        let entry = entry.map_err(|e| DataError::Dataset { path: folder.to_owned(), reason: e.to_string() })?;
        if entry.file_type().is_file() && is_image(entry.path()) {
            let key = if entry.depth() == 1 { entry.path() } else { entry.path().parent().unwrap_or(folder) };
            by_item.entry(key.to_owned()).or_default().push(entry.path().to_owned());
        }
    }
    let mut images = Vec::new();
    for (item, files) in (first..).zip(by_item.into_values()) {
        let image = |(index, path): (usize, PathBuf)| Image { item, shop: index == 0, ..Image::new(path) };
        images.extend(files.into_iter().enumerate().map(image));
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_all_endings_of_images_are_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in ["1.TIF", "2.jfif", "3.txt"] {
            std::fs::write(elsewhere.path().join(name), b"").unwrap();
        }
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("item")).unwrap();
        assert_eq!(read(folder.path(), 0).unwrap().len(), 2);
    }

    #[test]
    fn a_folder_and_a_lone_image_are_a_garment_each() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["lone.jpg", "item/1.jpg", "item/2.jpg"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        let images = read(folder.path(), 7).unwrap();
        assert_eq!(images.iter().map(|p| (p.item, p.shop)).collect::<Vec<_>>(), [(7, true), (7, false), (8, true)]);
    }
}
