# shellcheck shell=bash
# Sourced by test: runs checks, goes on after a failure, and counts.

passed=0 failed=0 summary=()
note() { # note TEXT PASSED FAILED
    passed=$((passed + $2)) failed=$((failed + $3))
    summary+=("$(printf '%6d passed %4d failed   %s' "$2" "$3" "$1")")
}

# The log that step writes for a text.
log_of() { printf '%s' "$cache/log/${0##*/}.$(printf '%s' "$1" | tr -c 'A-Za-z0-9_.\n' '-').log"; }

# check TEXT COMMAND...: one check, passed or failed.
check() {
    local text=$1
    shift
    if step "$text" "$@"; then note "$text" 1 0; else note "$text" 0 1; fi
}

# check_cargo TEXT cargo-arguments...: cargo's tests, each counted. What does not compile counts as one failure, and so does
# a program of tests that ran none.
check_cargo() {
    local text=$1 status=0 ok bad idle
    shift
    step "$text" run_cargo test --release --no-fail-fast "$@" || status=$?
    read -r ok bad < <(counts 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed.*/\1 \2/p' "$text")
    if [ "$status" != 0 ]; then
        lines_of "$text" | sed -n '/^failures:$/,/^test result/p' >&2
        if [ "$bad" = 0 ]; then bad=1; fi
    else
        mapfile -t idle < <(idle_programs "$text")
        if [ "$((ok + bad))" = 0 ] && [ "${#idle[@]}" = 0 ]; then idle=("cargo test"); fi
        if [ "${#idle[@]}" -gt 0 ]; then warn "$text: no test ran in ${idle[*]}"; fi
        bad=$((bad + ${#idle[@]}))
    fi
    note "$text" "$ok" "$bad"
}

# The programs out of a tests/ folder that ended without a result, or with one of no test. Libraries and documentation may
# have none.
idle_programs() {
    lines_of "$1" | awk '
        function leave() { if (program != "" && ran == 0) print program; program = ""; ran = 0 }
        /^ *Running / { leave(); if ($2 ~ /^tests\//) program = $2 }
        /^ *Doc-tests / { leave() }
        /^test result: / { ran += $4 + $6 }
        END { leave() }'
}

# check_script TEXT COMMAND...: a script with a line 'N passed, N failed'. Without one it counts as one failure.
check_script() {
    local text=$1 status=0 ok bad
    shift
    step "$text" "$@" || status=$?
    read -r ok bad < <(counts 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$text")
    if [ "$((ok + bad))" = 0 ]; then warn "$text: it tested nothing"; fi
    if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "$ok" = 0 ]; }; then bad=1; fi
    note "$text" "$ok" "$bad"
}

# A step's log, without the movements of bars.
lines_of() { tr '\r' '\n' <"$(log_of "$1")" | sed 's/\x1b\[[0-9;]*[A-Za-z]//g'; }

# The sums of the two numbers of every line that the expression finds in a step's log.
counts() { lines_of "$2" | sed -n "$1" | awk '{ ok += $1; bad += $2 } END { print ok + 0, bad + 0 }'; }

# What tests counted ('200 of 200 kills survived'), out of a step's log.
figures() { lines_of "$1" | grep -E '^[0-9]+ of [0-9]+ |operations handled' | sort -u | sed 's/^/    /' || :; }

report() {
    say ""
    printf '%s\n' "${summary[@]}"
    say ""
    say "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
