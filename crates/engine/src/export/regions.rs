//! Regions of photos as one array, and a table that says whose they are.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use grnet_core::features::{Dtype, HEADER};
use grnet_core::model::ModelFile;
use grnet_core::pyramid;

use super::npy;
use crate::cli::Compute;
use crate::embed::{MAX_BYTES, MAX_PIXELS, Pipeline};
use crate::network::{Embedder, EngineError, share_cores};
use crate::output::OutputFile;
use crate::serve::photos::PhotoDecoder;
use crate::serve::work::{PhotoLimits, Shape};

/// Writes `features.npy`, `[n, M, C]` as the network gives them, and `features.csv` with the file of each row.
///
/// # Errors
/// The model or the device cannot be used, a photo cannot be read, or a file cannot be written.
pub fn write(
    folder: &Path,
    photos: &[PathBuf],
    model: &ModelFile<'_>,
    compute: &Compute,
) -> Result<[OutputFile; 2], EngineError> {
    let threads = compute.threads();
    share_cores(threads);
    let mut embedder = Embedder::load(model, compute.device, compute.precision)?;
    let shape = Shape::of(&model.config);
    let path = folder.join("features.npy");
    let mut array = npy::create(&path, &[photos.len(), pyramid::regions(&shape.grids), shape.channels])?;
    let table = folder.join("features.csv");
    let (mut rows, named) = (csv::Writer::from_writer(OutputFile::create(&table)?), EngineError::io(&table));
    let written = |rows: &mut csv::Writer<OutputFile>, row: [&str; 2]| {
        rows.write_record(row).map_err(|error| EngineError::io(&table)(io::Error::other(error)))
    };
    written(&mut rows, ["row", "file"])?;
    let pipeline = Pipeline {
        files: photos,
        shape: &shape,
        model: model.id,
        // Little-endian, row-major: a value without its header is the array's next row.
        numbers: Dtype::F32,
        limits: PhotoLimits { max_bytes: MAX_BYTES, max_pixels: MAX_PIXELS },
        threads,
        batch: compute.max_batch.into(),
    };
    let mut count = 0;
    pipeline.run(&PhotoDecoder::default(), &mut embedder, |photo, result| {
        // The array's length stands before its rows: no photo can be left out.
        let value = result.map_err(|reason| EngineError::Export { path: photo.to_owned(), reason })?;
        array.write_all(&value[HEADER..]).map_err(EngineError::io(&path))?;
        written(&mut rows, [&count.to_string(), &photo.to_string_lossy()])?;
        count += 1;
        Ok(true)
    })?;
    let rows = rows.into_inner().map_err(|error| named(io::Error::other(error.to_string())))?;
    Ok([array, rows])
}
