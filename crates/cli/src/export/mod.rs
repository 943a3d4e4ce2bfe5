//! `grnet-engine export`: what scores, and regions of images, as files that NumPy reads.

mod npy;
mod regions;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use grnet_data::DataError;
use grnet_data::files::list;
use grnet_data::output::atomic_file::OutputFile;
use grnet_features::error::ModelError;
use grnet_features::model_file::{ModelFile, ModelId};
use grnet_nn::compute::Compute;
use grnet_score::head::Head;

use crate::error::CliError;

/// Writes a model's graph, reduction and configuration as files that NumPy reads, and the regions of images.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
    /// The folder to write to; it is made where there is none, and has no other export.
    #[arg(long)]
    pub out: PathBuf,
    /// Images, and folders that are searched for images, whose regions are written as well.
    #[arg(long, num_args = 1.., value_name = "IMAGES")]
    pub features: Vec<PathBuf>,
    /// What to compute on.
    #[command(flatten)]
    pub compute: Compute,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// The model.
    pub model: ModelId,
    /// Tensors of graph and reduction.
    pub tensors: usize,
    /// Images with their regions.
    pub images: usize,
}

/// Writes `config.json`, a `.npy` for each tensor of graph and reduction, and with images `features.npy` and
/// `features.csv`. No file has its name before all are written.
///
/// # Errors
/// The model, an image or the folder cannot be used, or the folder has an export already.
pub fn run(args: &ExportArgs) -> Result<Exported, CliError> {
    let bytes = fs::read(&args.model).map_err(DataError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    file.check_tensors()?;
    Head::read(&file)?;
    let images = list(&args.features);
    if let (true, Some(asked)) = (images.is_empty(), args.features.first()) {
        return Err(refuse(asked, "there is no image".to_owned()));
    }
    let names: Vec<String> = file.tensor_names().into_iter().filter(|name| scores(name)).collect();
    if let Some(name) = names.iter().find(|name| !names_a_file(name)) {
        return Err(refuse(&args.model, format!("the tensor {name:?} cannot name a file")));
    }
    prepare(&args.out)?;
    let mut written = Vec::new();
    for name in &names {
        let (shape, values) = file.tensor(name)?;
        let path = args.out.join(format!("{name}.npy"));
        let mut out = npy::create(&path, &shape)?;
        values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes())).map_err(DataError::io(&path))?;
        written.push(out);
    }
    if !images.is_empty() {
        written.extend(regions::write(&args.out, &images, &file, &args.compute)?);
    }
    let path = args.out.join("config.json");
    let mut config = OutputFile::create(&path)?;
    let json = serde_json::to_string_pretty(&file.config).map_err(|error| ModelError::Json(error.to_string()))?;
    writeln!(config, "{json}").map_err(DataError::io(&path))?;
    written.push(config);
    written.into_iter().try_for_each(OutputFile::finish)?;
    Ok(Exported { model: file.id, tensors: names.len(), images: images.len() })
}

/// Whether a tensor is part of what scores, or makes regions of a map.
fn scores(name: &str) -> bool {
    name.starts_with("graph.") || name.starts_with("reduction.")
}

/// Whether a tensor's name, from a file of anybody's, leads to a file in the folder and nowhere else.
fn names_a_file(name: &str) -> bool {
    name.len() <= 200 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_')
}

/// Makes the folder; one with files of another export is refused, since what that one had and this one has not would
/// be taken for this one's.
fn prepare(folder: &Path) -> Result<(), CliError> {
    fs::create_dir_all(folder).map_err(DataError::io(folder))?;
    for entry in fs::read_dir(folder).map_err(DataError::io(folder))? {
        let name = entry.map_err(DataError::io(folder))?.file_name();
        let name = name.to_string_lossy();
        if name == "config.json" || name == "features.csv" || name.ends_with(".npy") {
            return Err(refuse(folder, format!("there is an export already ({name}): name an empty folder")));
        }
    }
    Ok(())
}

fn refuse(path: &Path, reason: String) -> CliError {
    CliError::Export { path: path.to_owned(), reason }
}
