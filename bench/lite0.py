"""EfficientNet-Lite0 and the pyramid of a model file in PyTorch, as one would write them: the rival of bench/embed."""

import torch
from torch import nn
from torch.nn import functional

# Expansion, kernel, stride of the first block, channels, blocks.
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1))


class Convolution(nn.Sequential):
    """Padding as TensorFlow's SAME, convolution, batch norm, ReLU6."""

    def __init__(self, before, after, kernel, stride, groups=1, active=True):
        total = kernel - stride
        sides = (total // 2, total - total // 2)
        layers = [] if stride == 1 else [nn.ZeroPad2d(sides * 2)]
        padding = total // 2 if stride == 1 else 0
        layers += [nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(after, eps=1e-3)]
        super().__init__(*layers, *([nn.ReLU6(inplace=True)] if active else []))

    def read(self, tensors, convolution, norm):
        for layer in self:
            name = {nn.Conv2d: convolution, nn.BatchNorm2d: norm}.get(type(layer))
            if name:
                keys = [key for key in layer.state_dict() if key != "num_batches_tracked"]
                layer.load_state_dict({key: tensors[f"backbone.{name}.{key}"] for key in keys}, strict=False)


class Block(nn.Module):
    """An inverted residual."""

    def __init__(self, before, after, expansion, kernel, stride):
        super().__init__()
        inner = before * expansion
        self.expand = Convolution(before, inner, 1, 1) if expansion > 1 else nn.Identity()
        self.depthwise = Convolution(inner, inner, kernel, stride, groups=inner)
        self.project = Convolution(inner, after, 1, 1, active=False)
        self.residual = stride == 1 and before == after

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class Features(nn.Module):
    """Pixels `[B, 3, S, S]`, normalised, to regions `[B, M, C]` of unit norm."""

    def __init__(self, tensors, config):
        super().__init__()
        if config["backbone"]["kind"] != "efficientnet_lite0" or config["pyramid"]["pooling"]["kind"] != "average":
            raise ValueError("only EfficientNet-Lite0 with average pooling was written down here")
        blocks, before = [], 32
        for expansion, kernel, stride, after, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(before, after, expansion, kernel, stride if repeat == 0 else 1))
                before = after
        self.stem, self.blocks, self.head = Convolution(3, 32, 3, 2), nn.Sequential(*blocks), Convolution(before, 1280, 1, 1)
        self.reduction = nn.Linear(1280, config["channels"])
        with torch.no_grad():
            self.stem.read(tensors, "_conv_stem", "_bn0")
            self.head.read(tensors, "_conv_head", "_bn1")
            for number, block in enumerate(blocks):
                name = f"_blocks.{number}."
                if isinstance(block.expand, Convolution):
                    block.expand.read(tensors, name + "_expand_conv", name + "_bn0")
                block.depthwise.read(tensors, name + "_depthwise_conv", name + "_bn1")
                block.project.read(tensors, name + "_project_conv", name + "_bn2")
            self.reduction.weight.copy_(tensors["reduction.weight"])
            self.reduction.bias.copy_(tensors["reduction.bias"])
        cells = config["input"]["size"] // 32
        self.register_buffer("shares", shares(config["pyramid"]["grids"], cells))
        self.eval()

    def forward(self, x):
        y = self.head(self.blocks(self.stem(x)))
        cells = y.permute(0, 2, 3, 1).reshape(y.shape[0], -1, y.shape[1])
        # Means and linear maps commute: 14 vectors to reduce instead of 49.
        return functional.normalize(self.reduction(self.shares @ cells), dim=2)


def shares(grids, cells):
    """Share of every cell in every region's mean, `[M, cells²]`: windows of ⌈cells / g⌉, the i-th from ⌊i · cells / g⌋ on."""
    rows = []
    for grid in grids:
        cuts = [(i * cells // grid, -(-(i + 1) * cells // grid)) for i in range(grid)]
        for top, bottom in cuts:
            for left, right in cuts:
                window = torch.zeros(cells, cells)
                window[top:bottom, left:right] = 1.0 / ((bottom - top) * (right - left))
                rows.append(window.flatten())
    return torch.stack(rows)
