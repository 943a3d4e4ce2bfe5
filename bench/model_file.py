"""A model file in Python: safetensors, with the configuration beside them."""

import json
import struct

import torch

DTYPES = {"F32": torch.float32, "F16": torch.float16}


def read_model(path):
    """Tensors in f32, and the configuration."""
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])
    config = json.loads(header.pop("__metadata__")["grnet"])
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        numbers = torch.frombuffer(bytearray(raw[begin:end]), dtype=DTYPES[entry["dtype"]])
        tensors[name] = numbers.view(entry["shape"]).float()
    return tensors, config
