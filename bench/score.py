"""Drives bench/score: our kernel and PyTorch in alternating rounds, beside what the machine can do at most.

usage: score.py OUR_PROGRAM [--rows 'C D L' ...] [--rounds N] [--seconds S] [--model FILE --features FILE] [--json FILE]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from halves import Half, processor, say

ROWS = ("256 64 2", "256 128 2", "256 128 3", "1024 128 3")
NODES = 98
BATCHES = (8, 32, 64, 128, 256)


def necessary(c, d, layers):
    """Floating-point operations that the exact savings leave: products alone, multiply and add one each."""
    n = NODES
    return 2 * n * c * d + (layers - 1) * (4 * n * d * d + 4 * n * n * d) + 4 * d * d + 4 * n * d


def best_of_torch(torch, dtype, threads):
    """The form and batch that suit PyTorch best, eager and compiled: both stay in the rounds, since one look at a busy
    machine does not tell them apart."""
    rates = {}
    for form in ("literal", "prepared"):
        for batch in BATCHES:
            rates[form, batch] = torch.ask("time", form, dtype, "eager", batch, threads, 0.25)["best"]
    form, batch = max(rates, key=rates.get)
    choices = [(form, "eager", batch, rates[form, batch])]
    compiled = []
    # Compiled is slow to make: each form, at the batch that suits it best in eager mode.
    for form in ("literal", "prepared"):
        batch = max(BATCHES, key=lambda size: rates[form, size])
        answer = torch.ask("time", form, dtype, "compile", batch, threads, 0.5, allowed=True)
        if "error" in answer:
            say(f"    compiled, {form}, {dtype}, {threads} threads: {answer['error']}")
        else:
            compiled.append((form, "compile", batch, answer["best"]))
    choices += compiled
    say("    PyTorch " + dtype + f", {threads} threads: "
        + ", ".join(f"{form} {mode} {batch}: {rate:.0f}" for form, mode, batch, rate in choices))
    kept = choices[:1] + ([max(compiled, key=lambda choice: choice[3])] if compiled else [])
    return [choice[:3] for choice in kept]


def measure_row(ours, torch, row, folder, rounds, seconds):
    c, d, layers = map(int, row.split())
    flop = necessary(c, d, layers)
    say(f"C {c}, D {d}, L {layers}: {flop / 1e6:.1f} MFLOP a pair")
    path = ours.ask("make", folder, c, d, layers)["path"]
    torch.ask("load", folder)
    exact = ours.ask("logits", "f32")["logits"]
    for form in ("literal", "prepared"):
        theirs = torch.ask("logits", form, "f32")["logits"]
        apart = max(abs(a - b) for a, b in zip(exact[1:], theirs[1:]))
        if apart > 2e-3:
            sys.exit(f"bench/score: {form} in PyTorch and our logits are {apart} apart: not the same work")
    settings = {(dtype, t): best_of_torch(torch, dtype, t) for dtype in ("f32", "bf16") for t in (1, 2)}
    series = {}
    for turn in range(rounds):
        say(f"    round {turn + 1} of {rounds}")
        for t in (1, 2):
            for kind in ("f32", "i16"):
                series.setdefault(("ours", kind, t), []).append(ours.ask("time", "batch", kind, t, seconds))
            for dtype in ("f32", "bf16"):
                answers = []
                for form, mode, batch in settings[dtype, t]:
                    answer = torch.ask("time", form, dtype, mode, batch, t, seconds)
                    answers.append({**answer, "setting": f"{form}, {mode}, batch {batch}"})
                series.setdefault(("torch", dtype, t), []).append(max(answers, key=lambda answer: answer["best"]))
            for kind in ("f32", "bf16", "i16", "i8"):
                answer = ours.ask("peak", kind, t, seconds / 2, allowed=True)
                if "error" not in answer:
                    series.setdefault(("peak", kind, t), []).append(answer)
        for kind in ("f32", "i16"):
            series.setdefault(("single", kind, 1), []).append(ours.ask("time", "single", kind, 1, seconds))
    return report(c, d, layers, flop, path, series)


def report(c, d, layers, flop, path, series):
    best = {key: max(answer["best"] for answer in answers) for key, answers in series.items()}

    def ratio(ours, theirs):
        """Of the best figures, and the middle one of the rounds' own."""
        rivals = zip(*([answer["best"] for answer in series[key]] for key in theirs))
        rounds = [answer["best"] / max(rates) for answer, rates in zip(series[ours], rivals)]
        return best[ours] / max(best[t] for t in theirs), statistics.median(rounds)

    result = {"c": c, "d": d, "l": layers, "mflop": flop / 1e6, "path": path, "lines": []}
    for t in (1, 2):
        for kind, theirs in (("f32", [("torch", "f32", t)]), ("i16", [("torch", "f32", t), ("torch", "bf16", t)])):
            ours, peak = best["ours", kind, t], best.get(("peak", kind, t))
            of_best, of_rounds = ratio(("ours", kind, t), theirs)
            rival = max(theirs, key=lambda key: best[key])
            setting = max(series[rival], key=lambda answer: answer["best"])["setting"]
            line = {
                "precision": kind, "threads": t, "pairs": ours, "gflops": ours * flop / 1e9, "peak": peak,
                "of_peak": ours * flop / 1e9 / peak if peak else None, "torch": best[rival], "torch_dtype": rival[1],
                "torch_setting": setting, "ratio": of_best, "ratio_median": of_rounds,
            }
            result["lines"].append(line)
            of_peak = f"{100 * line['of_peak']:.0f} % of {peak:.0f}" if peak else "no peak"
            say(f"  {kind} {t} threads: {ours:8.0f} pairs/s {line['gflops']:6.1f} GFLOP/s ({of_peak}); "
                f"PyTorch {rival[1]} {best[rival]:.0f} ({setting}): "
                f"{of_best:.2f} times, rounds' median {of_rounds:.2f}")
    result["single"] = {kind: best["single", kind, 1] for kind in ("f32", "i16")}
    result["peaks"] = {f"{kind} {t}": best["peak", kind, t] for (who, kind, t) in best if who == "peak"}
    say(f"  one pair a call, 1 thread: f32 {result['single']['f32']:.0f}, i16 {result['single']['i16']:.0f} pairs/s")
    say("  peaks, G operations/s: " + ", ".join(f"{name} threads {value:.0f}" for name, value in result["peaks"].items()))
    return result


def main():
    parser = argparse.ArgumentParser(prog="bench/score")
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("--rows", nargs="*", default=ROWS, metavar="'C D L'", help="instead of the four of the table")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds (5)")
    parser.add_argument("--seconds", type=float, default=0.6, help="of each measurement in a round (0.6)")
    parser.add_argument("--model", help="with --features: a model file, to compare rankings of real photos")
    parser.add_argument("--features", help="what `grnet-engine embed --out FILE.jsonl` wrote with that model")
    parser.add_argument("--other", help="such a file of the same photos: do rankings by its features begin with the same photos?")
    parser.add_argument("--json", help="write all figures to this file")
    args = parser.parse_args()
    ours = Half("bench/score", [args.program, "--serve"])
    say(f"{processor()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    results = {"processor": processor(), "rows": []}
    if args.features:
        if not args.model:
            parser.error("--features needs --model")
        answer = ours.ask("agree", args.model, args.features, *([args.other] if args.other else []))
        results["agree"] = answer
        say(f"{answer['queries']} of {answer['photos']} photos rank the others: the same first 20 for {answer['same_top_20']} "
            f"({100 * answer['same_top_20'] / answer['queries']:.2f} %), the same order of them for {answer['same_order']}, "
            f"the same first for {answer['same_first']}; logits {answer['rms_error']:.1e} apart, at most "
            f"{answer['largest_error']:.1e}")
    torch = Half("bench/score", [sys.executable, str(Path(__file__).with_name("score_torch.py"))])
    with tempfile.TemporaryDirectory() as folder:
        for row in args.rows:
            results["rows"].append(measure_row(ours, torch, row, folder, args.rounds, args.seconds))
            if args.json:
                Path(args.json).write_text(json.dumps(results, indent=1))


main()
