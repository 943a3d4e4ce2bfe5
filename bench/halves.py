"""What the drivers of the benchmarks share: the programs on both sides, and what to say of the machine."""

import json
import platform
import subprocess
import sys
from pathlib import Path


class Half:
    """One of two programs that are measured against each other: a command a line, an answer a line."""

    def __init__(self, bench, command):
        self.bench = bench
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words, allowed=False):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.bench}: {self.process.args[0]} ended at: {' '.join(map(str, words))}")
        answer = json.loads(line)
        if "error" in answer and not allowed:
            sys.exit(f"{self.bench}: {' '.join(map(str, words))}: {answer['error']}")
        return answer

    def end(self):
        """Lets the program end by itself, and waits for it: a server of its own goes with it."""
        self.process.stdin.close()
        self.process.wait()


def say(text):
    print(text, flush=True)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
