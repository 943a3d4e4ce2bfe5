//! A file that is there once it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::DataError;

/// An output under another name, `<out>.unfinished`, until it is whole. It is opened before the work begins: a path
/// that cannot be written is known at once, and a run that is killed leaves no half of a file under the name asked for.
#[derive(Debug)]
pub struct OutputFile {
    file: BufWriter<File>,
    path: PathBuf,
    /// Where it is until then; `None` where the path is no regular file (a pipe, /dev/null) and is written directly.
    unfinished: Option<PathBuf>,
}

impl OutputFile {
    /// Opens the file.
    ///
    /// # Errors
    /// It cannot be made there.
    pub fn create(path: &Path) -> Result<Self, DataError> {
        // What a link leads to is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let replaceable = fs::metadata(&path).map_or(true, |there| there.is_file());
        let unfinished = replaceable.then(|| {
            let mut name = path.clone().into_os_string();
            name.push(".unfinished");
            PathBuf::from(name)
        });
        let file = File::create(unfinished.as_ref().unwrap_or(&path)).map_err(DataError::io(&path))?;
        Ok(Self { file: BufWriter::new(file), path, unfinished })
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of the file and puts it in its place.
    ///
    /// # Errors
    /// The disk is full, or the file is not allowed there.
    pub fn put(mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.write_all(bytes).map_err(DataError::io(&self.path))?;
        self.finish()
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn finish(mut self) -> Result<(), DataError> {
        self.flush().map_err(DataError::io(&self.path))?;
        if let Some(unfinished) = &self.unfinished {
            // On the disk before it has the name: after a crash the file is the old one or the new one.
            self.file.get_ref().sync_all().map_err(DataError::io(&self.path))?;
            fs::rename(unfinished, &self.path).map_err(DataError::io(&self.path))?;
            self.unfinished = None;
        }
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(unfinished) = &self.unfinished {
            let _ = fs::remove_file(unfinished);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_leaves_nothing_when_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        fs::write(&path, b"old").unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut output = OutputFile::create(&path).unwrap();
        output.write_all(b"half").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"old".to_vec(), 2));
        drop(output);
        assert_eq!((fs::read(&path).unwrap(), names()), (b"old".to_vec(), 1));
        OutputFile::create(&path).unwrap().put(b"whole").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"whole".to_vec(), 1));
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named_before_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/model.safetensors");
        assert!(OutputFile::create(&path).unwrap_err().to_string().contains("missing/model.safetensors"));
        assert!(OutputFile::create(folder.path()).is_err());
    }

    #[test]
    fn what_is_no_regular_file_is_written_and_stays() {
        OutputFile::create(Path::new("/dev/null")).unwrap().put(b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(!Path::new("/dev/null.unfinished").exists());
    }
}
