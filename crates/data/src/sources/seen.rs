//! Rows of a table that say what an earlier one says, or the opposite.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::dataset::found::Cases;
use crate::error::DataError;
use crate::table::row::Row;

/// What the rows so far say.
#[derive(Debug, Default)]
pub struct Seen {
    /// By file, box and set: what was said, and where.
    images: HashMap<[String; 6], Said>,
    /// By item: its split, and where.
    items: HashMap<String, (String, String)>,
    /// The split of the first row, and where it stands.
    split: Option<(bool, String)>,
    rows: usize,
    again: Cases,
}

/// What a row said.
#[derive(Debug)]
struct Said {
    item: String,
    domain: String,
    position: String,
}

impl Seen {
    /// Whether a row says something new: false for one that repeats an earlier one.
    ///
    /// # Errors
    /// The same image and box are another item's or of another domain, an item stands in two splits, or only some rows
    /// have a split: both lines are named.
    pub fn add(&mut self, row: &Row) -> Result<bool, DataError> {
        self.rows += 1;
        let key = ["file", "left", "top", "width", "height", "set"].map(|column| row.get(column).to_owned());
        let (item, domain) = (row.get("item"), row.get("domain"));
        match self.images.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(Said { item: item.to_owned(), domain: domain.to_owned(), position: row.position() });
            }
            Entry::Occupied(entry) => {
                let said = entry.get();
                for (what, now, before) in [("item", item, &said.item), ("domain", domain, &said.domain)] {
                    if now != before {
                        let file = row.get("file");
                        let reason = format!("gives {file} the {what} `{now}`, {} gives it `{before}`", said.position);
                        return Err(row.refuse(reason));
                    }
                }
                self.again.add(|| row.position());
                return Ok(false);
            }
        }
        self.splits(row)?;
        Ok(true)
    }

    /// Whether the splits are whole, and no item stands in two: what a model has learned says nothing about it.
    fn splits(&mut self, row: &Row) -> Result<(), DataError> {
        let split = row.get("split");
        let (one, position) = self.split.get_or_insert_with(|| (!split.is_empty(), row.position()));
        if *one == split.is_empty() {
            let (now, before) = if *one { ("no", "one") } else { ("a", "none") };
            return Err(row.refuse(format!("has {now} split, {position} has {before}: all rows need one, or none")));
        }
        let item = row.get("item");
        if split.is_empty() || item.is_empty() {
            return Ok(());
        }
        let (before, position) =
            self.items.entry(item.to_owned()).or_insert_with(|| (split.to_owned(), row.position()));
        if before != split {
            return Err(row.refuse(format!("puts the item `{item}` into the split {split}, {position} into {before}")));
        }
        Ok(())
    }

    /// What is to be said about repeated rows.
    pub fn warning(&self) -> Option<String> {
        self.again.told(self.rows, "rows repeat an earlier one and are left out")
    }
}
