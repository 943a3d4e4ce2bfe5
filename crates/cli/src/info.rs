//! `grnet-engine info`: a model file for human eyes.

use std::path::PathBuf;

use clap::Parser;
use grnet_data::DataError;
use grnet_features::model_file::ModelFile;

use crate::error::CliError;

/// Show a model file: configuration, id, tensors.
#[derive(Debug, Parser)]
pub struct Args {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
}

/// A model's id, configuration and tensors.
///
/// # Errors
/// The file cannot be read or is no model.
pub fn run(args: &Args) -> Result<String, CliError> {
    let bytes = std::fs::read(&args.model).map_err(DataError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    let config = serde_json::to_string_pretty(&file.config)
        .map_err(|error| grnet_features::error::ModelError::Json(error.to_string()))?;
    let mut lines = vec![
        format!("file:   {} ({} bytes)", args.model.display(), bytes.len()),
        format!("id:     {}", file.id),
        format!("config: {config}"),
        "tensors:".to_owned(),
    ];
    let mut numbers = 0;
    for name in file.tensor_names() {
        lines.push(match (file.bytes(&name), file.tensor(&name)) {
            (Some(raw), _) => format!("  {name}: {} bytes", raw.len()),
            (None, Ok((shape, values))) => {
                numbers += values.len();
                format!("  {name}: {shape:?}")
            }
            (None, Err(error)) => format!("  {name}: {error}"),
        });
    }
    lines.push(format!("numbers: {numbers}"));
    Ok(lines.join("\n"))
}
