//! A row of a table, and what its columns mean.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grnet_image::Region;

use crate::dataset::image::Split;
use crate::dataset::strata::Strata;
use crate::error::DataError;

/// Columns that a table of images may have; docs/training.md says what they mean.
pub(super) const COLUMNS: [&str; 12] =
    ["file", "item", "domain", "left", "top", "width", "height", "view", "occlusion", "cropping", "split", "set"];

/// What all rows of a table share.
#[derive(Debug)]
pub(super) struct Header {
    table: PathBuf,
    /// How its rows are counted: by `line` or by `row`.
    unit: &'static str,
    columns: HashMap<String, usize>,
}

impl Header {
    /// A header with these columns.
    ///
    /// # Errors
    /// A column that is there twice, or a `needed` one that is not there.
    pub(super) fn new(
        table: &Path,
        unit: &'static str,
        names: impl IntoIterator<Item = String>,
        needed: &[&str],
    ) -> Result<Self, DataError> {
        let mut columns = HashMap::new();
        for (index, name) in names.into_iter().enumerate() {
            if let Some(twice) = columns.insert(name.clone(), index).map(|_| name).filter(|name| !name.is_empty()) {
                return Err(refuse(table, format!("the table has the column `{twice}` twice")));
            }
        }
        if let Some(name) = needed.iter().find(|&&name| !columns.contains_key(name)) {
            return Err(refuse(table, format!("the table has no column `{name}`")));
        }
        Ok(Self { table: table.to_owned(), unit, columns })
    }
}

/// An error of a whole table.
pub(super) fn refuse(table: &Path, reason: String) -> DataError {
    DataError::Dataset { path: table.to_owned(), reason }
}

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    header: Arc<Header>,
    values: Vec<String>,
    number: usize,
}

impl Row {
    pub(super) fn new(header: &Arc<Header>, values: Vec<String>, number: usize) -> Self {
        Self { header: header.clone(), values, number }
    }

    /// The value of a column; empty where the table has no such column.
    pub fn get(&self, column: &str) -> &str {
        let index = self.header.columns.get(column);
        index.and_then(|&index| self.values.get(index)).map_or("", String::as_str)
    }

    /// Whether the table has a column.
    pub fn has(&self, column: &str) -> bool {
        self.header.columns.contains_key(column)
    }

    /// Where it stands: `line 7`, or in Parquet `row 6`, both counted from 1.
    pub fn position(&self) -> String {
        format!("{} {}", self.header.unit, self.number)
    }

    /// The image's file, relative to the table's folder.
    ///
    /// # Errors
    /// There is none; the line is named.
    pub fn file(&self) -> Result<&str, DataError> {
        match self.get("file") {
            "" => Err(self.refuse("has no file".to_owned())),
            file => Ok(file),
        }
    }

    /// Whether the image is a shop's.
    ///
    /// # Errors
    /// Another domain than `shop` and `consumer`; the line is named.
    pub fn shop(&self) -> Result<bool, DataError> {
        match self.get("domain") {
            "shop" => Ok(true),
            "consumer" => Ok(false),
            other => Err(self.refuse(format!("has the domain `{other}`, known are shop and consumer"))),
        }
    }

    /// The garment's box: `left`, `top`, `width` and `height`, all or none of them.
    ///
    /// # Errors
    /// Half of a box, or one that is none; the line is named.
    pub fn region(&self) -> Result<Option<Region>, DataError> {
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
    pub fn strata(&self) -> Result<Strata, DataError> {
        let [view, occlusion, cropping] = ["view", "occlusion", "cropping"].map(|column| self.get(column));
        Strata::of(view, occlusion, cropping).map_err(|reason| self.refuse(reason))
    }

    /// What the image is there for, where the table says so.
    ///
    /// # Errors
    /// A value that is none of the known; the line is named.
    pub fn split(&self) -> Result<Option<Split>, DataError> {
        match self.get("split") {
            "" => Ok(None),
            word => match Split::of(word) {
                Some(split) => Ok(Some(split)),
                None => Err(self.refuse(format!("has the split `{word}`, known are train, val and test"))),
            },
        }
    }

    /// An error of this row.
    pub fn refuse(&self, what: String) -> DataError {
        refuse(&self.header.table, format!("{} {what}", self.position()))
    }
}
