//! What an evaluation asks and what it searches.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::augment::preset::Preset;
use crate::dataset::found::Found;
use crate::dataset::image::{Augmented, Image, Split};
use crate::error::DataError;
use crate::output::print::say;
use crate::sources::seen::Seen;
use crate::sources::source::{Kind, Source};
use crate::sources::{annotated, check, folders};
use crate::{deepfashion, table};

/// The set that is searched.
const GALLERY: &str = "gallery";

/// The set whose images are augmented as consumers' images, in three ways: three sets of queries.
const IMITATED: &str = "imitated";

/// The images of all sources: a gallery, and sets of queries.
#[derive(Debug)]
pub struct Search {
    /// The images.
    pub images: Vec<Image>,
    /// Items of the images; `None` is a distractor, or a query that has no answer.
    pub items: Vec<Option<usize>>,
    /// Images of each set of queries.
    pub sets: BTreeMap<String, Vec<usize>>,
    /// Images that are searched.
    pub gallery: Vec<usize>,
}

/// An image of a source: its item, and its set where it takes part.
type Entry = (Image, Option<usize>, Option<String>);

impl Search {
    /// Reads all sources. A table with a column `set` says itself who asks and who is searched. Of any other source the
    /// shop images are searched, those of the split `train` left out; the consumers' images of `test` ask, those of
    /// `val` where there is no `test`, all as the set `consumer` where there are no splits. Items of different sources
    /// are different.
    ///
    /// # Errors
    /// A source cannot be read or contradicts itself, nothing asks or nothing is searched, or more than one image in
    /// ten is missing or none.
    pub fn read(sources: &[PathBuf]) -> Result<Self, DataError> {
        let (mut images, mut items) = (Vec::new(), Vec::new());
        let mut sets: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut first = 0;
        for (source, given) in sources.iter().enumerate() {
            let (entries, warnings) = entries(given, first)?;
            warnings.iter().for_each(|warning| say(&format!("{}: {warning}", given.display())));
            first += entries.len();
            for (image, item, set) in entries {
                let Some(set) = set else { continue };
                let shop = set == GALLERY;
                sets.entry(set).or_default().push(images.len());
                items.push(item);
                images.push(Image { source, shop, item: item.unwrap_or_default(), ..image });
            }
        }
        let refuse = |reason: String| DataError::Dataset { path: sources[0].clone(), reason };
        let total = images.len();
        let gallery = sets.remove(GALLERY);
        let gallery = gallery.ok_or_else(|| refuse(format!("none of {total} rows has the set `{GALLERY}`")))?;
        for image in sets.remove(IMITATED).unwrap_or_default() {
            for (preset, name) in Preset::EVALUATED {
                sets.entry(name.to_owned()).or_default().push(images.len());
                items.push(items[image]);
                let augmented = Some(Augmented { preset, seed: image as u64 });
                images.push(Image { augmented, ..images[image].clone() });
            }
        }
        if sets.is_empty() {
            return Err(refuse(format!("all of {total} rows have the set `{GALLERY}`: there is no query")));
        }
        if let Some(warning) = check::files(&images)?.warning {
            say(&warning);
        }
        Ok(Self { images, items, sets, gallery })
    }
}

/// The images of a source, and what is to be said about them. Items are numbered from `first`, at most one an image.
fn entries(given: &Path, first: usize) -> Result<(Vec<Entry>, Vec<String>), DataError> {
    let Source { kind, path } = Source::of(given)?;
    let found = match kind {
        Kind::Table => return rows(&path, first),
        Kind::DeepFashion => deepfashion::read(&path, first)?,
        Kind::Folders => Found { images: folders::read(&path, first)?, warnings: Vec::new() },
    };
    let entries = found.images.into_iter().map(|image| {
        let item = image.item;
        (image, Some(item), None)
    });
    let mut entries: Vec<Entry> = entries.collect();
    by_domain(&mut entries);
    Ok((entries, found.warnings))
}

/// The rows of a table.
fn rows(path: &Path, first: usize) -> Result<(Vec<Entry>, Vec<String>), DataError> {
    let rows = table::read(path, &["file", "item"])?;
    let (has_set, has_domain) = rows.first().map_or((false, false), |row| (row.has("set"), row.has("domain")));
    if !has_set && !has_domain {
        let reason = "the table has neither a column `set` nor a column `domain`".to_owned();
        return Err(DataError::Dataset { path: path.to_owned(), reason });
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
        entries.push((Image { region, strata, split, shop, ..Image::new(path) }, item, set));
    }
    if !has_set {
        by_domain(&mut entries);
    }
    Ok((entries, seen.warning().into_iter().collect()))
}

/// Gives images without a set the one that domain and split make.
fn by_domain(entries: &mut [Entry]) {
    let tested = entries.iter().any(|(image, ..)| !image.shop && image.split == Some(Split::Test));
    for (image, _, set) in entries {
        *set = match (image.shop, image.split) {
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

    /// A search in a table with that text beside images that are there.
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
            found.images.iter().map(|image| image.path.file_stem().unwrap().to_str().unwrap()).collect();
        assert_eq!((names, found.gallery), (vec!["b", "d", "e"], vec![0, 1]));
        assert_eq!(found.sets.into_iter().collect::<Vec<_>>(), [("test".into(), vec![2])]);
        let sets = |text: &str| search(text).unwrap().sets.into_keys().collect::<Vec<_>>();
        assert_eq!(sets(&split.replace("test", "val")), ["val"]);
        assert_eq!(sets("file,item,domain\na.bmp,1,shop\nb.bmp,1,consumer\n"), ["consumer"]);
    }

    #[test]
    fn images_to_be_imitated_ask_in_three_ways() {
        let found = search("file,item,set\na.bmp,1,gallery\na.bmp,1,imitated\nb.bmp,2,imitated\n").unwrap();
        assert_eq!(found.sets.values().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
        for (name, images) in &found.sets {
            assert!(name.starts_with("imitated: "), "{name}");
            let augmented = images.iter().map(|&image| found.images[image].augmented.unwrap());
            assert!(augmented.zip(images).all(|(s, &p)| Preset::EVALUATED.contains(&(s.preset, name)) && p > 2));
            assert_eq!(images.iter().map(|&image| found.items[image]).collect::<Vec<_>>(), [Some(0), Some(1)]);
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
            ("file,item,set\na.bmp,1,gallery\nnone.bmp,1,x\n", "1 of 2 images cannot be read"),
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
        assert_eq!((found.images.len(), found.gallery.len(), found.sets["consumer"].len()), (4, 2, 2));
        let boxes = "2\nnames\nimg/s.bmp 1 1 0 0 1 1\nimg/c.bmp 1 2 0 0 1 1\n";
        std::fs::write(both.join("list_bbox_consumer2shop.txt"), boxes).unwrap();
        std::fs::write(both.join("list_eval_partition.txt"), "1\nnames\nimg/c.bmp img/s.bmp id_1 test\n").unwrap();
        let mut folders = std::ffi::OsString::from("folders:");
        folders.push(&both);
        let found = Search::read(&[both, folders.into()]).unwrap();
        assert_eq!((found.images.len(), found.gallery.len()), (6, 3));
        assert_eq!((found.sets["test"].len(), found.sets["consumer"].len()), (1, 2));
        assert!(found.items[0] == found.items[1] && !found.items[2..].contains(&found.items[0]));
    }
}
