//! `grnet-engine info`: a model file for human eyes.

use std::path::PathBuf;

use clap::Parser;
use grnet_core::model::ModelFile;

use crate::network::EngineError;

/// Show a model file: configuration, id, tensors.
#[derive(Debug, Parser)]
pub struct Args {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
}

/// Prints a model's id, configuration and tensors.
///
/// # Errors
/// The file cannot be read or is no model.
pub fn run(args: &Args) -> Result<(), EngineError> {
    let bytes = std::fs::read(&args.model).map_err(EngineError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    let config = serde_json::to_string_pretty(&file.config)
        .map_err(|error| grnet_core::error::ModelError::Json(error.to_string()))?;
    println!("file:   {} ({} bytes)", args.model.display(), bytes.len());
    println!("id:     {}", file.id);
    println!("config: {config}");
    let mut numbers = 0;
    println!("tensors:");
    for name in file.tensor_names() {
        match (file.bytes(&name), file.tensor(&name)) {
            (Some(raw), _) => println!("  {name}: {} bytes", raw.len()),
            (None, Ok((shape, values))) => {
                numbers += values.len();
                println!("  {name}: {shape:?}");
            }
            (None, Err(error)) => println!("  {name}: {error}"),
        }
    }
    println!("numbers: {numbers}");
    Ok(())
}
