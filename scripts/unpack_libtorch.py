"""unpack_libtorch.py cpu|cuda WHEELS TREE PINS...: libtorch's headers and libraries, out of the wheels in WHEELS.

All libraries land in one folder, TREE/lib: each of torch's ends its search path in its own folder.
"""

import os
import re
import shutil
import stat
import sys
import zipfile
from pathlib import Path

# What the CPU's part is made of. Not libtorch_cuda.so: torch-sys links it as soon as it sees it.
CPU = {"libc10.so", "libtorch_cpu.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"}
# Python's own bindings; torch's umbrella library, which a symbolic link replaces; what wants InfiniBand's libraries; and
# front ends that torch does not call, whose own dependencies cannot be found from where they are.
NEVER = {
    "libtorch_python.so", "libshm.so", "libtorch_global_deps.so", "libtorch.so", "libcufile_rdma.so.1",
    "libcusolverMg.so.12", "libnvblas.so.13", "libcufftw.so.12",
}
LIBRARY = re.compile(r"(^torch/lib/|^nvidia/.*/lib/)lib[^/]*\.so(\.[0-9]+)*$")
HEADERS = "torch/include/"


def wanted(name, kind):
    """Where a wheel's file goes below TREE, or None."""
    if name.startswith(HEADERS) and not name.endswith("/"):
        return "include/" + name[len(HEADERS):]
    base = os.path.basename(name)
    if LIBRARY.search(name) and base not in NEVER and (kind == "cuda" or base in CPU):
        return "lib/" + base
    return None


def unpack(wheel, kind, tree):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            place = wanted(entry.filename, kind)
            if place is None:
                continue
            target = tree / place
            if not target.resolve().is_relative_to(tree.resolve()):
                sys.exit(f"{wheel}: {entry.filename} leads out of the folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            os.chmod(target, stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)


def requirements(wheel):
    """(name, exact version) of every nvidia package that torch's wheel asks for directly."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    return re.findall(r"^Requires-Dist: (nvidia-[a-z0-9-]+)==([0-9.]+)", text, re.MULTILINE)


def check_pins(torch, pins):
    """The pins must agree with the wheel: a newer torch with the older nvidia packages would fail only on a GPU."""
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+) ", "".join(Path(p).read_text() for p in pins), re.MULTILINE))
    for name, version in requirements(torch):
        if pinned.get(name) != version:
            sys.exit(f"torch asks for {name} {version}, the pins have {pinned.get(name)}: run scripts/pins/refresh")


def main():
    kind, wheels, tree, *pins = sys.argv[1:]
    wheels, tree = Path(wheels), Path(tree)
    torch = next(wheels.glob("torch-*.whl"))
    if kind == "cuda":
        check_pins(torch, pins)
    for wheel in sorted(wheels.glob("*.whl")):
        print("unpacking", wheel.name, flush=True)
        unpack(wheel, kind, tree)
    # torch-sys links with -ltorch and -lgomp. The wheel's libtorch.so holds nothing but a dependency on libtorch_cuda.
    (tree / "lib/libtorch.so").symlink_to("libtorch_cpu.so")
    (tree / "lib/libgomp.so").symlink_to("libgomp.so.1")


main()
