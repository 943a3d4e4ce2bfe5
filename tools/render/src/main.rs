//! Writes a catalogue of drawn garments to disk, or a contact sheet of it.

use clap::{Parser, ValueEnum};
use grnet_render::{Catalogue, Difficulty, Photo, contact_sheet};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Draw garments from a seed: shop and consumer photos with annotations.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Write photos/ and annotations.csv into this directory.
    #[arg(long, value_name = "DIR", required_unless_present = "sheet")]
    out: Option<PathBuf>,
    /// Draw a contact sheet into this file (.png or .jpg).
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// Number of items.
    #[arg(long, default_value_t = 24)]
    items: u64,
    /// Consumer photos of each item.
    #[arg(long, default_value_t = 4)]
    consumer: u64,
    /// Seed of the catalogue.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Longer side of a photo in pixels.
    #[arg(long, default_value_t = 320, value_parser = clap::value_parser!(u32).range(64..=2048))]
    size: u32,
    /// Threads; 0 means one a processor.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// How hard the consumer photos are.
    #[arg(long, value_enum, default_value_t = Hardness::Mixed)]
    difficulty: Hardness,
}

/// The strata of FindFashion.
#[derive(Clone, Copy, ValueEnum)]
enum Hardness {
    Easy,
    HardView,
    HardOcclusion,
    HardCropping,
    Mixed,
}

impl From<Hardness> for Difficulty {
    fn from(value: Hardness) -> Self {
        match value {
            Hardness::Easy => Self::Easy,
            Hardness::HardView => Self::HardView,
            Hardness::HardOcclusion => Self::HardOcclusion,
            Hardness::HardCropping => Self::HardCropping,
            Hardness::Mixed => Self::Mixed,
        }
    }
}

/// Why the program stops.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, #[source] std::io::Error),
    #[error(transparent)]
    Encode(#[from] grnet_render::EncodeError),
    #[error("cannot write the sheet: {0}")]
    Save(#[from] image::ImageError),
    #[error(transparent)]
    Sheet(#[from] grnet_render::SheetError),
}

fn main() -> std::process::ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("grnet-render: {failure}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let catalogue = Catalogue::new(arguments.seed);
    if let Some(file) = &arguments.sheet {
        let bar = Bar::new(arguments.items);
        let image =
            contact_sheet(&catalogue, arguments.items, arguments.consumer, arguments.difficulty.into(), |_| {
                bar.step()
            })?;
        image.save(file)?;
    }
    match &arguments.out {
        Some(out) => write(arguments, &catalogue, out),
        None => Ok(()),
    }
}

/// A progress bar that only shows up when the work takes longer than two seconds.
struct Bar {
    bar: ProgressBar,
    start: Instant,
}

impl Bar {
    fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} items, {eta} left") {
            bar.set_style(style);
        }
        Self { bar, start: Instant::now() }
    }

    fn step(&self) {
        if self.bar.is_hidden() && self.start.elapsed() > Duration::from_secs(2) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn write(arguments: &Arguments, catalogue: &Catalogue, out: &Path) -> Result<(), Failure> {
    let photos = out.join("photos");
    fs::create_dir_all(&photos).map_err(|error| Failure::Write(photos.clone(), error))?;
    let threads = match arguments.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    };
    let start = Instant::now();
    let next = AtomicU64::new(0);
    let bar = Bar::new(arguments.items);
    let worker = || -> Result<Vec<(u64, String)>, Failure> {
        let mut rows = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.items {
                return Ok(rows);
            }
            rows.push((number, item(arguments, catalogue, &photos, number)?));
            bar.step();
        }
    };
    let mut rows = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        let mut rows = Vec::new();
        for worker in workers {
            match worker.join() {
                Ok(part) => rows.extend(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, Failure>(rows)
    })?;
    rows.sort_by_key(|row| row.0);
    drop(bar);
    let file = out.join("annotations.csv");
    let save = || -> std::io::Result<()> {
        let mut csv = BufWriter::new(File::create(&file)?);
        writeln!(csv, "file,item,domain,kind,left,top,width,height,view,occlusion,cropping")?;
        for (_, lines) in &rows {
            csv.write_all(lines.as_bytes())?;
        }
        csv.flush()
    };
    save().map_err(|error| Failure::Write(file.clone(), error))?;
    let count = arguments.items * (arguments.consumer + 1);
    let seconds = start.elapsed().as_secs_f64();
    eprintln!("{count} photos in {seconds:.1} s ({:.0}/s)", count as f64 / seconds.max(1e-9));
    Ok(())
}

/// Draws all photos of one item; returns its lines of annotations.csv.
fn item(arguments: &Arguments, catalogue: &Catalogue, photos: &Path, number: u64) -> Result<String, Failure> {
    let item = catalogue.item(number);
    let mut lines = save(photos, &item.shop_photo(0, arguments.size), 0)?;
    for variant in 0..arguments.consumer {
        let photo = item.consumer_photo(variant, arguments.difficulty.into(), arguments.size);
        lines.push_str(&save(photos, &photo, variant)?);
    }
    Ok(lines)
}

fn save(photos: &Path, photo: &Photo, index: u64) -> Result<String, Failure> {
    let note = &photo.annotation;
    let name = format!("{}_{}_{index}.jpg", note.item, note.domain);
    let path = photos.join(&name);
    fs::write(&path, photo.jpeg(note.quality)?).map_err(|error| Failure::Write(path, error))?;
    let b = note.bounds;
    Ok(format!(
        "photos/{name},{},{},{},{},{},{},{},{},{},{}\n",
        note.item,
        note.domain,
        note.kind,
        b.left,
        b.top,
        b.width,
        b.height,
        note.view,
        note.occlusion_level(),
        note.cropping_level()
    ))
}
