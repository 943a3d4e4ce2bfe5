//! What the pickle of a state dict can hold.

use std::rc::Rc;

/// What the pickle holds. Containers are shared by reference, as the memo asks for.
#[derive(Debug, Clone)]
pub enum Value {
    /// `None`.
    None,
    /// A truth value.
    Bool,
    /// An integer of up to 8 bytes.
    Int(i64),
    /// A float.
    Float,
    /// Text.
    Text(Rc<str>),
    /// A tuple or a list, and how deeply it is nested.
    Rng(Rc<[Value]>, u8),
    /// A dict, ordered or not, in insertion order, and how deeply it is nested.
    Dict(Rc<Vec<(Value, Value)>>, u8),
    /// One of the known globals.
    Global(Global),
    /// A storage named by a persistent id.
    Storage(Rc<Storage>),
    /// A tensor over a storage.
    Tensor(Rc<TensorView>),
}

/// Globals that a state dict needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`.
    RebuildParameter,
    /// `torch.FloatStorage` and its kin.
    StorageType(Element),
}

/// Number type of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 4-byte float.
    F32,
    /// 8-byte float.
    F64,
    /// 2-byte float.
    F16,
    /// bfloat16.
    Bf16,
    /// 8-byte integer: batch norm's step counters.
    I64,
}

impl Element {
    /// Bytes of a number.
    pub fn width(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }
}

/// A storage: in a zip file the entry `data/{key}`.
#[derive(Debug)]
pub struct Storage {
    /// Number type.
    pub element: Element,
    /// Its name.
    pub key: Rc<str>,
}

/// A tensor: part of a storage.
#[derive(Debug)]
pub struct TensorView {
    /// Where its values are.
    pub storage: Rc<Storage>,
    /// First value.
    pub offset: usize,
    /// Sizes.
    pub shape: Vec<usize>,
    /// Steps, in values.
    pub stride: Vec<usize>,
}

impl Value {
    /// Containers inside it.
    pub fn depth(&self) -> u8 {
        match self {
            Self::Rng(_, depth) | Self::Dict(_, depth) => *depth,
            _ => 0,
        }
    }
}
