# shellcheck shell=bash
# Sourced by the commands of bench/ that measure a server: PostgreSQL 18 with the extension, all of it made here.

# server_bench NAME ARGUMENTS...: runs tests/benches/NAME. It prints figures; nothing is asserted.
server_bench() {
    local name=$1 pg_config=$cache/pg/18/bin/pg_config
    shift
    "$scripts/get-packages" --for test
    "$scripts/get-libtorch"
    "$scripts/get-postgres" 18
    "$scripts/install" "$pg_config" --link
    require_cargo
    cd "$repo"
    export GRNET_TEST_PG=$pg_config
    # Compiling apart: it shows that it lives, and the figures stay alone on the screen.
    step "Building the benchmark" run_cargo bench -p grnet-tests --bench "$name" --no-run
    cargo bench -q -p grnet-tests --bench "$name" -- "$@"
}
