//! Where features go: a line of JSON an image, one safetensors file, or a Parquet table.

use std::collections::HashMap;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use grnet_data::DataError;
use grnet_data::output::atomic_file::OutputFile;
use grnet_data::output::print::heard;
use grnet_features::model_file::ModelFile;
use grnet_features::pyramid;
use grnet_features::value::{self, Dtype as FeatureDtype, Features, HEADER};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use crate::embed::parquet::Table;
use crate::error::CliError;

/// An output being written.
pub struct Output {
    count: usize,
    kind: Kind,
}

enum Kind {
    Printed(BufWriter<Stdout>),
    Lines(OutputFile),
    Tensors(Tensors),
    Table(Box<Table>),
}

struct Tensors {
    out: OutputFile,
    config: String,
    model: String,
    shape: [usize; 2],
    files: Vec<String>,
    digests: Vec<u8>,
    dtype: FeatureDtype,
    /// Of i8 alone: an f32 for each region.
    scales: Vec<u8>,
    values: Vec<u8>,
}

impl Output {
    /// Opens `out`, whose ending decides the form, or `parquet`, a table whatever it ends in; without one of them the
    /// standard output.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(
        out: Option<&Path>,
        parquet: Option<&Path>,
        model: &ModelFile<'_>,
        dtype: FeatureDtype,
    ) -> Result<Self, CliError> {
        let config = &model.config;
        let ends = |path: &Path, ending: &str| path.extension().is_some_and(|e| e == ending);
        let table = parquet.or(out.filter(|path| ends(path, "parquet")));
        let kind = match table.or(out) {
            Some(path) if table.is_some() => Kind::Table(Box::new(Table::create(path, model, dtype)?)),
            Some(path) if ends(path, "safetensors") => Kind::Tensors(Tensors {
                out: OutputFile::create(path)?,
                config: serde_json::to_string(config)
                    .map_err(|error| grnet_features::error::ModelError::Json(error.to_string()))?,
                model: model.id.to_string(),
                shape: [pyramid::regions(&config.pyramid.grids), config.channels],
                files: Vec::new(),
                digests: Vec::new(),
                dtype,
                scales: Vec::new(),
                values: Vec::new(),
            }),
            Some(path) => Kind::Lines(OutputFile::create(path)?),
            None => Kind::Printed(BufWriter::new(io::stdout())),
        };
        Ok(Self { count: 0, kind })
    }

    /// Images written.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Adds an image's feature value; false where nobody reads the standard output any more.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn add(&mut self, file: &Path, value: &[u8]) -> Result<bool, CliError> {
        let name = file.to_string_lossy().into_owned();
        // Our own value: it parses.
        let digest = Features::parse(value).map(|f| f.digest().0).unwrap_or_default();
        let hex = || digest.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let line = || json!({ "file": name, "digest": hex(), "features": value::to_text(value) });
        match &mut self.kind {
            Kind::Printed(out) => {
                if !heard(writeln!(out, "{}", line())).map_err(DataError::io("standard output"))? {
                    return Ok(false);
                }
            }
            Kind::Lines(out) => {
                let written = writeln!(out, "{}", line());
                written.map_err(DataError::io(out.path()))?;
            }
            Kind::Tensors(tensors) => {
                tensors.files.push(name);
                tensors.digests.extend(digest);
                let scales = if tensors.dtype == FeatureDtype::I8 { 4 * tensors.shape[0] } else { 0 };
                let (scales, values) = value[HEADER..].split_at(scales);
                tensors.scales.extend(scales);
                tensors.values.extend(values);
            }
            Kind::Table(table) => table.add(name, hex(), value)?,
        }
        self.count += 1;
        Ok(true)
    }

    /// Writes what is left; false as for [`add`](Self::add).
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn finish(self) -> Result<bool, CliError> {
        match self.kind {
            Kind::Printed(mut out) => return Ok(heard(out.flush()).map_err(DataError::io("standard output"))?),
            Kind::Lines(out) => out.finish()?,
            Kind::Tensors(tensors) => tensors.write(self.count)?,
            Kind::Table(table) => table.finish()?,
        }
        Ok(true)
    }
}

impl Tensors {
    fn write(self, count: usize) -> Result<(), CliError> {
        let container =
            |error: safetensors::SafeTensorError| grnet_features::error::ModelError::Container(error.to_string());
        let [regions, channels] = self.shape;
        let kind = match self.dtype {
            FeatureDtype::F32 => Dtype::F32,
            FeatureDtype::F16 => Dtype::F16,
            FeatureDtype::I8 => Dtype::I8,
        };
        let view = |kind, shape, bytes| TensorView::new(kind, shape, bytes).map_err(container);
        let mut tensors = vec![
            ("regions", view(kind, vec![count, regions, channels], &self.values)?),
            ("digests", view(Dtype::U8, vec![count, 16], &self.digests)?),
        ];
        if self.dtype == FeatureDtype::I8 {
            tensors.push(("scales", view(Dtype::F32, vec![count, regions], &self.scales)?));
        }
        let metadata = HashMap::from([
            ("model".to_owned(), self.model.clone()),
            ("grnet".to_owned(), self.config.clone()),
            ("files".to_owned(), json!(self.files).to_string()),
        ]);
        let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(container)?;
        Ok(self.out.put(&bytes)?)
    }
}
