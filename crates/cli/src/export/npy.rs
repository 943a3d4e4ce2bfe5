//! Arrays in NumPy's own format, version 1.0: a magic string, the header's length, a Python dictionary, the numbers.
//! Source: numpy.lib.format in NumPy's reference.

use std::io::{self, Write};
use std::path::Path;

use grnet_data::DataError;
use grnet_data::output::atomic_file::OutputFile;

use crate::error::CliError;

/// Where the numbers begin is a multiple of this, so that a file can be mapped into memory.
const ALIGNMENT: usize = 64;

/// Opens an array of f32 in C order and writes what stands before its numbers.
///
/// # Errors
/// The file cannot be made or written, or `shape` has more dimensions than a header holds.
pub fn create(path: &Path, shape: &[usize]) -> Result<OutputFile, CliError> {
    let mut out = OutputFile::create(path)?;
    header(shape).and_then(|bytes| out.write_all(&bytes)).map_err(DataError::io(path))?;
    Ok(out)
}

/// What stands before the numbers.
fn header(shape: &[usize]) -> io::Result<Vec<u8>> {
    // A Python tuple: `()`, `(3,)`, `(3, 4)`.
    let sides = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let comma = if shape.len() == 1 { "," } else { "" };
    let about = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({sides}{comma}), }}");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    // Its length takes two bytes; a line's end comes last.
    let end = (out.len() + 2 + about.len() + 1).next_multiple_of(ALIGNMENT);
    let length = end - out.len() - 2;
    let stored = u16::try_from(length).map_err(|_| io::Error::other("an array of too many dimensions"))?;
    out.extend(stored.to_le_bytes());
    out.extend(about.bytes());
    out.resize(end - 1, b' ');
    out.push(b'\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_what_numpy_writes() {
        // numpy.save of float32 zeros of these shapes, byte by byte: the length is 118 and the dictionary is padded.
        for (shape, tuple) in [(&[][..], "()"), (&[1], "(1,)"), (&[3, 4], "(3, 4)"), (&[12, 14, 256], "(12, 14, 256)")]
        {
            let mut expected = vec![0x93, b'N', b'U', b'M', b'P', b'Y', 1, 0, 118, 0];
            expected.extend(format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple}, }}").bytes());
            expected.resize(127, b' ');
            expected.push(b'\n');
            assert_eq!(header(shape).unwrap(), expected);
        }
        // One number more than fits moves the end by 64.
        assert_eq!([header(&[1; 21]).unwrap().len(), header(&[1; 22]).unwrap().len()], [128, 192]);
        assert!(header(&[1; 30_000]).is_err());
    }
}
