//! `grnet-engine train --show-samples`: what training would see, to be looked at before it runs.

use std::collections::HashSet;
use std::path::Path;

use grnet_core::model::ModelFile;
use grnet_photo::Limits;
use image::ImageEncoder;
use image::codecs::png::PngEncoder;

use super::arguments::TrainArgs;
use crate::augment::Imitation;
use crate::augment::sheet::{Row, sheet};
use crate::dataset::{self, Photo};
use crate::network::{EngineError, fit};
use crate::output::OutputFile;
use crate::print::say;

/// Photos of a sheet.
const ROWS: usize = 12;

/// Writes a contact sheet of photos from all over the data, with snapshots of each.
///
/// # Errors
/// An option, the data or the backbone is not acceptable, no photo can be read, or the sheet cannot be written.
pub fn show(args: &TrainArgs, path: &Path) -> Result<(), EngineError> {
    args.check()?;
    let output = OutputFile::create(path)?;
    let bytes = std::fs::read(&args.backbone).map_err(EngineError::io(&args.backbone))?;
    let input = ModelFile::parse(&bytes)?.config.input;
    let photos = dataset::read(&args.data)?.photos;
    let rows = rows(&photos, (2 * input.size).min(grnet_photo::MAX_SIZE));
    if rows.is_empty() {
        let reason = "none of the photos looked at can be read".to_owned();
        return Err(EngineError::Dataset { path: args.data[0].clone(), reason });
    }
    let drawn = sheet(&rows, &Imitation::default(), input.size, fit(input.fit), args.seed);
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&drawn, drawn.width(), drawn.height(), image::ExtendedColorType::Rgb8)
        .map_err(|e| EngineError::io(path)(std::io::Error::other(e)))?;
    output.put(&png)?;
    say(&format!("{} photos and their snapshots are in {}; nothing was trained", rows.len(), path.display()));
    Ok(())
}

/// Photos spread over the data, each file once; what cannot be read is named and left out.
fn rows(photos: &[Photo], longest: u32) -> Vec<Row> {
    let mut seen = HashSet::new();
    let files: Vec<&Photo> = photos.iter().filter(|photo| seen.insert(&photo.path)).collect();
    let step = (files.len() / ROWS).max(1);
    let picture = |photo: &Photo| {
        let bytes = std::fs::read(&photo.path).map_err(|e| e.to_string())?;
        grnet_photo::picture(&bytes, photo.region.as_ref(), longest, &Limits::default()).map_err(|e| e.to_string())
    };
    let row = |photo: &&Photo| match picture(photo) {
        Ok(picture) => Some(Row { caption: photo.path.display().to_string(), picture }),
        Err(reason) => {
            say(&format!("left out {}: {reason}", photo.path.display()));
            None
        }
    };
    files.iter().step_by(step).filter_map(row).take(ROWS).collect()
}
