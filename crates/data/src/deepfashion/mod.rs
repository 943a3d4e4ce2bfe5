//! DeepFashion's Consumer-to-Shop benchmark, from its own files.
//!
//! `list_bbox_consumer2shop.txt` has an image's kind of clothes, source (1 shop, 2 consumer) and box (left, top, right,
//! bottom); `list_eval_partition.txt` has pairs of a consumer's and a shop's image with item and split;
//! `list_item_consumer2shop.txt` has the items' names. The layout is the one that the data set's own notes describe, as
//! mmfashion's documentation repeats them.

mod list;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use grnet_image::Region;
use list::List;

use crate::dataset::found::{Cases, Found};
use crate::dataset::image::{Image, Split};
use crate::error::DataError;

/// Reads the benchmark: every image that is part of a pair. Items are numbered from `first`.
///
/// # Errors
/// A list is missing or not as described, an image or item is in two splits, an image has two items, or an item is not
/// listed; the line is named.
pub fn read(folder: &Path, first: usize) -> Result<Found, DataError> {
    let boxes = List::read(&find(folder, &["Anno"], &["list_bbox_consumer2shop.txt"])?, true)?;
    let pairs = List::read(&find(folder, &["Eval", "Anno"], &["list_eval_partition.txt"])?, true)?;
    let listed = ["list_item_consumer2shop.txt", "list_items_consumer2shop.txt"];
    let listed = find(folder, &["Anno"], &listed).ok().map(|path| List::read(&path, false)).transpose()?;
    let promises = [boxes.warning(), pairs.warning(), listed.as_ref().and_then(List::warning)];
    let mut images = Images::default();
    images.boxes(&boxes)?;
    images.pairs(&pairs, listed.as_ref(), first)?;
    let found = images.found(folder);
    Ok(Found { warnings: promises.into_iter().flatten().chain(found.warnings).collect(), ..found })
}

/// What the lists say of the images.
#[derive(Debug, Default)]
struct Images<'a> {
    /// In order of appearance.
    images: Vec<(&'a str, Entry)>,
    /// Their positions.
    positions: HashMap<&'a str, usize>,
    /// Images whose box is missing or empty.
    boxless: Cases,
    /// Lines that give an image a second box.
    again: Cases,
}

/// What the lists say of an image.
#[derive(Debug)]
struct Entry {
    region: Option<Region>,
    shop: bool,
    /// Item and split, and the line that first said so.
    pair: Option<(usize, Split, usize)>,
}

impl<'a> Images<'a> {
    /// Takes in the list of boxes.
    fn boxes(&mut self, list: &'a List<7>) -> Result<(), DataError> {
        for (line, [name, _, source, corners @ ..]) in &list.rows {
            let shop = match &**source {
                "1" => true,
                "2" => false,
                other => {
                    let what = format!("has the source `{other}`, known are 1 (shop) and 2 (consumer)");
                    return Err(list.refuse(*line, what));
                }
            };
            let region = region(corners)
                .map_err(|got| list.refuse(*line, format!("has the box `{got}`, needed are four numbers")))?;
            if self.positions.contains_key(&**name) {
                self.again.add(|| format!("line {line}"));
                continue;
            }
            if region.is_none() {
                self.boxless.add(|| name.clone());
            }
            self.add(name, region, shop);
        }
        Ok(())
    }

    /// Takes in the list of pairs.
    fn pairs(&mut self, list: &'a List<4>, listed: Option<&List<1>>, first: usize) -> Result<(), DataError> {
        let listed: Option<HashSet<&str>> = listed.map(|list| list.rows.iter().map(|(_, [item])| &**item).collect());
        let mut items = HashMap::new();
        for (line, [consumer, shop, item, status]) in &list.rows {
            let refuse = |what| Err(list.refuse(*line, what));
            let Some(split) = Split::of(status) else {
                return refuse(format!("has the split `{status}`, known are train, val and test"));
            };
            if listed.as_ref().is_some_and(|listed| !listed.contains(&**item)) {
                return refuse(format!("names the item {item}, which is not in the list of items"));
            }
            let next = first + items.len();
            let (number, before, at) = *items.entry(&**item).or_insert((next, split, *line));
            if before != split {
                return refuse(format!("puts the item {item} into the split {split}, line {at} into {before}"));
            }
            for (name, shop) in [(consumer, false), (shop, true)] {
                let index = match self.positions.get(&**name) {
                    Some(&index) => index,
                    None => {
                        self.boxless.add(|| name.clone());
                        self.add(name, None, shop)
                    }
                };
                let (before, _, at) = *self.images[index].1.pair.get_or_insert((number, split, *line));
                if before != number {
                    return refuse(format!("gives {name} the item {item}, line {at} gives it another"));
                }
            }
        }
        Ok(())
    }

    /// Adds an image; its position.
    fn add(&mut self, name: &'a str, region: Option<Region>, shop: bool) -> usize {
        self.positions.insert(name, self.images.len());
        self.images.push((name, Entry { region, shop, pair: None }));
        self.images.len() - 1
    }

    /// The images of pairs as images.
    fn found(self, folder: &Path) -> Found {
        let sample: Vec<&str> = self.images.iter().map(|(name, _)| *name).take(SAMPLE).collect();
        let root = root(folder, &sample);
        let total = self.images.len();
        let (mut images, mut unpaired) = (Vec::with_capacity(total), Cases::default());
        for (name, Entry { region, shop, pair }) in self.images {
            match pair {
                Some((item, split, _)) => {
                    images.push(Image { region, item, shop, split: Some(split), ..Image::new(root.join(name)) });
                }
                None => unpaired.add(|| name.to_owned()),
            }
        }
        let warnings = [
            self.again.told(total, "images have a second box, which is left out"),
            self.boxless.told(total, "images have no box and are taken whole"),
            unpaired.told(total, "images are in no pair and are left out"),
        ];
        Found { images, warnings: warnings.into_iter().flatten().collect() }
    }
}

/// Images that are looked for to find out what the names are relative to.
const SAMPLE: usize = 100;

/// The first of these files: in one of the folders, or in the dataset's folder itself.
fn find(folder: &Path, inside: &[&str], names: &[&str]) -> Result<PathBuf, DataError> {
    let folders = inside.iter().map(|inner| folder.join(inner)).chain([folder.to_owned()]);
    let mut files = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    files.find(|path| path.is_file()).ok_or_else(|| {
        let reason = format!("there is no {}/{} in it", inside[0], names[0]);
        DataError::Dataset { path: folder.to_owned(), reason }
    })
}

/// Where the images' names begin: they say `img/...`, and `img` lies in the dataset's folder or in `Img`, where its
/// archive is unpacked.
fn root(folder: &Path, names: &[&str]) -> PathBuf {
    let inner = folder.join("Img");
    let there = |root: &Path| names.iter().any(|name| root.join(name).is_file());
    if !there(folder) && there(&inner) { inner } else { folder.to_owned() }
}

/// A box of corners; none where it is empty.
fn region(corners: &[String; 4]) -> Result<Option<Region>, String> {
    let numbers = corners.each_ref().map(|text| text.parse().unwrap_or(f64::NAN));
    if !numbers.iter().all(|number| number.is_finite()) {
        return Err(corners.join(" "));
    }
    let [left, top, right, bottom] = numbers;
    let (width, height) = (right - left, bottom - top);
    Ok((width > 0.0 && height > 0.0).then_some(Region { left, top, width, height }))
}

#[cfg(test)]
mod tests;
