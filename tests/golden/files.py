#!/usr/bin/python3
"""Small weights files as PyTorch writes them, for the importer's and the TorchScript backbone's tests.

state_dict.pth       an ordinary state dict: OrderedDict with _metadata, a step counter, a transposed view, half precision
executable.pth       a pickle that calls os.getcwd: must be refused by name, and nothing called
module.torchscript   3x3 convolution of stride 16 to 5 channels, and a ReLU
module.json          its map of the photo Numbers(777).photo(64), and the state dict's values

Run by hand:  /usr/bin/python3 files.py
Made with Debian 12's python3-torch 1.13.0a0, Python 3.11, on x86-64.
"""
import json
import os

import torch

from seeded import Numbers, sample


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 5, 3, stride=16)

    def forward(self, x):
        return torch.relu(self.conv(x))


class Executable:
    def __reduce__(self):
        return os.getcwd, ()


def main():
    net = Net().eval()
    with torch.no_grad():
        net.conv.weight.copy_(Numbers(1).unit(135).reshape(5, 3, 3, 3))
        net.conv.bias.copy_(Numbers(2).unit(5))
    norm = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        norm[0].weight.copy_(torch.arange(6.0).reshape(2, 3))
    state = norm.state_dict()
    state["transposed"] = torch.arange(6.0).reshape(2, 3).T[1:]
    state["half"] = torch.tensor([0.5, -2.0]).half()
    torch.save(state, "state_dict.pth")
    torch.save({"state_dict": Executable()}, "executable.pth")
    torch.jit.script(net).save("module.torchscript")
    photo = (Numbers(777).photo(64).double().permute(2, 0, 1).unsqueeze(0) - 127.5) / 127.5
    with torch.no_grad():
        map_ = net(photo.float())
    values = {name: [float(v) for v in value.reshape(-1)] for name, value in state.items() if value.is_floating_point()}
    json.dump(dict(map=sample(map_, 1), state_dict=values), open("module.json", "w"), separators=(",", ":"))


main()
