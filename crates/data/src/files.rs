//! Which files to embed.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Endings that are taken for images when a folder is searched; a file named itself is tried whatever it is called.
const ENDINGS: [&str; 10] = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff"];

/// The files that `paths` name, and the images in the folders that they name, each folder's in the order of their
/// names. What cannot be searched stays in the list: opening it says why.
pub fn list(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_image(entry.path()) => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => files.extend(error.path().map(PathBuf::from)),
            }
        }
    }
    files
}

/// Whether a file's name ends as an image's does.
pub fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_named_files_are_taken() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let inner = folder.path().join("b");
        std::fs::create_dir(&inner)?;
        for name in ["c.JPG", "a.txt", "b/x.png", "b/notes.md"] {
            std::fs::write(folder.path().join(name), b"")?;
        }
        let named = folder.path().join("a.txt");
        let found = list(&[folder.path().to_owned(), named.clone(), "missing.jpg".into()]);
        assert_eq!(found, [inner.join("x.png"), folder.path().join("c.JPG"), named, "missing.jpg".into()]);
        Ok(())
    }
}
