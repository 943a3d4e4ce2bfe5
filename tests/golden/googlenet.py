#!/usr/bin/python3
"""torchvision's own GoogLeNet on seeded weights, for crates/nn's test.

The weights (24 MB) are not stored: tensor n of the sorted names is Numbers(n), scaled by its role. What is stored are
torchvision's names and shapes, and every seventh value of the map that leaves inception5b.

Run by hand:  /usr/bin/python3 googlenet.py > googlenet.json
Made with Debian 12's python3-torch 1.13.0a0 and python3-torchvision 0.14.1a0, Python 3.11, on x86-64.
"""
import json
import sys

import torch
import torchvision

from seeded import Numbers, sample

# Not a multiple of 32: every pooling in ceil mode rounds up once.
SIZE = 110


def weight(name, shape, number):
    values = Numbers(number).unit(torch.Size(shape).numel()).reshape(shape)
    if len(shape) == 4:
        values = values * (6 / (shape[1] * shape[2] * shape[3])) ** 0.5
    elif name.endswith("running_var"):
        values = 1 + values / 2
    elif name.endswith("bn.weight"):
        values = 1 + values / 4
    else:
        values = values / 8
    return values.float()


def main():
    model = torchvision.models.GoogLeNet(aux_logits=False, transform_input=False, init_weights=False).eval()
    names = sorted(n for n in model.state_dict() if not n.startswith("fc.") and not n.endswith("num_batches_tracked"))
    shapes = {n: list(model.state_dict()[n].shape) for n in names}
    weights = {n: weight(n, shapes[n], i) for i, n in enumerate(names)}
    missing = model.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys
    maps = []
    model.inception5b.register_forward_hook(lambda module, inputs, output: maps.append(output))
    photo = (Numbers(777).photo(SIZE).double().permute(2, 0, 1).unsqueeze(0) - 127.5) / 127.5
    with torch.no_grad():
        model(photo.float())
    json.dump(dict(size=SIZE, photo=777, weights=[[n, shapes[n]] for n in names], map=sample(maps[0], 7)), sys.stdout,
              separators=(",", ":"))
    sys.stdout.write("\n")


main()
