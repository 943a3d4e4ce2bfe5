//! `grnet-engine train --show-samples`: what training would see, to be looked at before it runs.

use std::collections::HashSet;
use std::path::Path;

use grnet_data::DataError;
use grnet_data::augment::augmentation::Augmentation;
use grnet_data::augment::sheet::{Row, sheet};
use grnet_data::dataset::image::Image;
use grnet_data::decode::fit::fit;
use grnet_data::output::atomic_file::OutputFile;
use grnet_data::output::print::say;
use grnet_data::sources::training as dataset;
use grnet_features::model_file::ModelFile;
use grnet_image::Limits;
use image::ImageEncoder;
use image::codecs::png::PngEncoder;

use crate::arguments::TrainArgs;
use crate::error::TrainError;

/// Images of a sheet.
const ROWS: usize = 12;

/// Writes a contact sheet of images from all over the data, with augmented images of each.
///
/// # Errors
/// An option, the data or the backbone is not acceptable, no image can be read, or the sheet cannot be written.
pub fn show(args: &TrainArgs, path: &Path) -> Result<(), TrainError> {
    args.check()?;
    let output = OutputFile::create(path)?;
    let bytes = std::fs::read(&args.backbone).map_err(DataError::io(&args.backbone))?;
    let input = ModelFile::parse(&bytes)?.config.input;
    let images = dataset::read(&args.data)?.images;
    let rows = rows(&images, (2 * input.size).min(grnet_image::MAX_SIZE));
    if rows.is_empty() {
        let reason = "none of the images looked at can be read".to_owned();
        return Err(DataError::Dataset { path: args.data[0].clone(), reason }.into());
    }
    let drawn = sheet(&rows, &Augmentation::default(), input.size, fit(input.fit), args.seed);
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&drawn, drawn.width(), drawn.height(), image::ExtendedColorType::Rgb8)
        .map_err(|e| DataError::io(path)(std::io::Error::other(e)))?;
    output.put(&png)?;
    say(&format!("{} images and their augmented copies are in {}; nothing was trained", rows.len(), path.display()));
    Ok(())
}

/// Images spread over the data, each file once; what cannot be read is named and left out.
fn rows(images: &[Image], longest: u32) -> Vec<Row> {
    let mut seen = HashSet::new();
    let files: Vec<&Image> = images.iter().filter(|image| seen.insert(&image.path)).collect();
    let step = (files.len() / ROWS).max(1);
    let picture = |image: &Image| {
        let bytes = std::fs::read(&image.path).map_err(|e| e.to_string())?;
        grnet_image::picture(&bytes, image.region.as_ref(), longest, &Limits::default()).map_err(|e| e.to_string())
    };
    let row = |image: &&Image| match picture(image) {
        Ok(picture) => Some(Row { caption: image.path.display().to_string(), picture }),
        Err(reason) => {
            say(&format!("left out {}: {reason}", image.path.display()));
            None
        }
    };
    files.iter().step_by(step).filter_map(row).take(ROWS).collect()
}
