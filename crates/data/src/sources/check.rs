//! Whether the images are there, before an hour is spent on those that are.

use std::collections::HashSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use grnet_image::Limits;

use crate::dataset::found::Cases;
use crate::dataset::image::Image;
use crate::error::DataError;

/// What of a file is read first: more than any header but one behind a large profile or thumbnail.
const START: u64 = 64 << 10;

/// Files that are missing or no images.
#[derive(Debug, Default, PartialEq)]
pub struct Bad {
    /// Which.
    pub files: HashSet<PathBuf>,
    /// What is to be said about them, where there are any.
    pub warning: Option<String>,
}

/// Opens every file and reads its header. Images whose pixels are damaged are not found so: only decoding tells.
///
/// # Errors
/// More than one file in ten cannot be read.
pub fn files(images: &[Image]) -> Result<Bad, DataError> {
    let (mut seen, mut bad) = (HashSet::new(), Vec::new());
    for image in images {
        if seen.insert(&image.path)
            && let Err(reason) = header(&image.path)
        {
            bad.push((&image.path, reason));
        }
    }
    let Some((path, reason)) = bad.first() else { return Ok(Bad::default()) };
    let (count, total) = (bad.len(), seen.len());
    if count * 10 > total {
        let reason = format!("{count} of {total} images cannot be read, this is the first ({reason}); a tenth may be");
        return Err(DataError::Dataset { path: path.to_path_buf(), reason });
    }
    let mut cases = Cases::default();
    bad.iter().for_each(|(path, reason)| cases.add(|| format!("{}: {reason}", path.display())));
    let warning = cases.told(total, "images cannot be read and are left out");
    Ok(Bad { files: bad.into_iter().map(|(path, _)| path.clone()).collect(), warning })
}

/// Reads an image's header.
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
    let Err(refusal) = grnet_image::probe(&bytes, &limits) else { return Ok(()) };
    if (bytes.len() as u64) < START {
        return Err(refusal.to_string());
    }
    start.into_inner().take(limits.max_bytes).read_to_end(&mut bytes).map_err(told)?;
    grnet_image::probe(&bytes, &limits).map(drop).map_err(|error| error.to_string())
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
    fn what_is_missing_or_no_image_is_counted_and_too_much_of_it_refused() {
        let folder = tempfile::tempdir().unwrap();
        let images: Vec<Image> = (0..20).map(|n| Image::new(folder.path().join(format!("{n}.bmp")))).collect();
        for image in &images {
            std::fs::write(&image.path, dot()).unwrap();
        }
        assert_eq!(files(&images).unwrap(), Bad::default());
        std::fs::remove_file(&images[3].path).unwrap();
        std::fs::write(&images[7].path, b"GIF of my own").unwrap();
        // An image that is there twice, as an augmented image is, counts once.
        let twice: Vec<Image> = images.iter().chain(&images).cloned().collect();
        let bad = files(&twice).unwrap();
        assert_eq!(bad.files, HashSet::from([images[3].path.clone(), images[7].path.clone()]));
        let told = bad.warning.unwrap();
        assert!(told.starts_with("2 of 20 images cannot be read and are left out, the first is "), "{told}");
        assert!(told.ends_with("3.bmp: there is no such file"), "{told}");
        std::fs::remove_file(&images[8].path).unwrap();
        std::fs::create_dir(&images[8].path).unwrap();
        let error = files(&images).unwrap_err().to_string();
        assert!(error.contains("3.bmp: 3 of 20 images cannot be read, this is the first"), "{error}");
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
