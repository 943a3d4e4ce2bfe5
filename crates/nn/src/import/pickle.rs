//! A small reader of the pickles inside PyTorch's `.pth` files.
//!
//! A pickle is a program that may call anything; this reader calls nothing. It knows the instructions that
//! `torch.save` of a state dict writes (protocol 2), builds plain values, and refuses every global but the few named in
//! [`Global`], by name.

use std::rc::Rc;

use crate::import::value::{Element, Global, Storage, TensorView, Value};

/// Values on the stack, slots of the memo, and values put into containers, each time they are; GoogLeNet's state dict
/// needs 5,000. A list that grows one by one and is remembered each time would take the square of its length.
const MAX_VALUES: usize = 1 << 20;

/// Dimensions of a tensor; a convolution's kernel has 4.
const MAX_RANK: usize = 8;

/// Containers inside containers: dropping them recurses. A checkpoint's state dict needs 4.
const MAX_DEPTH: u8 = 16;

type Reason = String;

fn nested(depth: u8) -> Result<u8, Reason> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err("pickle is nested too deeply".to_owned()) }
}

struct Machine<'a> {
    code: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Option<Value>>,
    /// Values put into containers so far.
    contained: usize,
    storages: Vec<Rc<Storage>>,
}

/// A pickle that was read.
pub struct Pickle {
    /// What it holds.
    pub value: Value,
    /// Bytes that it took.
    pub length: usize,
    /// Every storage it names, whatever became of it.
    pub storages: Vec<Rc<Storage>>,
}

/// Reads the pickle that `code` begins with.
///
/// # Errors
/// What is not understood or not allowed, by name.
pub fn read(code: &[u8]) -> Result<Pickle, Reason> {
    let mut machine = Machine {
        code,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: Vec::new(),
        contained: 0,
        storages: Vec::new(),
    };
    loop {
        let opcode = machine.byte()?;
        if opcode == b'.' {
            let value = machine.pop()?;
            return Ok(Pickle { value, length: machine.at, storages: machine.storages });
        }
        machine.step(opcode)?;
        if machine.stack.len() > MAX_VALUES || machine.contained > MAX_VALUES {
            return Err(format!("pickle holds more than {MAX_VALUES} values"));
        }
    }
}

impl Machine<'_> {
    fn bytes(&mut self, n: usize) -> Result<&[u8], Reason> {
        let end = self.at.checked_add(n).filter(|&e| e <= self.code.len()).ok_or("pickle ends too early")?;
        let part = &self.code[self.at..end];
        self.at = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, Reason> {
        Ok(self.array::<1>()?[0])
    }

    fn line(&mut self) -> Result<String, Reason> {
        let end = self.code[self.at..].iter().position(|&b| b == b'\n').ok_or("pickle ends too early")?;
        let line = String::from_utf8_lossy(self.bytes(end)?).into_owned();
        self.at += 1;
        Ok(line)
    }

    fn text(&mut self, n: usize) -> Result<Value, Reason> {
        let text = std::str::from_utf8(self.bytes(n)?).map_err(|_| "pickle has text that is not UTF-8")?;
        Ok(Value::Text(text.into()))
    }

    fn pop(&mut self) -> Result<Value, Reason> {
        self.stack.pop().ok_or_else(|| "pickle takes from an empty stack".to_owned())
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, Reason> {
        let mark = self.marks.pop().filter(|&m| m <= self.stack.len()).ok_or("pickle has no mark")?;
        Ok(self.stack.split_off(mark))
    }

    fn last(&mut self, n: usize) -> Result<Vec<Value>, Reason> {
        let from = self.stack.len().checked_sub(n).ok_or("pickle takes from an empty stack")?;
        Ok(self.stack.split_off(from))
    }

    fn remember(&mut self, slot: usize) -> Result<(), Reason> {
        if slot >= MAX_VALUES {
            return Err(format!("pickle remembers more than {MAX_VALUES} values"));
        }
        // Containers are copied, so what is put into one after it was remembered is not seen through the memo. A state
        // dict remembers its dict but never asks for it again.
        let value = match self.stack.last() {
            Some(Value::Dict(..)) | None => None,
            Some(other) => Some(other.clone()),
        };
        if self.memo.len() <= slot {
            self.memo.resize(slot + 1, None);
        }
        self.memo[slot] = value;
        Ok(())
    }

    fn recall(&mut self, slot: usize) -> Result<(), Reason> {
        let value = self.memo.get(slot).cloned().flatten().ok_or("pickle asks for a value it does not hold")?;
        self.stack.push(value);
        Ok(())
    }

    fn sequence(&mut self, values: Vec<Value>) -> Result<Value, Reason> {
        self.contained += values.len();
        let depth = nested(values.iter().map(Value::depth).max().unwrap_or(0))?;
        Ok(Value::Rng(values.into(), depth))
    }

    fn insert(&mut self, pairs: Vec<Value>) -> Result<(), Reason> {
        if !pairs.len().is_multiple_of(2) {
            return Err("pickle has a key without a value".to_owned());
        }
        self.contained += pairs.len();
        let Some(Value::Dict(dict, depth)) = self.stack.last_mut() else {
            return Err("pickle puts an entry into something that is not a dict".to_owned());
        };
        // Nothing else holds the dict on top of the stack: the memo keeps none.
        let dict = Rc::make_mut(dict);
        let mut pairs = pairs.into_iter();
        while let (Some(key), Some(value)) = (pairs.next(), pairs.next()) {
            *depth = (*depth).max(nested(key.depth().max(value.depth()))?);
            dict.push((key, value));
        }
        Ok(())
    }

    fn append(&mut self, values: Vec<Value>) -> Result<(), Reason> {
        match self.pop()? {
            Value::Rng(old, _) => {
                let longer = self.sequence(old.iter().cloned().chain(values).collect())?;
                self.stack.push(longer);
                Ok(())
            }
            _ => Err("pickle appends to something that is not a list".to_owned()),
        }
    }

    /// One instruction; names in comments are those of Python's `pickletools`.
    fn step(&mut self, opcode: u8) -> Result<(), Reason> {
        let value = match opcode {
            // PROTO
            0x80 => {
                let version = self.byte()?;
                return if version <= 3 { Ok(()) } else { Err(format!("pickle protocol {version} is not read")) };
            }
            // MARK
            b'(' => {
                self.marks.push(self.stack.len());
                return if self.marks.len() <= 1000 { Ok(()) } else { Err("pickle is nested too deeply".to_owned()) };
            }
            // BINPUT, LONG_BINPUT
            b'q' => {
                let slot = usize::from(self.byte()?);
                return self.remember(slot);
            }
            b'r' => {
                let slot = u32::from_le_bytes(self.array()?) as usize;
                return self.remember(slot);
            }
            // BINGET, LONG_BINGET
            b'h' => {
                let slot = usize::from(self.byte()?);
                return self.recall(slot);
            }
            b'j' => {
                let slot = u32::from_le_bytes(self.array()?) as usize;
                return self.recall(slot);
            }
            // SETITEM, SETITEMS, APPEND, APPENDS
            b's' => {
                let pair = self.last(2)?;
                return self.insert(pair);
            }
            b'u' => {
                let pairs = self.since_mark()?;
                return self.insert(pairs);
            }
            b'a' => {
                let value = self.last(1)?;
                return self.append(value);
            }
            b'e' => {
                let values = self.since_mark()?;
                return self.append(values);
            }
            // BUILD: attributes of an object, here the state dict's `_metadata`; not needed.
            b'b' => {
                self.pop()?;
                return Ok(());
            }
            // NONE, NEWTRUE, NEWFALSE
            b'N' => Value::None,
            0x88 | 0x89 => Value::Bool,
            // BININT, BININT1, BININT2, LONG1
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.array()?))),
            b'K' => Value::Int(i64::from(self.byte()?)),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.array()?))),
            0x8a => {
                let n = usize::from(self.byte()?);
                let bytes = self.bytes(n)?;
                let mut wide = [if bytes.last().is_some_and(|b| b & 0x80 != 0) { 0xff } else { 0 }; 8];
                wide.get_mut(..n).ok_or("pickle has an integer of more than 8 bytes")?.copy_from_slice(bytes);
                Value::Int(i64::from_le_bytes(wide))
            }
            // BINFLOAT
            b'G' => {
                self.bytes(8)?;
                Value::Float
            }
            // BINUNICODE, SHORT_BINUNICODE
            b'X' => {
                let n = u32::from_le_bytes(self.array()?) as usize;
                self.text(n)?
            }
            0x8c => {
                let n = usize::from(self.byte()?);
                self.text(n)?
            }
            // EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE
            b'}' => Value::Dict(Rc::default(), 0),
            b']' | b')' => Value::Rng(Rc::new([]), 0),
            // TUPLE, TUPLE1, TUPLE2, TUPLE3
            b't' => {
                let values = self.since_mark()?;
                self.sequence(values)?
            }
            0x85..=0x87 => {
                let values = self.last(usize::from(opcode - 0x84))?;
                self.sequence(values)?
            }
            // GLOBAL
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                Value::Global(global(&module, &name)?)
            }
            // REDUCE
            b'R' => {
                let arguments = self.pop()?;
                match (self.pop()?, arguments) {
                    (Value::Global(callee), Value::Rng(arguments, _)) => call(callee, &arguments)?,
                    _ => return Err("pickle calls something that is not a known global".to_owned()),
                }
            }
            // BINPERSID
            b'Q' => {
                let storage = Rc::new(storage(&self.pop()?)?);
                self.storages.push(Rc::clone(&storage));
                Value::Storage(storage)
            }
            other => return Err(format!("pickle has instruction 0x{other:02x}, which a state dict does not need")),
        };
        self.stack.push(value);
        Ok(())
    }
}

fn global(module: &str, name: &str) -> Result<Global, Reason> {
    Ok(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch", "FloatStorage") => Global::StorageType(Element::F32),
        ("torch", "DoubleStorage") => Global::StorageType(Element::F64),
        ("torch", "HalfStorage") => Global::StorageType(Element::F16),
        ("torch", "BFloat16Storage") => Global::StorageType(Element::Bf16),
        ("torch", "LongStorage") => Global::StorageType(Element::I64),
        _ => {
            return Err(format!(
                "pickle asks for {module}.{name}, which is not allowed: only plain state dicts are read"
            ));
        }
    })
}

fn call(callee: Global, arguments: &[Value]) -> Result<Value, Reason> {
    match (callee, arguments) {
        (Global::OrderedDict, []) => Ok(Value::Dict(Rc::default(), 0)),
        (Global::RebuildParameter, [tensor @ Value::Tensor(_), ..]) => Ok(tensor.clone()),
        (
            Global::RebuildTensor,
            [Value::Storage(storage), Value::Int(offset), Value::Rng(shape, _), Value::Rng(stride, _), ..],
        ) if shape.len() == stride.len() => Ok(Value::Tensor(Rc::new(TensorView {
            storage: Rc::clone(storage),
            offset: usize::try_from(*offset).map_err(|_| "tensor begins before its storage")?,
            shape: sizes(shape)?,
            stride: sizes(stride)?,
        }))),
        _ => Err(format!("pickle calls {callee:?} with arguments that do not suit it")),
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>, Reason> {
    if values.len() > MAX_RANK {
        return Err(format!("tensor has {} dimensions, at most {MAX_RANK} are read", values.len()));
    }
    let size = |v: &Value| match v {
        Value::Int(n) => usize::try_from(*n).ok(),
        _ => None,
    };
    values.iter().map(size).collect::<Option<_>>().ok_or_else(|| "tensor has a size that is not a number".to_owned())
}

/// A persistent id: `('storage', type, key, location, values)`, before PyTorch 1.6 with what it is a view of, or None.
fn storage(id: &Value) -> Result<Storage, Reason> {
    if let Value::Rng(parts, _) = id
        && let [Value::Text(kind), Value::Global(Global::StorageType(element)), Value::Text(key), ..] = &parts[..]
        && &**kind == "storage"
        && matches!(parts.get(5), None | Some(Value::None))
    {
        return Ok(Storage { element: *element, key: Rc::clone(key) });
    }
    Err("pickle names an object outside itself that is not a storage".to_owned())
}
