#!/usr/bin/python3
"""torchvision's own ResNet-50 and MobileNetV2 on seeded weights, for crates/nn's test.

As googlenet.py: tensor n of the sorted names is Numbers(n), scaled by its role. Stored are torchvision's names and
shapes, and some values of the map in front of the pooling.

Run by hand:  python3 torchvision_networks.py resnet50 > resnet50.json
              python3 torchvision_networks.py mobilenet_v2 > mobilenet_v2.json
Made with torch 2.13.0 and torchvision 0.28.0, Python 3.11, on x86-64.
"""
import json
import sys

import torch
import torchvision

from seeded import Numbers, sample

# Not a multiple of 32: every stride rounds up once.
SIZE = 78
MEAN, DEVIATION = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])


def weight(name, shape, number):
    values = Numbers(number).unit(torch.Size(shape).numel()).reshape(shape)
    if len(shape) == 4:
        values = values * (6 / (shape[1] * shape[2] * shape[3])) ** 0.5
    elif name.endswith("running_var"):
        values = 1 + values / 2
    elif name.endswith(".weight"):
        values = 1 + values / 4
    else:
        values = values / 8
    return values.float()


def main():
    kind = sys.argv[1]
    model = getattr(torchvision.models, kind)().eval()
    left_out = ("fc.", "classifier.")
    names = sorted(n for n in model.state_dict()
                   if not n.startswith(left_out) and not n.endswith("num_batches_tracked"))
    shapes = {n: list(model.state_dict()[n].shape) for n in names}
    missing = model.load_state_dict({n: weight(n, shapes[n], i) for i, n in enumerate(names)}, strict=False)
    assert not missing.unexpected_keys
    maps = []
    last = model.layer4 if kind == "resnet50" else model.features
    last.register_forward_hook(lambda module, inputs, output: maps.append(output))
    photo = ((Numbers(777).photo(SIZE).double() - MEAN) / DEVIATION).permute(2, 0, 1).unsqueeze(0)
    with torch.no_grad():
        model(photo.float())
    json.dump(dict(size=SIZE, photo=777, weights=[[n, shapes[n]] for n in names], map=sample(maps[0], 37)), sys.stdout,
              separators=(",", ":"))
    sys.stdout.write("\n")


main()
