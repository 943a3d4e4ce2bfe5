//! Where features go: a line of JSON a photo, or one safetensors file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use grnet_core::features::{self, Features, HEADER};
use grnet_core::model::ModelFile;
use grnet_core::pyramid;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use crate::network::EngineError;

/// An output being written.
pub struct Output {
    count: usize,
    kind: Kind,
}

enum Kind {
    Lines { out: BufWriter<Box<dyn Write>>, path: PathBuf },
    Tensors(Tensors),
}

struct Tensors {
    path: PathBuf,
    config: String,
    model: String,
    shape: [usize; 2],
    files: Vec<String>,
    digests: Vec<u8>,
    halves: Vec<u8>,
}

impl Output {
    /// Opens `out` (the standard output without one); its ending decides the form.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(out: Option<&Path>, model: &ModelFile<'_>) -> Result<Self, EngineError> {
        let config = &model.config;
        let kind = match out {
            Some(path) if path.extension().is_some_and(|e| e == "safetensors") => Kind::Tensors(Tensors {
                path: path.to_owned(),
                config: serde_json::to_string(config)
                    .map_err(|error| grnet_core::error::ModelError::Json(error.to_string()))?,
                model: model.id.to_string(),
                shape: [pyramid::regions(&config.pyramid.grids), config.channels],
                files: Vec::new(),
                digests: Vec::new(),
                halves: Vec::new(),
            }),
            Some(path) => {
                let file: Box<dyn Write> = Box::new(File::create(path).map_err(EngineError::io(path))?);
                Kind::Lines { out: BufWriter::new(file), path: path.to_owned() }
            }
            None => {
                let out: Box<dyn Write> = Box::new(std::io::stdout());
                Kind::Lines { out: BufWriter::new(out), path: "standard output".into() }
            }
        };
        Ok(Self { count: 0, kind })
    }

    /// Photos written.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Adds a photo's feature value.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn add(&mut self, file: &Path, value: &[u8]) -> Result<(), EngineError> {
        let name = file.to_string_lossy().into_owned();
        // Our own value: it parses.
        let digest = Features::parse(value).map(|f| f.digest().0).unwrap_or_default();
        match &mut self.kind {
            Kind::Lines { out, path } => {
                let digest: String = digest.iter().map(|b| format!("{b:02x}")).collect();
                let line = json!({ "file": name, "digest": digest, "features": features::to_text(value) });
                writeln!(out, "{line}").map_err(EngineError::io(&*path))?;
            }
            Kind::Tensors(tensors) => {
                tensors.files.push(name);
                tensors.digests.extend(digest);
                tensors.halves.extend(&value[HEADER..]);
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn finish(&mut self) -> Result<(), EngineError> {
        match &mut self.kind {
            Kind::Lines { out, path } => out.flush().map_err(EngineError::io(&*path)),
            Kind::Tensors(tensors) => tensors.write(self.count),
        }
    }
}

impl Tensors {
    fn write(&self, count: usize) -> Result<(), EngineError> {
        let container =
            |error: safetensors::SafeTensorError| grnet_core::error::ModelError::Container(error.to_string());
        let [regions, channels] = self.shape;
        let regions = TensorView::new(Dtype::F16, vec![count, regions, channels], &self.halves).map_err(container)?;
        let digests = TensorView::new(Dtype::U8, vec![count, 16], &self.digests).map_err(container)?;
        let metadata = HashMap::from([
            ("model".to_owned(), self.model.clone()),
            ("grnet".to_owned(), self.config.clone()),
            ("files".to_owned(), json!(self.files).to_string()),
        ]);
        let bytes =
            safetensors::serialize([("regions", regions), ("digests", digests)], Some(metadata)).map_err(container)?;
        std::fs::write(&self.path, bytes).map_err(EngineError::io(&self.path))
    }
}
