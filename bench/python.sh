# shellcheck shell=bash
# Sourced: the Python that a benchmark's other half runs in.

# use_python MODULES PACKAGES...: sets python to one that imports MODULES (separated by commas), and fetches PACKAGES into the
# cache where none does.
use_python() {
    local modules=$1 candidate
    shift
    for candidate in ${GRNET_PYTHON:+"$GRNET_PYTHON"} "$cache/bench-python/bin/python" python3; do
        if command -v "$candidate" >/dev/null && "$candidate" -c "import $modules" 2>/dev/null; then
            python=$candidate
            return
        fi
    done
    [ -z "${GRNET_PYTHON:-}" ] || die "GRNET_PYTHON=$GRNET_PYTHON cannot import $modules"
    fetch_python() { python3 -m venv "$cache/bench-python" && "$cache/bench-python/bin/pip" install --quiet "$@"; }
    step "Fetching $*" fetch_python "$@"
    python=$cache/bench-python/bin/python
}

# build_bench PACKAGE BENCH: builds our half and sets program to it.
build_bench() {
    local package=$1 bench=$2
    cargo_bench() { run_cargo bench -p "$package" --bench "$bench" --no-run --message-format json-render-diagnostics >"$scratch/cargo.json"; }
    [ -n "$scratch" ] || make_scratch "$cache"
    step "Building the benchmark" cargo_bench
    program=$(sed -n 's/.*"executable":"\([^"]*\/'"$bench"'-[^"]*\)".*/\1/p' "$scratch/cargo.json" | tail -n 1)
    [ -x "$program" ] || die "cargo built no program $bench"
}
