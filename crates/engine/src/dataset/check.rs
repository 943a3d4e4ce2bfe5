//! Whether the photos are there, before an hour is spent on those that are.

use std::collections::HashSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use grnet_photo::Limits;

use super::Photo;
use super::found::Cases;
use crate::network::EngineError;

/// What of a file is read first: more than any header but one behind a large profile or thumbnail.
const START: u64 = 64 << 10;

/// Files that are missing or no photos.
#[derive(Debug, Default, PartialEq)]
pub struct Bad {
    /// Which.
    pub files: HashSet<PathBuf>,
    /// What is to be said about them, where there are any.
    pub warning: Option<String>,
}

/// Opens every file and reads its header. Photos whose pixels are damaged are not found so: only decoding tells.
///
/// # Errors
/// More than one file in ten cannot be read.
pub fn files(photos: &[Photo]) -> Result<Bad, EngineError> {
    let (mut seen, mut bad) = (HashSet::new(), Vec::new());
    for photo in photos {
        if seen.insert(&photo.path)
            && let Err(reason) = header(&photo.path)
        {
            bad.push((&photo.path, reason));
        }
    }
    let Some((path, reason)) = bad.first() else { return Ok(Bad::default()) };
    let (count, total) = (bad.len(), seen.len());
    if count * 10 > total {
        let reason = format!("{count} of {total} photos cannot be read, this is the first ({reason}); a tenth may be");
        return Err(EngineError::Dataset { path: path.to_path_buf(), reason });
    }
    let mut cases = Cases::default();
    bad.iter().for_each(|(path, reason)| cases.add(|| format!("{}: {reason}", path.display())));
    let warning = cases.told(total, "photos cannot be read and are left out");
    Ok(Bad { files: bad.into_iter().map(|(path, _)| path.clone()).collect(), warning })
}

/// Reads a photo's header.
fn header(path: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    };
    // Asked before it is opened: a pipe would wait for its writer.
    let about = std::fs::metadata(path).map_err(told)?;
    if !about.is_file() {
        return Err("not a file".to_owned());
    }
    let limits = Limits::default();
    if about.len() > limits.max_bytes {
        return Err(format!("the file has {} bytes, the limit is {}", about.len(), limits.max_bytes));
    }
    let mut bytes = Vec::new();
    let mut start = File::open(path).map_err(told)?.take(START);
    start.read_to_end(&mut bytes).map_err(told)?;
    let Err(refusal) = grnet_photo::probe(&bytes, &limits) else { return Ok(()) };
    if (bytes.len() as u64) < START {
        return Err(refusal.to_string());
    }
    start.into_inner().take(limits.max_bytes).read_to_end(&mut bytes).map_err(told)?;
    grnet_photo::probe(&bytes, &limits).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A whole BMP of one pixel.
    pub fn dot() -> Vec<u8> {
        let mut file = b"BM".to_vec();
        for value in [58u32, 0, 54, 40, 1, 1, 1 | 24 << 16, 0, 0, 0, 0, 0, 0, 0] {
            file.extend(value.to_le_bytes());
        }
        file
    }

    #[test]
    fn what_is_missing_or_no_photo_is_counted_and_too_much_of_it_refused() {
        let folder = tempfile::tempdir().unwrap();
        let photos: Vec<Photo> = (0..20).map(|n| Photo::new(folder.path().join(format!("{n}.bmp")))).collect();
        for photo in &photos {
            std::fs::write(&photo.path, dot()).unwrap();
        }
        assert_eq!(files(&photos).unwrap(), Bad::default());
        std::fs::remove_file(&photos[3].path).unwrap();
        std::fs::write(&photos[7].path, b"GIF of my own").unwrap();
        // A photo that is there twice, as a snapshot is, counts once.
        let twice: Vec<Photo> = photos.iter().chain(&photos).cloned().collect();
        let bad = files(&twice).unwrap();
        assert_eq!(bad.files, HashSet::from([photos[3].path.clone(), photos[7].path.clone()]));
        let told = bad.warning.unwrap();
        assert!(told.starts_with("2 of 20 photos cannot be read and are left out, the first is "), "{told}");
        assert!(told.ends_with("3.bmp: there is no such file"), "{told}");
        std::fs::remove_file(&photos[8].path).unwrap();
        std::fs::create_dir(&photos[8].path).unwrap();
        let error = files(&photos).unwrap_err().to_string();
        assert!(error.contains("3.bmp: 3 of 20 photos cannot be read, this is the first"), "{error}");
        assert!(error.ends_with("a tenth may be"), "{error}");
    }

    #[test]
    fn a_header_behind_much_else_is_found_and_a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late.jpg");
        // Two application segments of nothing, 128 kB, then a frame header of 8 × 8 pixels and the start of a scan.
        let mut bytes = vec![0xff, 0xd8];
        for _ in 0..2 {
            bytes.extend([0xff, 0xed, 0xff, 0xff]);
            bytes.extend(vec![0; 0xfffd]);
        }
        bytes
            .extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0xff, 0xd9]);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(header(&path), Ok(()));
        let pipe = folder.path().join("pipe.jpg");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert_eq!(header(&pipe), Err("not a file".to_owned()));
    }
}
