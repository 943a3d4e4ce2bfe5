# shellcheck shell=bash
# Sourced by every script of this folder: where things are, and how a script talks while it works.
set -euo pipefail
# A server runs as another user and must be able to read what is fetched, built and installed here.
umask 022

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scripts=$repo/scripts
pins=$scripts/pins

# What is fetched stays outside the clone: a server never runs as root, so another user must be able to reach its files,
# which a clone below /root would forbid; and several clones share it.
if [ -z "${GRNET_CACHE:-}" ]; then
    if [ "$(id -u)" = 0 ]; then GRNET_CACHE=/var/cache/grnet_pg; else GRNET_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/grnet_pg; fi
fi
case $GRNET_CACHE in /*) ;; *) GRNET_CACHE=$PWD/$GRNET_CACHE ;; esac
export GRNET_CACHE
cache=$GRNET_CACHE
target=${CARGO_TARGET_DIR:-$repo/target}
case $target in /*) ;; *) target=$repo/$target ;; esac

# The packages that link libtorch, for cargo: built apart from all others, since another choice of packages would compile
# torch-sys' C++ once more.
engine_packages=(-p grnet-nn -p grnet-train -p grnet-eval -p grnet-serve -p grnet-engine)
all_but_engine=(--workspace --exclude grnet-nn --exclude grnet-train --exclude grnet-eval --exclude grnet-serve --exclude grnet-engine)

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { warn "${0##*/}: $*"; exit 1; }

# --- leaving: the commands that on_exit was given run in reverse order, however the script ends -------------------------
exit_actions=()
step_pid=
on_exit() { exit_actions+=("$(printf '%q ' "$@")"); }
leave() {
    local status=$? i
    trap '' INT TERM
    if [ -n "$step_pid" ]; then kill -TERM -- "-$step_pid" 2>/dev/null || true; wait "$step_pid" 2>/dev/null || true; fi
    for ((i = ${#exit_actions[@]} - 1; i >= 0; i--)); do eval "${exit_actions[i]}" || true; done
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A folder that goes away with the script.
scratch=
make_scratch() {
    mkdir -p "$1"
    scratch=$(mktemp -d "$1/.tmp.XXXXXX")
    on_exit rm -rf "$scratch"
}

# Two runs at once (a demo beside the tests) would fetch the same things twice, into the same places.
take_turn() {
    mkdir -p "$cache"
    exec 9>"$cache/.lock"
    flock -n 9 || { say "Waiting for another run that is installing into $cache"; flock 9; }
}

# --- step TEXT COMMAND...: runs COMMAND with its output in a log, and shows that it lives ---------------------------------
# On a terminal one line that moves, else a line every 15 s; what takes under 2 s stays quiet until it is done.
step() {
    local text=$1 log status=0 began=$SECONDS
    shift
    mkdir -p "$cache/log"
    log=$cache/log/${0##*/}.$(printf '%s' "$text" | tr -c 'A-Za-z0-9_.\n' '-').log
    # A process group of its own: so that an interrupt ends everything below it, compilers included. Without the locks:
    # what stays in the background (a compiler's server) would hold them.
    set -m
    ("$@") >"$log" 2>&1 </dev/null 8>&- 9>&- &
    step_pid=$!
    set +m
    watch_step "$text" "$log" "$began"
    wait "$step_pid" || status=$?
    step_pid=
    if [ -t 1 ]; then printf '\r\033[K'; fi
    if [ "$status" != 0 ]; then
        warn "$text: FAILED after $((SECONDS - began)) s. The end of $log:"
        tr '\r' '\n' <"$log" | tail -n 40 >&2
        return "$status"
    fi
    say "$text: done in $((SECONDS - began)) s"
}

watch_step() {
    local text=$1 log=$2 began=$3 told=0 turn=0 wheel='|/-\' width
    while kill -0 "$step_pid" 2>/dev/null; do
        sleep 0.2
        turn=$((turn + 1))
        [ "$turn" -ge 10 ] || continue
        if [ -t 1 ]; then
            width=$(($(tput cols 2>/dev/null || echo 80) - 1))
            printf '\r\033[K%.*s' "$width" "${wheel:turn%4:1} $text ($((SECONDS - began)) s) $(last_words "$log")"
        elif [ $((SECONDS - began)) -ge $((told + 15)) ]; then
            told=$((SECONDS - began))
            say "$text ... $told s  $(last_words "$log")"
        fi
    done
}

# cargo and pip draw their bars with carriage returns: the newest piece of the last line says where they are.
last_words() { tail -c 400 "$1" 2>/dev/null | tr '\r' '\n' | sed 's/\x1b\[[0-9;]*[A-Za-z]//g; s/^ *//' | grep -av '^$' | tail -n 1 | cut -c 1-100 || true; }

# cargo, talking into a log file, still counts what it has compiled.
run_cargo() { CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=72 CARGO_TERM_COLOR=never cargo "$@"; }

require_cargo() {
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"; fi
    command -v cargo >/dev/null || die "cargo is missing: install Rust 1.95 or later with rustup (https://rustup.rs)"
}
