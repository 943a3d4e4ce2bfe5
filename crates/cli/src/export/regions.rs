//! Regions of images as one array, and a table that says whose they are.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use grnet_data::DataError;
use grnet_data::decode::decoder::ImageDecoder;
use grnet_data::output::atomic_file::OutputFile;
use grnet_features::model_file::ModelFile;
use grnet_features::pyramid;
use grnet_features::value::{Dtype, HEADER};
use grnet_image::Limits;
use grnet_nn::compute::Compute;
use grnet_nn::device::share_cores;
use grnet_nn::embedder::Embedder;
use grnet_nn::shape::ModelShape;

use crate::error::CliError;
use crate::export::npy;
use crate::pipeline::{MAX_BYTES, MAX_PIXELS, Pipeline};

/// Writes `features.npy`, `[n, M, C]` as the network gives them, and `features.csv` with the file of each row.
///
/// # Errors
/// The model or the device cannot be used, an image cannot be read, or a file cannot be written.
pub fn write(
    folder: &Path,
    images: &[PathBuf],
    model: &ModelFile<'_>,
    compute: &Compute,
) -> Result<[OutputFile; 2], CliError> {
    let threads = compute.threads();
    share_cores(threads);
    let mut embedder = Embedder::load(model, compute.device, compute.precision)?;
    let shape = ModelShape::of(&model.config);
    let path = folder.join("features.npy");
    let mut array = npy::create(&path, &[images.len(), pyramid::regions(&shape.grids), shape.channels])?;
    let table = folder.join("features.csv");
    let (mut rows, named) = (csv::Writer::from_writer(OutputFile::create(&table)?), DataError::io(&table));
    let written = |rows: &mut csv::Writer<OutputFile>, row: [&str; 2]| {
        rows.write_record(row).map_err(|error| DataError::io(&table)(io::Error::other(error)))
    };
    written(&mut rows, ["row", "file"])?;
    let pipeline = Pipeline {
        files: images,
        shape: &shape,
        model: model.id,
        // Little-endian, row-major: a value without its header is the array's next row.
        dtype: Dtype::F32,
        limits: Limits { max_bytes: MAX_BYTES, max_pixels: MAX_PIXELS },
        threads,
        batch: compute.max_batch.into(),
    };
    let mut count = 0;
    pipeline.run(&ImageDecoder::default(), &mut embedder, |image, result| {
        // The array's length stands before its rows: no image can be left out.
        let value = result.map_err(|reason| CliError::Export { path: image.to_owned(), reason })?;
        array.write_all(&value[HEADER..]).map_err(DataError::io(&path))?;
        written(&mut rows, [&count.to_string(), &image.to_string_lossy()])?;
        count += 1;
        Ok(true)
    })?;
    let rows = rows.into_inner().map_err(|error| named(io::Error::other(error.to_string())))?;
    Ok([array, rows])
}
