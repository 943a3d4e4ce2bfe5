//! Named tensors out of a weights file: safetensors, or a `.pth` state dict of PyTorch.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use grnet_data::DataError;
use safetensors::{Dtype, SafeTensors};

use crate::error::NnError;
use crate::import::assemble::{MAX_PICKLE, StateDict, assemble, decode};
use crate::import::value::Element;
use crate::import::{legacy, pickle};

/// Reads a weights file by its content, whatever its name.
///
/// # Errors
/// The file cannot be read, is neither format, or holds more than a plain state dict.
pub fn read(path: &Path) -> Result<StateDict, NnError> {
    let mut file = File::open(path).map_err(DataError::io(path))?;
    let mut start = [0; 4];
    let got = file.read(&mut start).map_err(DataError::io(path))?;
    let refuse = |reason: String| NnError::Import { path: path.to_owned(), reason };
    if &start[..got] == b"PK\x03\x04" {
        return from_zip(file).map_err(refuse);
    }
    let bytes = std::fs::read(path).map_err(DataError::io(path))?;
    let dict = if legacy::is_legacy(&bytes) { legacy::read(&bytes) } else { from_safetensors(&bytes) };
    dict.map_err(refuse)
}

fn from_safetensors(bytes: &[u8]) -> Result<StateDict, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| format!("neither a state dict nor safetensors: {e}"))?;
    let mut dict = StateDict::new();
    for (name, view) in file.tensors() {
        let element = match view.dtype() {
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::Bf16,
            Dtype::I64 => continue,
            other => return Err(format!("tensor `{name}` has type {other:?}, known are the floats")),
        };
        dict.insert(name.clone(), (view.shape().to_vec(), decode(element, view.data())));
    }
    Ok(dict)
}

fn from_zip(file: impl Read + Seek) -> Result<StateDict, String> {
    // torch stores its entries as they are; a compressed one is read too, up to the limit of its kind.
    let mut zip = zip::ZipArchive::new(file).map_err(|e| format!("not a readable .pth file: {e}"))?;
    let root = zip
        .file_names()
        .find_map(|n| n.strip_suffix("/data.pkl"))
        .ok_or("not a state dict: there is no data.pkl inside")?
        .to_owned();
    let pickle = pickle::read(&small_entry(&mut zip, &format!("{root}/data.pkl"))?)?;
    assemble(&pickle.value, |storage, length| {
        let name = format!("{root}/data/{}", storage.key);
        let entry = zip.by_name(&name).map_err(|e| format!("entry {name}: {e}"))?;
        let mut bytes = Vec::new();
        entry.take(length as u64).read_to_end(&mut bytes).map_err(|e| format!("entry {name}: {e}"))?;
        Ok(bytes)
    })
}

/// The pickle's entry, whole.
fn small_entry(zip: &mut zip::ZipArchive<impl Read + Seek>, name: &str) -> Result<Vec<u8>, String> {
    let entry = zip.by_name(name).map_err(|e| format!("entry {name}: {e}"))?;
    if entry.size() > MAX_PICKLE as u64 {
        return Err(format!("entry {name} has {} bytes, allowed are {MAX_PICKLE}", entry.size()));
    }
    let mut bytes = Vec::new();
    entry.take(MAX_PICKLE as u64).read_to_end(&mut bytes).map_err(|e| format!("entry {name}: {e}"))?;
    Ok(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Cursor, Write};
    use std::rc::Rc;

    use super::*;
    use crate::import::assemble::MAX_VALUES;
    use crate::import::value::{Storage, TensorView, Value};

    /// What `torch.save(OrderedDict(w=...), f)` writes for a [2, 2] view with the given strides over 4 floats.
    pub fn state_dict(strides: [u8; 2], offset: u8) -> Vec<u8> {
        let mut code = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00wq\x02".to_vec();
        code.extend(b"ctorch._utils\n_rebuild_tensor_v2\nq\x03((X\x07\x00\x00\x00storageq\x04ctorch\nFloatStorage\n");
        code.extend(b"q\x05X\x01\x00\x00\x000q\x06X\x03\x00\x00\x00cpuq\x07K\x04tq\x08Q");
        code.extend([b'K', offset, b'K', 2, b'K', 2, 0x86, b'K', strides[0], b'K', strides[1], 0x86]);
        code.extend(b"\x89ccollections\nOrderedDict\n)Rtq\x09Rs}X\x09\x00\x00\x00_metadataNsb.");
        code
    }

    fn archive(code: &[u8]) -> Cursor<Vec<u8>> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::FileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file("archive/data.pkl", options).unwrap();
        zip.write_all(code).unwrap();
        zip.start_file("archive/data/0", options).unwrap();
        zip.write_all(&[1f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat()).unwrap();
        zip.finish().unwrap()
    }

    #[test]
    fn an_ordinary_state_dict_is_read_with_its_strides() {
        let dict = from_zip(archive(&state_dict([2, 1], 0))).unwrap();
        assert_eq!(dict["w"], (vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]));
        let dict = from_zip(archive(&state_dict([1, 2], 0))).unwrap();
        assert_eq!(dict["w"].1, [1.0, 3.0, 2.0, 4.0]);
    }

    #[test]
    fn a_tensor_beyond_its_storage_is_refused() {
        let error = from_zip(archive(&state_dict([2, 1], 1))).unwrap_err();
        assert!(error.contains("`w`"), "{error}");
    }

    #[test]
    fn a_storage_of_many_tensors_is_read_once_and_no_further_than_they_reach() {
        let storage = Rc::new(Storage { element: Element::F32, key: "0".into() });
        let tensor = |offset: usize, shape: &[usize], stride: &[usize]| {
            let (shape, stride) = (shape.to_vec(), stride.to_vec());
            Value::Tensor(Rc::new(TensorView { storage: Rc::clone(&storage), offset, shape, stride }))
        };
        let dict = |tensors: Vec<Value>| {
            let named = tensors.into_iter().enumerate().map(|(n, t)| (Value::Text(n.to_string().into()), t));
            Value::Dict(Rc::new(named.collect()), 1)
        };
        let mut reads = Vec::new();
        let value = dict(vec![tensor(0, &[2], &[1]), tensor(1, &[2, 2], &[2, 1]), tensor(9, &[0], &[1])]);
        let read = assemble(&value, |_, length| {
            reads.push(length);
            Ok((0..length / 4).flat_map(|n| (n as f32).to_le_bytes()).collect())
        });
        assert_eq!(read.unwrap()["1"].1, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(reads, [5 * 4]);
        // What no file could hold is refused before anything is read: far away, or one value many times.
        for (tensors, said) in [
            (vec![tensor(usize::MAX, &[1], &[1])], "reaches beyond"),
            (vec![tensor(MAX_VALUES, &[1], &[1])], "allowed are"),
            (vec![tensor(0, &[1 << 40], &[0])], "allowed are"),
            (vec![tensor(0, &[usize::MAX, usize::MAX], &[0, 0])], "allowed are"),
        ] {
            let error = assemble(&dict(tensors), |_, _| panic!("nothing is to be read")).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_list_that_is_remembered_as_it_grows_and_a_tensor_of_many_dimensions_are_refused() {
        let mut code = b"\x80\x02]".to_vec();
        for slot in 0..3000u32 {
            code.extend(b"Nar");
            code.extend(slot.to_le_bytes());
        }
        code.push(b'.');
        assert!(pickle::read(&code).err().unwrap().contains("more than"));
        let mut code = state_dict([2, 1], 0);
        let at = code.windows(5).position(|w| w == b"K\x02K\x02\x86").unwrap();
        let nine = [&b"("[..], &b"K\x01".repeat(9), b"t", b"(", &b"K\x01".repeat(9), b"t"].concat();
        code.splice(at..at + 10, nine);
        let error = from_zip(archive(&code)).unwrap_err();
        assert!(error.contains("9 dimensions"), "{error}");
    }

    #[test]
    fn any_other_global_is_refused_by_name_and_nothing_is_called() {
        for (code, name) in [
            (&b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."[..], "os.system"),
            (b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.", "builtins.eval"),
            (b"\x80\x02ctorch._utils\n_rebuild_tensor\n)R.", "torch._utils._rebuild_tensor"),
        ] {
            let error = from_zip(archive(code)).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_an_error_or_a_dict_and_never_a_panic() {
        let code = state_dict([2, 1], 0);
        for end in 0..code.len() {
            assert!(pickle::read(&code[..end]).is_err());
        }
        for at in 0..code.len() {
            for bit in 0..8 {
                let mut other = code.clone();
                other[at] ^= 1 << bit;
                let _ = from_zip(archive(&other));
            }
        }
    }
}
