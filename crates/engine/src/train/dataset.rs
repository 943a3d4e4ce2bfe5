//! Which photos there are, and whose garment each one shows.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use grnet_photo::Region;
use walkdir::WalkDir;

use crate::network::EngineError;

/// A photo to be embedded.
#[derive(Debug, Clone)]
pub struct Photo {
    /// The file.
    pub path: PathBuf,
    /// The garment's box, where it is annotated.
    pub region: Option<Region>,
    /// The garment, a number across all sources.
    pub item: usize,
    /// Whether it is a seller's photo.
    pub shop: bool,
    /// The folder it came from: garments of one source are compared with each other, never across.
    pub source: usize,
    /// Seed of an imitated snapshot; `None` takes the photo as it is.
    pub snapshot: Option<u64>,
}

/// Endings of photos in a folder without a table.
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "bmp", "gif"];

/// Reads all folders. Items are numbered in order of appearance.
///
/// # Errors
/// A folder or table cannot be read, or holds no photo.
pub fn read(folders: &[PathBuf], snapshots: usize) -> Result<Vec<Photo>, EngineError> {
    let mut photos = Vec::new();
    let mut items = 0;
    for (source, folder) in folders.iter().enumerate() {
        let table = folder.join("annotations.csv");
        let before = photos.len();
        if table.is_file() {
            annotated(&table, folder, source, &mut items, &mut photos)?;
        } else {
            folders_or_files(folder, source, snapshots, &mut items, &mut photos)?;
        }
        if photos.len() == before {
            return Err(EngineError::Dataset { path: folder.clone(), reason: "there is no photo in it".to_owned() });
        }
    }
    Ok(photos)
}

/// A table of comma-separated values with a header and without quotes, row by row as name → value.
///
/// # Errors
/// It cannot be read, lacks one of the `needed` columns, or a row has another number of values; the line is named.
pub fn table(path: &Path, needed: &[&str]) -> Result<Vec<HashMap<String, String>>, EngineError> {
    let text = std::fs::read_to_string(path).map_err(EngineError::io(path))?;
    let refuse = |reason: String| EngineError::Dataset { path: path.to_owned(), reason };
    let mut lines = text.lines().enumerate();
    let header: Vec<&str> = lines.next().map(|(_, l)| l.split(',').map(str::trim).collect()).unwrap_or_default();
    if let Some(name) = needed.iter().find(|n| !header.contains(n)) {
        return Err(refuse(format!("the table has no column `{name}`")));
    }
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let values: Vec<&str> = line.split(',').map(str::trim).collect();
            if values.len() != header.len() {
                let (got, expected) = (values.len(), header.len());
                return Err(refuse(format!("line {} has {got} values, the header has {expected}", number + 1)));
            }
            Ok(header.iter().zip(values).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect())
        })
        .collect()
}

fn annotated(
    path: &Path,
    folder: &Path,
    source: usize,
    items: &mut usize,
    photos: &mut Vec<Photo>,
) -> Result<(), EngineError> {
    let mut numbers = HashMap::new();
    // Files are named relative to the folder or to `photos` inside it, one of the two for the whole table.
    let mut root = None;
    for row in table(path, &["file", "item", "domain"])? {
        let root = root.get_or_insert_with(|| {
            let inner = folder.join("photos");
            if inner.join(&row["file"]).is_file() { inner } else { folder.to_owned() }
        });
        let number = |name: &str| row.get(name).and_then(|v| v.parse::<f64>().ok());
        let region = match (number("left"), number("top"), number("width"), number("height")) {
            (Some(left), Some(top), Some(width), Some(height)) => Some(Region { left, top, width, height }),
            _ => None,
        };
        let item = *numbers.entry(row["item"].clone()).or_insert_with(|| {
            *items += 1;
            *items - 1
        });
        let shop = row["domain"] == "shop";
        photos.push(Photo { path: root.join(&row["file"]), region, item, shop, source, snapshot: None });
    }
    Ok(())
}

/// A folder of folders (each one item; the first photo by name counts as the shop's), or of photos without identity.
fn folders_or_files(
    folder: &Path,
    source: usize,
    snapshots: usize,
    items: &mut usize,
    photos: &mut Vec<Photo>,
) -> Result<(), EngineError> {
    if !folder.is_dir() {
        return Err(EngineError::Dataset { path: folder.to_owned(), reason: "not a folder".to_owned() });
    }
    let mut by_item: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for entry in WalkDir::new(folder).min_depth(1).max_depth(2).sort_by_file_name() {
        let entry = entry.map_err(|e| EngineError::Dataset { path: folder.to_owned(), reason: e.to_string() })?;
        let ending = entry.path().extension().and_then(|e| e.to_str()).unwrap_or_default();
        if entry.file_type().is_file() && ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)) {
            // A photo directly in the folder is an item of its own.
            let key = if entry.depth() == 1 { entry.path() } else { entry.path().parent().unwrap_or(folder) };
            by_item.entry(key.to_owned()).or_default().push(entry.path().to_owned());
        }
    }
    for files in by_item.into_values() {
        let item = *items;
        *items += 1;
        let alone = files.len() == 1;
        for (index, path) in files.into_iter().enumerate() {
            let photo = Photo { path, region: None, item, shop: index == 0, source, snapshot: None };
            let copies = if alone { snapshots } else { 0 };
            photos.extend((0..copies as u64).map(|n| Photo {
                shop: false,
                snapshot: Some((item as u64) << 8 | n),
                ..photo.clone()
            }));
            photos.push(photo);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotated_folder_gives_items_domains_and_boxes() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "file,item,domain,left,top,width,height\na.jpg,x,shop,1,2,3,4\nb.jpg,x,consumer,,,,\nc.jpg,y,shop,,,,\n";
        std::fs::write(folder.path().join("annotations.csv"), text).unwrap();
        let photos = read(&[folder.path().to_owned()], 3).unwrap();
        assert_eq!(photos.iter().map(|p| p.item).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(photos.iter().map(|p| p.shop).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(photos[0].region.unwrap().width, 3.0);
        assert!(photos[1].region.is_none());
    }

    #[test]
    fn a_table_without_a_column_or_with_a_short_line_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("annotations.csv");
        std::fs::write(&path, "file,item\na.jpg,x\n").unwrap();
        assert!(table(&path, &["domain"]).unwrap_err().to_string().contains("`domain`"));
        std::fs::write(&path, "file,item\na.jpg,x\nb.jpg\n").unwrap();
        assert!(table(&path, &["file"]).unwrap_err().to_string().contains("line 3"));
    }

    #[test]
    fn photos_without_identity_get_snapshots_and_items_with_folders_do_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["lone.jpg", "item/1.jpg", "item/2.jpg"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        let photos = read(&[folder.path().to_owned()], 2).unwrap();
        assert_eq!(photos.len(), 5);
        assert_eq!(photos.iter().filter(|p| p.snapshot.is_some()).count(), 2);
        let empty = tempfile::tempdir().unwrap();
        assert!(read(&[empty.path().to_owned()], 2).unwrap_err().to_string().contains("no photo"));
    }
}
