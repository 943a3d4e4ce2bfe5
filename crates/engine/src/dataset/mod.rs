//! Which photos there are, and whose garment each one shows.

mod photo;
mod strata;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use grnet_photo::Region;
use walkdir::WalkDir;

use crate::embed::is_photo;
use crate::network::EngineError;
pub use photo::{Photo, Split};
pub use strata::{Difficulty, Level, Strata, View};

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

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    values: HashMap<String, String>,
    line: usize,
    table: PathBuf,
}

impl Row {
    /// The value of a column; empty where the table has no such column.
    pub fn get(&self, column: &str) -> &str {
        self.values.get(column).map_or("", String::as_str)
    }

    /// The garment's box: `left`, `top`, `width` and `height`, all or none of them.
    ///
    /// # Errors
    /// Half of a box, or one that is none; the line is named.
    pub fn region(&self) -> Result<Option<Region>, EngineError> {
        let texts = ["left", "top", "width", "height"].map(|column| self.get(column));
        if texts.iter().all(|text| text.is_empty()) {
            return Ok(None);
        }
        let [left, top, width, height] = texts.map(|text| text.parse().unwrap_or(f64::NAN));
        if [left, top, width, height].iter().all(|v| v.is_finite()) && width > 0.0 && height > 0.0 {
            return Ok(Some(Region { left, top, width, height }));
        }
        let got = texts.join(",");
        Err(self.refuse(format!("has the box `{got}`, needed are four numbers, the last two above 0, or none")))
    }

    /// View, occlusion and cropping, as far as the table has them. Occlusion and cropping may be shares from 0 to 1.
    ///
    /// # Errors
    /// A value that is none of the known; the line is named.
    pub fn strata(&self) -> Result<Strata, EngineError> {
        let level = |word: &str| Level::of(word).or_else(|| Level::of_share(word.parse().ok()?));
        let levels = "none, light, heavy and shares from 0 to 1";
        Ok(Strata {
            view: self.word("view", View::of, "front, side and back")?,
            occlusion: self.word("occlusion", level, levels)?,
            cropping: self.word("cropping", level, levels)?,
        })
    }

    /// What the photo is there for, where the table says so.
    ///
    /// # Errors
    /// A value that is none of the known; the line is named.
    pub fn split(&self) -> Result<Option<Split>, EngineError> {
        self.word("split", Split::of, "train, val and test")
    }

    /// A column's value as `of` understands it; `None` where there is none.
    fn word<T>(&self, column: &str, of: impl Fn(&str) -> Option<T>, known: &str) -> Result<Option<T>, EngineError> {
        match self.get(column) {
            "" => Ok(None),
            word => match of(word) {
                Some(value) => Ok(Some(value)),
                None => Err(self.refuse(format!("has the {column} `{word}`, known are {known}"))),
            },
        }
    }

    /// An error of this line.
    pub fn refuse(&self, what: String) -> EngineError {
        EngineError::Dataset { path: self.table.clone(), reason: format!("line {} {what}", self.line) }
    }
}

/// A table of comma-separated values with a header and without quotes, row by row.
///
/// # Errors
/// It cannot be read, lacks one of the `needed` columns, or a row has another number of values; the line is named.
pub fn table(path: &Path, needed: &[&str]) -> Result<Vec<Row>, EngineError> {
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
            let values = header.iter().zip(values).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect();
            Ok(Row { values, line: number + 1, table: path.to_owned() })
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
            if inner.join(row.get("file")).is_file() { inner } else { folder.to_owned() }
        });
        let item = *numbers.entry(row.get("item").to_owned()).or_insert_with(|| {
            *items += 1;
            *items - 1
        });
        let shop = match row.get("domain") {
            "shop" => true,
            "consumer" => false,
            other => return Err(row.refuse(format!("has the domain `{other}`, known are shop and consumer"))),
        };
        let path = root.join(row.get("file"));
        let (region, strata, split) = (row.region()?, row.strata()?, row.split()?);
        photos.push(Photo { region, item, shop, source, strata, split, ..Photo::new(path) });
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
    for entry in WalkDir::new(folder).follow_links(true).min_depth(1).max_depth(2).sort_by_file_name() {
        let entry = entry.map_err(|e| EngineError::Dataset { path: folder.to_owned(), reason: e.to_string() })?;
        if entry.file_type().is_file() && is_photo(entry.path()) {
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
            let photo = Photo { item, shop: index == 0, source, ..Photo::new(path) };
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
    fn half_a_box_and_an_unknown_domain_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |row: &str| {
            let text = format!("file,item,domain,left,top,width,height\na.jpg,x,shop,,,,\n{row}\n");
            std::fs::write(folder.path().join("annotations.csv"), text).unwrap();
            read(&[folder.path().to_owned()], 3).unwrap_err().to_string()
        };
        for row in ["b.jpg,x,shop,1,2,3,", "b.jpg,x,shop,1,2,3,x", "b.jpg,x,shop,1,2,0,4", "b.jpg,x,shop,1,nan,3,4"] {
            let error = refusal(row);
            assert!(error.contains("line 3") && error.contains(&row[13..]), "{error}");
        }
        let error = refusal("b.jpg,x,Shop,,,,");
        assert!(error.contains("line 3") && error.contains("`Shop`"), "{error}");
    }

    #[test]
    fn strata_and_split_are_read_and_unknown_ones_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let read = |row: &str| {
            let text = format!("file,item,domain,view,occlusion,cropping,split\n{row}\n");
            std::fs::write(folder.path().join("annotations.csv"), text).unwrap();
            super::read(&[folder.path().to_owned()], 3)
        };
        let photo = read("a.jpg,x,consumer,side,0.3,light,val").unwrap().swap_remove(0);
        let known = Strata { view: Some(View::Side), occlusion: Some(Level::Heavy), cropping: Some(Level::Light) };
        assert_eq!((photo.strata, photo.split), (known, Some(Split::Val)));
        let photo = read("a.jpg,x,consumer,,,,").unwrap().swap_remove(0);
        assert_eq!((photo.strata, photo.split), (Strata::default(), None));
        for (row, got) in [(",up,,,", "`up`"), (",,some,,", "`some`"), (",,,1.5,", "`1.5`"), (",,,,valid", "`valid`")] {
            let error = read(&format!("a.jpg,x,consumer{row}")[..]).unwrap_err().to_string();
            assert!(error.contains("line 2") && error.contains(got) && error.contains("known are"), "{error}");
        }
    }

    #[test]
    fn links_and_all_endings_of_photos_are_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in ["1.TIF", "2.jfif", "3.txt"] {
            std::fs::write(elsewhere.path().join(name), b"").unwrap();
        }
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("item")).unwrap();
        assert_eq!(read(&[folder.path().to_owned()], 2).unwrap().len(), 2);
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
