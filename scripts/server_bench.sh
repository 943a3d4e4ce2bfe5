# shellcheck shell=bash
# Sourced by the commands of bench/ that measure a server: PostgreSQL 18 with the extension, all of it made here.

# bench_server: makes that server and sets GRNET_TEST_PG to it.
bench_server() {
    export GRNET_TEST_PG=$cache/pg/18/bin/pg_config
    "$scripts/get-packages" --for test
    "$scripts/get-libtorch"
    "$scripts/get-postgres" 18
    "$scripts/install" "$GRNET_TEST_PG" --link
}

# server_bench NAME ARGUMENTS...: runs tests/benches/NAME. It prints figures; nothing is asserted.
server_bench() {
    local name=$1
    shift
    bench_server
    require_cargo
    cd "$repo"
    # Compiling apart: it shows that it lives, and the figures stay alone on the screen.
    step "Building the benchmark" run_cargo bench -p grnet-tests --bench "$name" --no-run
    cargo bench -q -p grnet-tests --bench "$name" -- "$@"
}
