//! Named tensors out of a weights file: safetensors, or a `.pth` state dict of PyTorch.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::rc::Rc;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::legacy;
use super::pickle;
use super::value::{Element, Storage, TensorView, Value};
use crate::network::EngineError;

/// Tensors by name: shape and values in f32. Integers (batch norm's step counters) are left out.
pub type StateDict = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Largest pickle that is read; GoogLeNet's has 60 kB.
pub const MAX_PICKLE: usize = 16 << 20;
/// Values of all tensors together, and of the parts of storages that they need; GoogLeNet has 13 million.
const MAX_VALUES: usize = 1 << 28;
/// Bytes of a tensor's name.
const MAX_NAME: usize = 1024;

/// Reads a weights file by its content, whatever its name.
///
/// # Errors
/// The file cannot be read, is neither format, or holds more than a plain state dict.
pub fn read(path: &Path) -> Result<StateDict, EngineError> {
    let mut file = File::open(path).map_err(EngineError::io(path))?;
    let mut start = [0; 4];
    let got = file.read(&mut start).map_err(EngineError::io(path))?;
    let refuse = |reason: String| EngineError::Import { path: path.to_owned(), reason };
    if &start[..got] == b"PK\x03\x04" {
        return from_zip(file).map_err(refuse);
    }
    let bytes = std::fs::read(path).map_err(EngineError::io(path))?;
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

fn decode(element: Element, bytes: &[u8]) -> Vec<f32> {
    match element {
        Element::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Element::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Element::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Element::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        Element::I64 => Vec::new(),
    }
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

/// The tensors of a state dict. `bytes` gives the first bytes of a storage, as many as are asked for or all there are;
/// each storage is read once, and no further than the tensors reach.
pub fn assemble(
    value: &Value,
    mut bytes: impl FnMut(&Storage, usize) -> Result<Vec<u8>, String>,
) -> Result<StateDict, String> {
    let mut tensors = Vec::new();
    collect(value, &mut tensors)?;
    tensors.retain(|(_, tensor)| tensor.storage.element != Element::I64);
    let beyond = |name: &str| format!("tensor `{name}` reaches beyond its storage");
    let mut needed = BTreeMap::<Rc<str>, (Rc<Storage>, usize)>::new();
    let mut count = 0usize;
    for (name, tensor) in &tensors {
        let extent = extent(tensor).ok_or_else(|| beyond(name))?;
        count = count.saturating_add(tensor.shape.iter().fold(1usize, |n, &d| n.saturating_mul(d)));
        let storage = &tensor.storage;
        let (known, most) = needed.entry(Rc::clone(&storage.key)).or_insert((Rc::clone(storage), 0));
        if known.element != storage.element {
            return Err(format!(
                "storage {} is said to hold {:?} and {:?}",
                storage.key, known.element, storage.element
            ));
        }
        *most = extent.max(*most);
    }
    let stored = needed.values().fold(0usize, |sum, (_, extent)| sum.saturating_add(*extent));
    if count.max(stored) > MAX_VALUES {
        return Err(format!("its tensors have {} values, allowed are {MAX_VALUES}", count.max(stored)));
    }
    let mut storages = BTreeMap::new();
    for (key, (storage, extent)) in needed {
        storages.insert(key, decode(storage.element, &bytes(&storage, extent * storage.element.width())?));
    }
    let read = tensors.into_iter().map(|(name, tensor)| {
        let values = gather(&tensor, &storages[&tensor.storage.key]).ok_or_else(|| beyond(&name))?;
        Ok((name, (tensor.shape.clone(), values)))
    });
    read.collect()
}

/// Values from the start of its storage to a tensor's last; `None` where that is no number.
fn extent(tensor: &TensorView) -> Option<usize> {
    if tensor.shape.contains(&0) {
        return Some(0);
    }
    let steps = tensor.shape.iter().zip(&tensor.stride);
    let last = steps.map(|(size, step)| (size - 1).checked_mul(*step));
    last.into_iter().try_fold(tensor.offset.checked_add(1)?, |sum, steps| sum.checked_add(steps?))
}

/// Tensors of a state dict, or of the dict under `state_dict` or `model` of a checkpoint.
fn collect(value: &Value, tensors: &mut Vec<(String, Rc<TensorView>)>) -> Result<(), String> {
    let Value::Dict(pairs, _) = value else { return Err("not a state dict: the file holds no dict".to_owned()) };
    for (key, value) in pairs.iter() {
        match (key, value) {
            (Value::Text(name), Value::Tensor(tensor)) => {
                if name.len() > MAX_NAME {
                    return Err(format!("a tensor's name has {} bytes, allowed are {MAX_NAME}", name.len()));
                }
                // What DataParallel puts in front.
                tensors.push((name.strip_prefix("module.").unwrap_or(name).to_owned(), Rc::clone(tensor)));
            }
            (Value::Text(name), inner @ Value::Dict(..)) if &**name == "state_dict" || &**name == "model" => {
                collect(inner, tensors)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A tensor's values in row-major order; `None` where it reaches beyond its storage.
fn gather(tensor: &TensorView, storage: &[f32]) -> Option<Vec<f32>> {
    let count: usize = tensor.shape.iter().product();
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0usize; tensor.shape.len()];
    for _ in 0..count {
        let steps =
            index.iter().zip(&tensor.stride).try_fold(0usize, |sum, (i, s)| sum.checked_add(i.checked_mul(*s)?))?;
        values.push(*storage.get(tensor.offset.checked_add(steps)?)?);
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            if index[axis] < tensor.shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Some(values)
}

#[cfg(test)]
pub mod tests {
    use std::io::{Cursor, Write};

    use super::*;

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
