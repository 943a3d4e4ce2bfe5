//! What is installed, so that a catalogue of an older build is not taken for one of this build.

use crate::failure::{Failure, Result};
use grnet_cluster::Installation;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The model file that ships with the extension.
fn model_file(installation: &Installation) -> PathBuf {
    installation.sharedir().join("grnet_pg/models/base.safetensors")
}

/// The parameters of a run that the installation sets: the extension's SQL and the model.
///
/// # Errors
/// The extension or its model is not installed.
pub fn parameters(installation: &Installation) -> Result<Vec<(String, String)>> {
    let extension = installation.sharedir().join("extension");
    let files = match std::fs::read_dir(&extension) {
        Ok(files) => files.flatten().map(|file| file.path()).collect(),
        Err(_) => Vec::new(),
    };
    let mut scripts: Vec<PathBuf> = files.into_iter().filter(|path| is_ours(path)).collect();
    scripts.sort();
    if scripts.is_empty() {
        return Err(Failure::Input(format!(
            "grnet_pg is not installed in {}: run make install PG_CONFIG={}",
            installation.version(),
            installation.pg_config().display()
        )));
    }
    let mut sql = Sha256::new();
    for script in scripts {
        sql.update(read(&script)?);
    }
    let model = Sha256::digest(read(&model_file(installation))?);
    Ok(vec![("extension".to_owned(), short(&sql.finalize())), ("model".to_owned(), short(&model))])
}

/// Whether the extension or the engine was installed after the server had been started.
pub fn is_newer_than(installation: &Installation, started: SystemTime) -> bool {
    let library = installation.pkglibdir();
    ["grnet_pg.so", "grnet/grnet-engine"].iter().any(|file| {
        let changed = library.join(file).metadata().and_then(|file| file.modified());
        changed.is_ok_and(|changed| changed > started)
    })
}

/// The SHA-256 of some bytes.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("grnet_pg--") && name.ends_with(".sql"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(Failure::file(path))
}

/// As the extension writes a model's id: the first 8 bytes.
fn short(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_other_extensions_do_not_count() {
        assert!(is_ours(Path::new("/x/grnet_pg--0.1.0.sql")));
        assert!(!is_ours(Path::new("/x/vector--0.8.0.sql")));
        assert!(!is_ours(Path::new("/x/grnet_pg.control")));
    }

    #[test]
    fn a_short_digest_has_sixteen_digits() {
        assert_eq!(short(&digest(b"")), "e3b0c44298fc1c14");
    }
}
