//! What an evaluation asks and what it searches.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::found::Found;
use super::place::{Kind, Place};
use super::seen::Seen;
use super::{Photo, Snapshot, Split, annotated, check, deepfashion, folders, table};
use crate::augment::Manner;
use crate::network::EngineError;
use crate::print::say;

/// The set that is searched.
const GALLERY: &str = "gallery";

/// The set whose photos are made consumers' snapshots, in three ways: three sets of queries.
const IMITATED: &str = "imitated";

/// The photos of all places: a gallery, and sets of queries.
#[derive(Debug)]
pub struct Search {
    /// The photos.
    pub photos: Vec<Photo>,
    /// Items of the photos; `None` is a distractor, or a query that has no answer.
    pub items: Vec<Option<usize>>,
    /// Photos of each set of queries.
    pub sets: BTreeMap<String, Vec<usize>>,
    /// Photos that are searched.
    pub gallery: Vec<usize>,
}

/// A photo of a place: its item, and its set where it takes part.
type Entry = (Photo, Option<usize>, Option<String>);

impl Search {
    /// Reads all places. A table with a column `set` says itself who asks and who is searched. Of any other place the shop
    /// photos are searched, those of the split `train` left out; the consumers' photos of `test` ask, those of `val` where
    /// there is no `test`, all as the set `consumer` where there are no splits. Items of different places are different.
    ///
    /// # Errors
    /// A place cannot be read or contradicts itself, nothing asks or nothing is searched, or more than one photo in ten is
    /// missing or none.
    pub fn read(places: &[PathBuf]) -> Result<Self, EngineError> {
        let (mut photos, mut items) = (Vec::new(), Vec::new());
        let mut sets: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut first = 0;
        for (source, given) in places.iter().enumerate() {
            let (entries, warnings) = entries(given, first)?;
            warnings.iter().for_each(|warning| say(&format!("{}: {warning}", given.display())));
            first += entries.len();
            for (photo, item, set) in entries {
                let Some(set) = set else { continue };
                let shop = set == GALLERY;
                sets.entry(set).or_default().push(photos.len());
                items.push(item);
                photos.push(Photo { source, shop, item: item.unwrap_or_default(), ..photo });
            }
        }
        let refuse = |reason: String| EngineError::Dataset { path: places[0].clone(), reason };
        let total = photos.len();
        let gallery = sets.remove(GALLERY);
        let gallery = gallery.ok_or_else(|| refuse(format!("none of {total} rows has the set `{GALLERY}`")))?;
        for photo in sets.remove(IMITATED).unwrap_or_default() {
            for (manner, name) in Manner::EVALUATED {
                sets.entry(name.to_owned()).or_default().push(photos.len());
                items.push(items[photo]);
                let snapshot = Some(Snapshot { manner, seed: photo as u64 });
                photos.push(Photo { snapshot, ..photos[photo].clone() });
            }
        }
        if sets.is_empty() {
            return Err(refuse(format!("all of {total} rows have the set `{GALLERY}`: there is no query")));
        }
        if let Some(warning) = check::files(&photos)?.warning {
            say(&warning);
        }
        Ok(Self { photos, items, sets, gallery })
    }
}

/// The photos of a place, and what is to be said about them. Items are numbered from `first`, at most one a photo.
fn entries(given: &Path, first: usize) -> Result<(Vec<Entry>, Vec<String>), EngineError> {
    let Place { kind, path } = Place::of(given)?;
    let found = match kind {
        Kind::Table => return rows(&path, first),
        Kind::DeepFashion => deepfashion::read(&path, first)?,
        Kind::Folders => Found { photos: folders::read(&path, first)?, warnings: Vec::new() },
    };
    let entries = found.photos.into_iter().map(|photo| {
        let item = photo.item;
        (photo, Some(item), None)
    });
    let mut entries: Vec<Entry> = entries.collect();
    by_domain(&mut entries);
    Ok((entries, found.warnings))
}

/// The rows of a table.
fn rows(path: &Path, first: usize) -> Result<(Vec<Entry>, Vec<String>), EngineError> {
    let rows = table(path, &["file", "item"])?;
    let (has_set, has_domain) = rows.first().map_or((false, false), |row| (row.has("set"), row.has("domain")));
    if !has_set && !has_domain {
        let reason = "the table has neither a column `set` nor a column `domain`".to_owned();
        return Err(EngineError::Dataset { path: path.to_owned(), reason });
    }
    let root = annotated::root(path, &rows)?;
    let (mut numbers, mut seen, mut entries) = (HashMap::new(), Seen::default(), Vec::with_capacity(rows.len()));
    for row in &rows {
        let shop = !has_set && row.shop()?;
        let (region, strata, split) = (row.region()?, row.strata()?, row.split()?);
        let path = root.join(row.file()?);
        let set = match row.get("set") {
            "" if has_set => return Err(row.refuse("has no set".to_owned())),
            set => has_set.then(|| set.to_owned()),
        };
        if !seen.add(row)? {
            continue;
        }
        let (name, next) = (row.get("item"), first + numbers.len());
        let item = (!name.is_empty()).then(|| *numbers.entry(name).or_insert(next));
        entries.push((Photo { region, strata, split, shop, ..Photo::new(path) }, item, set));
    }
    if !has_set {
        by_domain(&mut entries);
    }
    Ok((entries, seen.warning().into_iter().collect()))
}

/// Gives photos without a set the one that domain and split make.
fn by_domain(entries: &mut [Entry]) {
    let tested = entries.iter().any(|(photo, ..)| !photo.shop && photo.split == Some(Split::Test));
    for (photo, _, set) in entries {
        *set = match (photo.shop, photo.split) {
            (_, Some(Split::Train)) => None,
            (true, _) => Some(GALLERY.to_owned()),
            (false, Some(Split::Val)) if tested => None,
            (false, split) => Some(split.map_or("consumer", Split::word).to_owned()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search in a table with that text beside photos that are there.
    fn search(text: &str) -> Result<Search, String> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c", "d", "e"] {
            std::fs::write(folder.path().join(name).with_extension("bmp"), check::tests::dot()).unwrap();
        }
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        Search::read(&[path]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_says_who_asks_or_domain_and_split_do() {
        let found = search("file,item,set\na.bmp,1,gallery\nb.bmp,,gallery\na.bmp,1,same\nc.bmp,2,other\n").unwrap();
        assert_eq!((found.gallery, found.items), (vec![0, 1], vec![Some(0), None, Some(0), Some(1)]));
        assert_eq!(found.sets.into_iter().collect::<Vec<_>>(), [("other".into(), vec![3]), ("same".into(), vec![2])]);
        let split = "file,item,domain,split\na.bmp,1,shop,train\nb.bmp,2,shop,val\nc.bmp,2,consumer,val\n\
                     d.bmp,3,shop,test\ne.bmp,3,consumer,test\n";
        let found = search(split).unwrap();
        let names: Vec<_> =
            found.photos.iter().map(|photo| photo.path.file_stem().unwrap().to_str().unwrap()).collect();
        assert_eq!((names, found.gallery), (vec!["b", "d", "e"], vec![0, 1]));
        assert_eq!(found.sets.into_iter().collect::<Vec<_>>(), [("test".into(), vec![2])]);
        let sets = |text: &str| search(text).unwrap().sets.into_keys().collect::<Vec<_>>();
        assert_eq!(sets(&split.replace("test", "val")), ["val"]);
        assert_eq!(sets("file,item,domain\na.bmp,1,shop\nb.bmp,1,consumer\n"), ["consumer"]);
    }

    #[test]
    fn photos_to_be_imitated_ask_in_three_ways() {
        let found = search("file,item,set\na.bmp,1,gallery\na.bmp,1,imitated\nb.bmp,2,imitated\n").unwrap();
        assert_eq!(found.sets.values().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
        for (name, photos) in &found.sets {
            assert!(name.starts_with("imitated: "), "{name}");
            let snapshots = photos.iter().map(|&photo| found.photos[photo].snapshot.unwrap());
            assert!(snapshots.zip(photos).all(|(s, &p)| Manner::EVALUATED.contains(&(s.manner, name)) && p > 2));
            assert_eq!(photos.iter().map(|&photo| found.items[photo]).collect::<Vec<_>>(), [Some(0), Some(1)]);
        }
    }

    #[test]
    fn a_query_without_an_item_stays_one() {
        let found = search("file,item,domain\na.bmp,1,shop\nb.bmp,,consumer\nc.bmp,,shop\n").unwrap();
        assert_eq!((found.items, found.gallery), (vec![Some(0), None, None], vec![0, 2]));
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for (text, part) in [
            ("file,item\na.bmp,1\n", "neither a column `set` nor a column `domain`"),
            ("file,item,set\na.bmp,1,gallery\nb.bmp,1,\n", "line 3 has no set"),
            ("file,item,set\na.bmp,1,x\n", "none of 1 rows"),
            ("file,item,domain\na.bmp,1,shop\n", "all of 1 rows"),
            ("file,item,domain\na.bmp,1,shops\n", "`shops`"),
            ("file,item,set\na.bmp,1,gallery\nnone.bmp,1,x\n", "1 of 2 photos cannot be read"),
            (
                "file,item,set\na.bmp,1,gallery\nb.bmp,1,x\nb.bmp,2,x\n",
                "line 4 gives b.bmp the item `2`, line 3 gives it `1`",
            ),
        ] {
            let error = search(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn folders_and_deepfashion_are_searched_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x/1.bmp", "x/2.bmp", "y/1.bmp", "img/s.bmp", "img/c.bmp"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, check::tests::dot()).unwrap();
        }
        std::fs::remove_dir_all(folder.path().join("y")).unwrap();
        let both = folder.path().to_owned();
        let found = Search::read(std::slice::from_ref(&both)).unwrap();
        assert_eq!((found.photos.len(), found.gallery.len(), found.sets["consumer"].len()), (4, 2, 2));
        let boxes = "2\nnames\nimg/s.bmp 1 1 0 0 1 1\nimg/c.bmp 1 2 0 0 1 1\n";
        std::fs::write(both.join("list_bbox_consumer2shop.txt"), boxes).unwrap();
        std::fs::write(both.join("list_eval_partition.txt"), "1\nnames\nimg/c.bmp img/s.bmp id_1 test\n").unwrap();
        let mut folders = std::ffi::OsString::from("folders:");
        folders.push(&both);
        let found = Search::read(&[both, folders.into()]).unwrap();
        assert_eq!((found.photos.len(), found.gallery.len()), (6, 3));
        assert_eq!((found.sets["test"].len(), found.sets["consumer"].len()), (1, 2));
        assert!(found.items[0] == found.items[1] && !found.items[2..].contains(&found.items[0]));
    }
}
