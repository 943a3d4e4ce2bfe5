"""The rivals' half of bench/embed: Pillow, torchvision's transforms, and the backbone in PyTorch or onnxruntime.

Reads commands, a line each, and answers each with a line of JSON. SETTING is JSON without blanks:
{"network": "torch" | "onnx", "mode": "eager" | "frozen" | "compile" | "spin" | "sleep", "dtype": "f32" | "bf16",
 "layout": "channels_last" | "contiguous", "draft": bool, "decoders": N, "threads": N, "batch": N}
Decoders are threads beside the network; 0: photos are decoded in the network's own thread, before each batch.

load MODEL FOLDER              a model file, and a folder where the ONNX file may go
photos SET FOLDER              reads a folder's photos into memory
features SET COUNT SETTING     regions of the first photos
time SET SECONDS SETTING       photos a second from bytes to features in half precision
single SET COUNT SETTING       milliseconds of each photo alone
"""

import collections
import concurrent.futures
import io
import json
import os
import sys
import time
import warnings
from pathlib import Path

import numpy
import onnxruntime
import torch
import torch._inductor.config
from lite0 import Features
from model_file import read_model
from PIL import Image, ImageOps
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class Pipeline:
    """A model, its networks in all settings, and photos."""

    def __init__(self, model, folder):
        self.tensors, self.config = read_model(model)
        self.size = self.config["input"]["size"]
        self.shift = torch.tensor(self.config["input"]["mean"]).view(1, 3, 1, 1)
        self.scale = torch.tensor(self.config["input"]["std"]).view(1, 3, 1, 1)
        self.onnx = folder / "features.onnx"
        self.networks, self.sets = {}, {}

    def prepare(self, data, draft):
        """Bytes to the upright photo in the middle of a white square, `[3, S, S]` bytes."""
        image = Image.open(io.BytesIO(data))
        share = self.size / max(image.size)
        if draft:
            # As our side does: at the reduced scale that keeps twice the wanted size.
            image.draft("RGB", [max(1, round(2 * side * share)) for side in image.size])
        image = ImageOps.exif_transpose(image).convert("RGB")
        share = self.size / max(image.size)
        width, height = (max(1, round(side * share)) for side in image.size)
        image = transforms.resize(image, [height, width], InterpolationMode.BICUBIC)
        left, top = (self.size - width) // 2, (self.size - height) // 2
        sides = [left, top, self.size - width - left, self.size - height - top]
        return transforms.pil_to_tensor(transforms.pad(image, sides, fill=255))

    def network(self, setting):
        """Prepared photos to features, as a function."""
        threads, batch = setting["threads"], setting["batch"]
        key = tuple(setting[name] for name in ("network", "mode", "dtype", "layout", "threads"))
        # What is compiled has the batch in it.
        key += (batch,) if setting["mode"] in ("frozen", "compile") else ()
        if key not in self.networks:
            torch.set_num_threads(threads)
            self.networks[key] = self.session(setting) if setting["network"] == "onnx" else self.module(setting)
        return self.networks[key]

    def session(self, setting):
        if not self.onnx.exists():
            example = torch.zeros(2, 3, self.size, self.size)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                axes = {"pixels": {0: "photos"}, "regions": {0: "photos"}}
                torch.onnx.export(Features(self.tensors, self.config), (example,), str(self.onnx), dynamo=False,
                                  input_names=["pixels"], output_names=["regions"], dynamic_axes=axes)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = setting["threads"]
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if setting["mode"] == "spin" else "0")
        session = onnxruntime.InferenceSession(str(self.onnx), options, providers=["CPUExecutionProvider"])
        return lambda pixels: session.run(None, {"pixels": self.normalised(pixels).numpy()})[0].astype(numpy.float16)

    def module(self, setting):
        dtype = DTYPES[setting["dtype"]]
        layout = torch.channels_last if setting["layout"] == "channels_last" else torch.contiguous_format
        module = Features(self.tensors, self.config).to(dtype).to(memory_format=layout)
        example = torch.zeros(setting["batch"], 3, self.size, self.size).to(dtype).to(memory_format=layout)
        if setting["mode"] == "frozen":
            module = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(module, example)))
        elif setting["mode"] == "compile":
            torch._inductor.config.freezing = True
            module = torch.compile(module, dynamic=False)
        return lambda pixels: module(self.normalised(pixels).to(dtype).to(memory_format=layout)).half().numpy()

    def normalised(self, pixels):
        return (torch.stack(pixels).float() - self.shift) / self.scale

    def batches(self, photos, setting):
        """Prepared photos, a batch at a time; two batches are decoded ahead."""
        size, draft = setting["batch"], setting["draft"]
        groups = [photos[at : at + size] for at in range(0, len(photos), size)]
        if setting["decoders"] == 0:
            for group in groups:
                yield [self.prepare(data, draft) for data in group]
            return
        with concurrent.futures.ThreadPoolExecutor(setting["decoders"]) as pool:
            waiting = collections.deque()
            for group in groups:
                waiting.append([pool.submit(self.prepare, data, draft) for data in group])
                if len(waiting) > 2:
                    yield [photo.result() for photo in waiting.popleft()]
            for group in waiting:
                yield [photo.result() for photo in group]

    def embed(self, photos, setting):
        network = self.network(setting)
        torch.set_num_threads(setting["threads"])
        return [row for batch in self.batches(photos, setting) for row in network(batch)]

    def time(self, photos, seconds, setting):
        # A first pass at the size of a batch: what is compiled or allocated on first use is not on the clock.
        self.embed(photos[: setting["batch"]] * 2, setting)
        rates, taken, count, before = [], 0.0, 0, os.times()
        while taken < seconds:
            start = time.perf_counter()
            done = len(self.embed(photos, setting))
            took = time.perf_counter() - start
            rates.append(done / took)
            taken, count = taken + took, count + done
        after = os.times()
        cpu = after.user + after.system - before.user - before.system
        return {"best": max(rates), "rate": count / taken, "cpu_ms": cpu * 1e3 / count}

    def single(self, photos, count, setting):
        self.embed(photos[:2], setting)
        ms = []
        for number in range(count):
            start = time.perf_counter()
            self.embed([photos[number % len(photos)]], setting)
            ms.append((time.perf_counter() - start) * 1e3)
        return {"ms": ms}

    def answer(self, words):
        if words[0] == "photos":
            self.sets[words[1]] = [file.read_bytes() for file in sorted(Path(" ".join(words[2:])).iterdir())]
            return {"photos": len(self.sets[words[1]])}
        photos, setting = self.sets[words[1]], json.loads(words[3])
        if words[0] == "features":
            # The last batch may be a part of one, which compiled code has no shape for.
            rows = self.embed(photos[: int(words[2])], setting)
            return {"features": [row.astype(float).flatten().tolist() for row in rows]}
        if words[0] == "time":
            return self.time(photos, float(words[2]), setting)
        if words[0] == "single":
            return self.single(photos, int(words[2]), setting)
        raise ValueError(f"unknown command {words[0]}")


def main():
    pipeline = None
    for line in sys.stdin:
        words = line.rstrip("\n").split(" ")
        try:
            with torch.inference_mode() if pipeline else torch.no_grad():
                if words[0] == "load":
                    pipeline = Pipeline(Path(words[1]), Path(words[2]))
                    answer = {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
                else:
                    answer = pipeline.answer(words)
        except Exception as error:  # whatever a library raises: the driver goes on without the figure
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), flush=True)


main()
