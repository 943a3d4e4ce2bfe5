#!/usr/bin/python3
"""EfficientNet-Lite0 in PyTorch, on the weights of models/base, for crates/nn's test.

Written from the architecture's table (Liu, "EfficientNet-Lite", 2020) without batch-norm folding and independently of
the Rust code: stages, TensorFlow's SAME padding, ReLU6, batch norm's eps 1e-3. With a second and a third argument (the
original weights and a golden file of another implementation, both safetensors) it first proves itself against those.

Run by hand:  /usr/bin/python3 efficientnet_lite0.py ../../models/base/base.safetensors > efficientnet_lite0.json
Made with Debian 12's python3-torch 1.13.0a0, Python 3.11, on x86-64.
"""
import json
import struct
import sys

import torch
from torch.nn import functional as F

from seeded import Numbers, sample

STAGES = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
          (6, 3, 1, 320, 1)]
TYPES = {"F32": torch.float32, "F16": torch.float16, "U8": torch.uint8}


def safetensors(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__" or entry["dtype"] not in TYPES:
            continue
        start, end = entry["data_offsets"]
        part = bytearray(data[8 + size + start:8 + size + end])
        tensors[name] = torch.frombuffer(part, dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def network(t, x):
    t = {name: value.to(x.dtype) for name, value in t.items()}

    def conv(x, name, stride=1, depthwise=False):
        weight = t[name + ".weight"]
        total = weight.shape[2] - stride
        before, after = (total // 2, total - total // 2)
        x = F.pad(x, (before, after, before, after))
        return F.conv2d(x, weight, stride=stride, groups=weight.shape[0] if depthwise else 1)

    def norm(x, name):
        return F.batch_norm(x, t[name + ".running_mean"], t[name + ".running_var"], t[name + ".weight"],
                            t[name + ".bias"], eps=1e-3)

    x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    number = 0
    for expansion, kernel, first, channels, repeats in STAGES:
        for repeat in range(repeats):
            name, stride, y = f"_blocks.{number}.", first if repeat == 0 else 1, x
            if expansion > 1:
                y = F.relu6(norm(conv(y, name + "_expand_conv"), name + "_bn0"))
            assert t[name + "_depthwise_conv.weight"].shape[2] == kernel
            y = F.relu6(norm(conv(y, name + "_depthwise_conv", stride, True), name + "_bn1"))
            y = norm(conv(y, name + "_project_conv"), name + "_bn2")
            x = x + y if stride == 1 and x.shape[1] == channels else y
            number += 1
    return F.relu6(norm(conv(x, "_conv_head"), "_bn1"))


def photo(bytes_):
    return (bytes_.double().permute(2, 0, 1).unsqueeze(0) - 127) / 128


def main():
    if len(sys.argv) == 4:
        weights, golden = safetensors(sys.argv[2]), safetensors(sys.argv[3])
        for given, expected in [(photo(golden["pixels_u8"]), "map"), (golden["random_input"].double(), "random_map")]:
            worst = (network(weights, given) - golden[expected]).abs().max() / golden[expected].abs().max()
            print(f"{expected}: differs by {worst:.1e} of the largest value", file=sys.stderr)
            assert worst < 1e-4
    weights = {name[len("backbone."):]: value for name, value in safetensors(sys.argv[1]).items()
               if name.startswith("backbone.")}
    map_ = network(weights, photo(Numbers(777).photo(224)))
    json.dump(dict(size=224, photo=777, map=sample(map_, 31)), sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


main()
