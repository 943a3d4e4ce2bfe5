//! Every photo's map, computed once.

use std::collections::HashMap;
use std::path::Path;

use grnet_core::config::{Fit, Input};
use grnet_core::model::ModelId;
use grnet_photo::{Limits, Region};
use indicatif::{ProgressBar, ProgressStyle};
use tch::{Kind, Tensor};

use super::dataset::Photo;
use super::imitate::Snapshot;
use crate::network::{Embedder, EngineError};

/// Photos per call of the backbone.
const BATCH: usize = 8;

/// Maps of photos, f16 on the CPU: 125 kB a photo for 7 × 7 cells of 1,280 channels.
#[derive(Debug)]
pub struct Maps {
    /// `[n, h·w, Cb]`.
    pub cells: Tensor,
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
    /// Positions (in the list given) of photos that could not be read.
    pub unreadable: Vec<usize>,
}

/// [`maps`], or what an earlier call left in `folder` for the same backbone and list of photos. Files are taken to be
/// unchanged as long as their names are.
///
/// # Errors
/// As [`maps`], and where the folder cannot be written.
pub fn kept_maps(embedder: &Embedder, photos: &[Photo], folder: Option<&Path>) -> Result<Maps, EngineError> {
    let Some(folder) = folder else { return maps(embedder, photos) };
    let list = photos.iter().map(|p| format!("{} {:?} {:?}\n", p.path.display(), p.region, p.snapshot));
    let name = ModelId::of(format!("{}\n{}", embedder.backbone_id(), list.collect::<String>()).as_bytes());
    let path = folder.join(format!("maps-{name}.safetensors"));
    if path.is_file() {
        let mut tensors: HashMap<String, Tensor> = Tensor::read_safetensors(&path)?.into_iter().collect();
        if let (Some(cells), Some(facts)) = (tensors.remove("cells"), tensors.remove("facts")) {
            let facts = Vec::<i64>::try_from(facts)?;
            if let [height, width, unreadable @ ..] = &facts[..] {
                let unreadable = unreadable.iter().map(|&n| n as usize).collect();
                return Ok(Maps { cells, height: *height as usize, width: *width as usize, unreadable });
            }
        }
    }
    let maps = maps(embedder, photos)?;
    std::fs::create_dir_all(folder).map_err(EngineError::io(folder))?;
    let facts: Vec<i64> = [maps.height, maps.width].iter().chain(&maps.unreadable).map(|&n| n as i64).collect();
    // Under another name first: a killed run leaves no half of a cache.
    let unfinished = path.with_extension("unfinished");
    Tensor::write_safetensors(&[("cells", &maps.cells), ("facts", &Tensor::f_from_slice(&facts)?)], &unfinished)?;
    std::fs::rename(&unfinished, &path).map_err(EngineError::io(&path))?;
    Ok(maps)
}

/// Runs every photo through the backbone. A photo that cannot be read has a map of zeros and is listed; the first ten
/// are named on standard error.
///
/// # Errors
/// What the network refuses, or more than one photo in ten cannot be read.
pub fn maps(embedder: &Embedder, photos: &[Photo]) -> Result<Maps, EngineError> {
    let input = &embedder.config().input;
    let bar = progress(photos.len() as u64, "photos");
    let mut parts = Vec::new();
    let mut unreadable = Vec::new();
    let mut shape = (0, 0);
    for (chunk, batch) in photos.chunks(BATCH).enumerate() {
        let mut pixels = Vec::with_capacity(batch.len());
        for (index, photo) in batch.iter().enumerate() {
            pixels.push(prepare(photo, input).unwrap_or_else(|reason| {
                if unreadable.len() < 10 {
                    bar.suspend(|| eprintln!("left out {}: {reason}", photo.path.display()));
                }
                unreadable.push(chunk * BATCH + index);
                vec![255; (input.size * input.size * 3) as usize]
            }));
        }
        let map = embedder.map(&pixels.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        let (n, channels, height, width) = map.size4()?;
        shape = (height as usize, width as usize);
        let cells = map.f_permute([0, 2, 3, 1])?.f_reshape([n, height * width, channels])?;
        parts.push(cells.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Half)?);
        bar.inc(n as u64);
    }
    bar.finish_and_clear();
    if unreadable.len() * 10 > photos.len() {
        let path = photos[unreadable[0]].path.clone();
        let reason = format!("{} of {} photos cannot be read, this is the first", unreadable.len(), photos.len());
        return Err(EngineError::Dataset { path, reason });
    }
    Ok(Maps { cells: Tensor::f_cat(&parts, 0)?, height: shape.0, width: shape.1, unreadable })
}

/// A photo's pixels at the network's size.
fn prepare(photo: &Photo, input: &Input) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(&photo.path).map_err(|e| e.to_string())?;
    let limits = Limits::default();
    let fit = match input.fit {
        Fit::Letterbox => grnet_photo::Fit::Letterbox,
        Fit::Stretch => grnet_photo::Fit::Stretch,
    };
    let mut snapshot = photo.snapshot.map(Snapshot::new);
    let mut region = photo.region;
    if let Some(snapshot) = &mut snapshot {
        let header = grnet_photo::probe(&bytes, &limits).map_err(|e| e.to_string())?;
        let (width, height) = (f64::from(header.width), f64::from(header.height));
        region = Some(snapshot.crop(region.unwrap_or(Region { left: 0.0, top: 0.0, width, height })));
    }
    let prepared =
        grnet_photo::prepare(&bytes, region.as_ref(), fit, input.size, &limits).map_err(|e| e.to_string())?;
    let mut pixels = prepared.pixels;
    if let Some(snapshot) = &mut snapshot {
        snapshot.pixels(&mut pixels, input.size as usize);
    }
    Ok(pixels)
}

/// A progress bar on standard error with time left and a message.
pub fn progress(total: u64, what: &str) -> ProgressBar {
    let style = format!("{{bar:30}} {{pos}}/{{len}} {what} {{elapsed}} (+{{eta}}) {{msg}}");
    let bar = ProgressBar::new(total);
    bar.set_style(ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
