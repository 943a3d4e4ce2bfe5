//! The images of an evaluation: who asks, and what is searched.

use std::collections::HashSet;
use std::path::PathBuf;

use grnet_data::DataError;
use grnet_data::sources::search::Search;

use crate::error::EvalError;

/// What is searched and asked, and where that is written.
#[derive(Debug)]
pub struct Tables {
    /// Images, items, gallery and sets.
    pub search: Search,
    /// The first table, to be named in errors.
    path: PathBuf,
}

/// The queries of one set that count, and the counts of those that do not.
#[derive(Debug)]
pub struct QuerySet {
    /// Images.
    pub queries: Vec<usize>,
    /// Their items, in the same order.
    pub items: Vec<usize>,
    /// Images that cannot be read.
    pub unreadable: usize,
    /// Readable images without an item.
    pub without_item: usize,
}

impl Tables {
    /// Reads all tables.
    ///
    /// # Errors
    /// As [`Search::read`].
    pub fn read(paths: &[PathBuf]) -> Result<Self, EvalError> {
        Ok(Self { search: Search::read(paths)?, path: paths.first().cloned().unwrap_or_default() })
    }

    /// The gallery's images that can be read.
    ///
    /// # Errors
    /// There is none.
    pub fn searched(&self, unreadable: &HashSet<usize>) -> Result<Vec<usize>, EvalError> {
        let searched = readable(&self.search.gallery, unreadable);
        if searched.is_empty() {
            return Err(self
                .refuse(format!("none of the {} images of the set `gallery` can be read", self.search.gallery.len())));
        }
        Ok(searched)
    }

    /// A set's queries.
    ///
    /// # Errors
    /// There is none.
    pub fn asked(&self, set: &str, unreadable: &HashSet<usize>) -> Result<QuerySet, EvalError> {
        let all = self.search.sets.get(set).map_or(&[][..], Vec::as_slice);
        let known = readable(all, unreadable);
        // One list for both: a query and its item stay at the same place.
        let (queries, items): (Vec<usize>, Vec<usize>) =
            known.iter().filter_map(|&image| Some((image, self.search.items[image]?))).unzip();
        if queries.is_empty() {
            let count = all.len();
            return Err(
                self.refuse(format!("none of the {count} images of the set `{set}` can be read and has an item"))
            );
        }
        Ok(QuerySet { unreadable: all.len() - known.len(), without_item: known.len() - queries.len(), queries, items })
    }

    fn refuse(&self, reason: String) -> EvalError {
        DataError::Dataset { path: self.path.clone(), reason }.into()
    }
}

fn readable(images: &[usize], unreadable: &HashSet<usize>) -> Vec<usize> {
    images.iter().copied().filter(|image| !unreadable.contains(image)).collect()
}
