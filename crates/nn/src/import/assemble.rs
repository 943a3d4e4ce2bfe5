//! Tensors of a pickled state dict, put together of its storages.

use std::collections::BTreeMap;
use std::rc::Rc;

use half::{bf16, f16};

use crate::import::value::{Element, Storage, TensorView, Value};

/// Tensors by name: shape and values in f32. Integers (batch norm's step counters) are left out.
pub type StateDict = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Largest pickle that is read; GoogLeNet's has 60 kB.
pub const MAX_PICKLE: usize = 16 << 20;
/// Values of all tensors together, and of the parts of storages that they need; GoogLeNet has 13 million.
pub(super) const MAX_VALUES: usize = 1 << 28;
/// Bytes of a tensor's name.
const MAX_NAME: usize = 1024;

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

pub fn decode(element: Element, bytes: &[u8]) -> Vec<f32> {
    match element {
        Element::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Element::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Element::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Element::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        Element::I64 => Vec::new(),
    }
}
