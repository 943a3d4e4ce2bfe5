"""Drives bench/embed: photos to stored features through SQL, and the same in Python, in alternating rounds of one run.

usage: embed.py OUR_PROGRAM MODEL [--photos FOLDER ...] [--count N] [--rounds N] [--seconds S] [--quick] [--json FILE]
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

from halves import Half, processor, say

BENCH = "bench/embed"
KINDS = (".jpg", ".jpeg", ".png", ".webp")
# Ours: how photos become rows, and in how many sessions.
WAYS = (("trigger", 1), ("trigger", 4), ("array", 1), ("array", 2))
START = {"draft": True, "decoders": 1, "threads": 1, "batch": 8}
MODES = {
    "torch": [
        {"network": "torch", "mode": mode, "dtype": dtype, "layout": layout}
        for mode, dtype, layout in (
            ("eager", "f32", "contiguous"), ("eager", "f32", "channels_last"), ("eager", "bf16", "channels_last"),
            ("frozen", "f32", "channels_last"), ("compile", "f32", "channels_last"), ("compile", "bf16", "channels_last"),
        )
    ],
    "onnx": [{"network": "onnx", "mode": mode, "dtype": "f32", "layout": "contiguous"} for mode in ("sleep", "spin")],
}
# Decoders beside the network, and its own threads: two cores on both sides.
SPLITS = ((0, 2), (1, 1), (1, 2), (2, 1), (2, 2))
BATCHES = (1, 2, 4, 16, 32)


def packed(setting):
    return json.dumps(setting, separators=(",", ":"))


def named(setting):
    beside = f"{setting['decoders']} decoding" if setting["decoders"] else "decoding in turn"
    layout = " channels-last" if setting["layout"] == "channels_last" else ""
    return (f"{setting['network']} {setting['mode']} {setting['dtype']}{layout}, batch {setting['batch']}, {beside}, "
            f"{setting['threads']} threads{'' if setting['draft'] else ', no draft'}")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def agree(ours, theirs, name, count):
    """Smallest cosine of a region over the first photos, ours against theirs: the same work, or no comparison."""
    mine = ours.ask("features", name, count)["features"]
    smallest = {}
    for modes in MODES.values():
        for mode in modes:
            if mode["mode"] in ("compile", "frozen", "spin"):
                continue
            setting = {**START, **mode}
            other = theirs.ask("features", name, count, packed(setting))["features"]
            worst = 1.0
            for left, right in zip(mine, other, strict=True):
                for at in range(0, len(left), len(left) // 14):
                    a, b = left[at : at + len(left) // 14], right[at : at + len(left) // 14]
                    dot = sum(x * y for x, y in zip(a, b, strict=True))
                    worst = min(worst, dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b)))
            smallest[f"{mode['network']} {mode['dtype']} {mode['layout']}"] = worst
    say(f"  smallest cosine of a region, {count} photos: " + ", ".join(f"{key} {value:.4f}" for key, value in smallest.items()))
    if min(smallest.values()) < 0.98:
        sys.exit(f"{BENCH}: the features do not agree: not the same work")
    return smallest


def look(theirs, name, setting, seconds, seen):
    """One figure, taken once."""
    key = packed(setting)
    if key not in seen:
        answer = theirs.ask("time", name, seconds, key, allowed=True)
        if "error" in answer:
            say(f"    {named(setting)}: {answer['error']}")
        seen[key] = answer.get("best", 0.0)
    return seen[key]


def best_of(theirs, kind, name, seconds, quick):
    """The two settings that suit a rival best: one thing after another, from a sensible start."""
    seen = {}

    def best(settings):
        return max(settings, key=lambda setting: look(theirs, name, setting, seconds, seen))

    chosen = best([{**START, **mode} for mode in MODES[kind] if not (quick and mode["mode"] == "compile")])
    # Compiling once more for each batch takes minutes: every other mode is asked for all batches.
    plain = best([{**START, **mode} for mode in MODES[kind] if mode["mode"] != "compile"])
    for setting in {packed(chosen): chosen, packed(plain): plain}.values():
        setting = best([setting] + [{**setting, "decoders": d, "threads": t} for d, t in SPLITS])
        if setting["mode"] != "compile":
            setting = best([setting] + [{**setting, "batch": batch} for batch in BATCHES])
        best([setting, {**setting, "draft": False}])
    ranked = sorted((key for key in seen if seen[key]), key=seen.get, reverse=True)
    say(f"    {kind}, {len(seen)} settings: " + "; ".join(f"{named(json.loads(key))}: {seen[key]:.1f}" for key in ranked[:2]))
    return [json.loads(key) for key in ranked[:2]]


def measure_set(ours, theirs, name, args):
    say(f"{name}: {ours.ask('photos', name, args.folders[name])['photos']} photos")
    theirs.ask("photos", name, args.folders[name])
    result = {"set": name, "cosine": agree(ours, theirs, name, 12)}
    rivals = {kind: best_of(theirs, kind, name, args.seconds / 3, args.quick) for kind in MODES}
    series = {}
    for turn in range(args.rounds):
        say(f"    round {turn + 1} of {args.rounds}")
        for way, sessions in WAYS:
            series.setdefault(("ours", way, sessions), []).append(ours.ask("time", name, way, sessions, args.seconds))
        for kind, settings in rivals.items():
            for number, setting in enumerate(settings):
                answer = theirs.ask("time", name, args.seconds, packed(setting))
                series.setdefault((kind, number), []).append({**answer, "setting": named(setting)})
    return {**result, **report(series), **single(ours, theirs, name, args)}


def report(series):
    """Best passes and their ratios, the median of the rounds' own ratios, and where our time goes."""
    best = {key: max(answer["best"] for answer in answers) for key, answers in series.items()}
    fastest = {kind: max((key for key in best if key[0] == kind), key=best.get) for kind in ("ours", *MODES)}
    of_round = {kind: [max(answers) for answers in zip(*([a["rate"] for a in series[key]] for key in series if key[0] == kind))]
                for kind in fastest}
    lines = []
    for key, answers in series.items():
        middle = {part: statistics.median(answer[part] for answer in answers) for part in answers[0] if part != "setting"}
        what = f"ours, {key[1]}, {key[2]} sessions" if key[0] == "ours" else answers[0]["setting"]
        lines.append({"what": what, **middle, "best": best[key]})
        cpu = middle.get("cpu_ms") or middle["engine_ms"] + middle["sessions_ms"]
        say(f"  {what}: {best[key]:.1f} photos/s, median {middle['rate']:.1f}, {cpu:.1f} ms of processor a photo")
        if key[0] == "ours":
            say("    a photo: " + ", ".join(f"{part} {middle[part]:.1f}" for part in
                                            ("wall_ms", "decode_ms", "model_ms", "engine_ms", "sessions_ms", "batch")))
    ratios = {}
    for kind in MODES:
        rounds = [mine / other for mine, other in zip(of_round["ours"], of_round[kind])]
        ratios[kind] = {"best": best[fastest["ours"]] / best[fastest[kind]], "median": statistics.median(rounds)}
        say(f"  against {kind}: {ratios[kind]['best']:.2f} times (best), {ratios[kind]['median']:.2f} (rounds' median)")
    return {"lines": lines, "ratios": ratios}


def single(ours, theirs, name, args):
    """One photo at a time: ours in a session, theirs in the settings that decode and compute in turn."""
    count, answers = args.singles, {}
    settings = [{**START, **mode, "decoders": 0, "threads": threads, "batch": 1}
                for modes in MODES.values() for mode in modes for threads in (1, 2)
                if mode["mode"] in ("eager", "sleep") and mode["dtype"] == "f32"]
    for _ in range(2):
        answers.setdefault("ours, one session", []).extend(ours.ask("single", name, count)["ms"])
        for setting in settings:
            answers.setdefault(named(setting), []).extend(theirs.ask("single", name, count, packed(setting))["ms"])
    latency = {what: {"p50": percentile(ms, 0.5), "p95": percentile(ms, 0.95)} for what, ms in answers.items()}
    for what, line in latency.items():
        say(f"  one photo: {what}: p50 {line['p50']:.1f} ms, p95 {line['p95']:.1f} ms")
    return {"single": latency}


def sample(folder, count, into):
    """`count` photos of a folder, evenly spread over the order of their names."""
    files = sorted(file for file in Path(folder).iterdir() if file.suffix.lower() in KINDS)
    if not files:
        sys.exit(f"{BENCH}: {folder} has no photos ({', '.join(KINDS)})")
    place = into / f"{Path(folder).resolve().name.replace(' ', '_')}"
    place.mkdir()
    for number in range(min(count, len(files))):
        file = files[number * len(files) // min(count, len(files))]
        (place / file.name).symlink_to(file.resolve())
    return place


def main():
    parser = argparse.ArgumentParser(prog=BENCH)
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("model", help=argparse.SUPPRESS)
    parser.add_argument("--photos", nargs="+", required=True, metavar="FOLDER", help="a set of photos each")
    parser.add_argument("--count", type=int, default=64, help="photos of each set (64)")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement in a round (2)")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="ours: grnet.engine_precision (f32)")
    parser.add_argument("--quick", action="store_true", help="two rounds of 32 photos, and no torch.compile")
    parser.add_argument("--json", help="write all figures to this file")
    args = parser.parse_args()
    if args.quick:
        args.count, args.rounds, args.seconds = 32, 2, 1.0
    args.singles = args.count
    say(f"ours in {args.precision}; {processor()}, {len(os.sched_getaffinity(0))} of {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    results = {"processor": processor(), "load": os.getloadavg()[0], "sets": []}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        args.folders = {place.name: place for place in (sample(folder, args.count, scratch) for folder in args.photos)}
        ours = Half(BENCH, [args.program, "--serve", args.precision])
        theirs = Half(BENCH, [sys.executable, str(Path(__file__).with_name("embed_python.py"))])
        results["versions"] = theirs.ask("load", args.model, scratch)
        for name in args.folders:
            results["sets"].append(measure_set(ours, theirs, name, args))
            if args.json:
                Path(args.json).write_text(json.dumps(results, indent=1))
        results["load"] = os.getloadavg()[0]
        say(f"load {results['load']:.1f} at the end")
        ours.end()
        theirs.end()


main()
