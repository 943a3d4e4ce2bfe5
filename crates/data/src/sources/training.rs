//! The images of a training.

use std::path::PathBuf;

use crate::dataset::found::Found;
use crate::dataset::image::{Image, Split};
use crate::deepfashion;
use crate::error::DataError;
use crate::output::print::say;
use crate::sources::source::{Kind, Source};
use crate::sources::{annotated, check, folders};

/// Images of a training.
#[derive(Debug)]
pub struct Dataset {
    /// Those whose header can be read. Whether their pixels can only decoding tells.
    pub images: Vec<Image>,
    /// How many others there are.
    pub unreadable: usize,
}

/// Reads all sources for a training: folders and tables, each with its kind before it (`table:images.csv`) or as what
/// is found there. Images of the split `test` are none of them. Items are numbered in order of appearance. Images that
/// are missing, or none by their headers, are left out. What is left out is counted on the standard error stream.
///
/// # Errors
/// A source or table cannot be read or contradicts itself, holds no image or none to learn from, or more than one image
/// in ten is missing or none.
pub fn read(sources: &[PathBuf]) -> Result<Dataset, DataError> {
    let mut images: Vec<Image> = Vec::new();
    for (source, given) in sources.iter().enumerate() {
        let first = images.iter().map(|image| image.item + 1).max().unwrap_or(0);
        let Source { kind, path } = Source::of(given)?;
        let found = match kind {
            Kind::Table => annotated::read(&path, first)?,
            Kind::DeepFashion => deepfashion::read(&path, first)?,
            Kind::Folders => Found { images: folders::read(&path, first)?, warnings: Vec::new() },
        };
        if found.images.is_empty() {
            return Err(DataError::Dataset { path, reason: "there is no image in it".to_owned() });
        }
        found.warnings.iter().for_each(|warning| say(&format!("{}: {warning}", path.display())));
        images.extend(found.images.into_iter().map(|image| Image { source, ..image }));
    }
    learnable(sources, &images)?;
    images.retain(|image| image.split != Some(Split::Test));
    let bad = check::files(&images)?;
    if let Some(warning) = bad.warning {
        say(&warning);
    }
    let all = images.len();
    images.retain(|image| !bad.files.contains(&image.path));
    Ok(Dataset { unreadable: all - images.len(), images })
}

/// Refuses data whose splits leave nothing to learn from.
fn learnable(sources: &[PathBuf], images: &[Image]) -> Result<(), DataError> {
    if images.iter().any(|image| matches!(image.split, None | Some(Split::Train))) {
        return Ok(());
    }
    let count = |split| images.iter().filter(|image| image.split == Some(split)).count();
    let reason = format!(
        "{} images are of the split val and {} of test, none is of train: there is nothing to learn from",
        count(Split::Val),
        count(Split::Test)
    );
    Err(DataError::Dataset { path: sources.first().cloned().unwrap_or_default(), reason })
}
