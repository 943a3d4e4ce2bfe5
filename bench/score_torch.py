"""PyTorch's half of bench/score: reads commands, a line each, and answers each with a line of JSON.

load FOLDER                                  the model and the regions that our half wrote
logits FORM DTYPE                            of the first photo against all
time FORM DTYPE MODE BATCH THREADS SECONDS   best and median pairs a second; MODE is eager or compile

Two forms, both with every exact saving: T_outᵀ T_in is one matrix, and of the last layer only one row is computed.
`literal` makes nodes from squared differences; `prepared` expands the square, and has of the query what does not depend on
an item ready before the clock starts. Items are float tensors of unit windows: no conversion is on this side's clock.
"""

import json
import sys
import time
from pathlib import Path

import torch
from model_file import read_model

GRIDS = (1, 2, 3)
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class Score:
    """One query's scores in one number type."""

    def __init__(self, folder, dtype):
        tensors, config = read_model(folder / "model.safetensors")
        channels, layers = config["channels"], config["graph"]["layers"]
        windows = sum(g * g for g in GRIDS)
        regions = torch.frombuffer(bytearray((folder / "regions.f32").read_bytes()), dtype=torch.float32)
        regions = torch.nn.functional.normalize(regions.view(-1, windows, channels), dim=2)
        self.items, self.query = regions.to(dtype), regions[0].to(dtype)
        self.project, self.bias = tensors["graph.project.weight"].to(dtype), tensors["graph.project.bias"].to(dtype)
        self.attend, self.attend_bias, self.update, self.update_bias = [], [], [], []
        for layer in range(layers):
            part = {key: tensors[f"graph.layers.{layer}.{key}"] for key in
                    ("out.weight", "out.bias", "in.weight", "update.weight", "update.bias")}
            self.attend.append((part["out.weight"].T @ part["in.weight"]).to(dtype))
            self.attend_bias.append((part["out.bias"] @ part["in.weight"]).to(dtype))
            self.update.append(part["update.weight"].T.contiguous().to(dtype))
            self.update_bias.append(part["update.bias"].to(dtype))
        self.readout, self.constant = tensors["graph.readout.weight"].to(dtype), tensors["graph.readout.bias"].to(dtype)
        left, right, self.scales, first = [], [], [], 0
        for grid in GRIDS:
            count = grid * grid
            left += [first + i for i in range(count) for _ in range(count)]
            right += [first + j for _ in range(count) for j in range(count)]
            self.scales.append((first, count))
            first += count
        self.right, self.left_windows = torch.tensor(right), self.query[torch.tensor(left)]
        # For the prepared form: -2 P diag(x_i), and P x_i² + b.
        self.crossed = [(-2 * self.project[None] * self.query[f : f + n][:, None]).reshape(-1, channels).T.contiguous()
                        for f, n in self.scales]
        self.squares = (self.query * self.query) @ self.project.T + self.bias

    def graph(self, z):
        s = torch.nn.functional.normalize(z, dim=-1)
        last = len(self.attend) - 1
        for layer in range(last + 1):
            asking = s[:, :1] if layer == last else s
            e = (asking @ self.attend[layer] + self.attend_bias[layer]) @ s.transpose(1, 2)
            s = torch.relu(torch.softmax(e, -1) @ s @ self.update[layer] + self.update_bias[layer])
        return s[:, 0] @ self.readout + self.constant

    def literal(self, items):
        return self.graph((self.left_windows - items[:, self.right]).square() @ self.project.T + self.bias)

    def prepared(self, items):
        own = (items * items) @ self.project.T
        nodes = []
        for (first, count), crossed in zip(self.scales, self.crossed):
            windows = items[:, first : first + count]
            cross = (windows.reshape(-1, items.shape[2]) @ crossed).view(len(items), count, count, -1).transpose(1, 2)
            both = self.squares[first : first + count][None, :, None] + own[:, None, first : first + count]
            nodes.append((cross + both).reshape(len(items), count * count, -1))
        return self.graph(torch.cat(nodes, 1))


def measure(function, items, seconds):
    function(items)
    function(items)
    rates, begin = [], time.perf_counter()
    while time.perf_counter() - begin < seconds or not rates:
        start = time.perf_counter()
        function(items)
        rates.append(len(items) / (time.perf_counter() - start))
    rates.sort()
    return {"best": rates[-1], "median": rates[len(rates) // 2]}


def main():
    scores, compiled, folder = {}, {}, None
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "load":
                folder, scores, compiled = Path(words[1]), {}, {}
                torch._dynamo.reset()
                answer = {"torch": torch.__version__}
            else:
                form, dtype = words[1:3]
                score = scores.setdefault(dtype, Score(folder, DTYPES[dtype]) if dtype not in scores else None)
                function = getattr(score, form)
                with torch.inference_mode():
                    if words[0] == "logits":
                        answer = {"logits": function(score.items).double().tolist()}
                    else:
                        mode, batch, threads, seconds = words[3], int(words[4]), int(words[5]), float(words[6])
                        torch.set_num_threads(threads)
                        if mode == "compile":
                            # Compiled code has its number of threads in it.
                            key = (form, dtype, batch, threads)
                            if key not in compiled:
                                torch._dynamo.reset()
                                compiled[key] = torch.compile(function, dynamic=False)
                            function = compiled[key]
                        answer = measure(function, score.items[:batch], seconds)
        except Exception as error:  # whatever PyTorch raises: the other half goes on without the figure
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), flush=True)


main()
