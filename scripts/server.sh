# shellcheck shell=bash
# Sourced: one PostgreSQL server, named by its pg_config, and what is built for it.

# use_server PG_CONFIG: sets pg_config, pg_major, and where this server's builds go (pg_target, pg_built, PGRX_HOME).
use_server() {
    pg_config=$(command -v "$1" || true)
    [ -n "$pg_config" ] || die "no such program: $1 (PG_CONFIG names the pg_config of the server to install into)"
    pg_config=$(cd "$(dirname "$pg_config")" && pwd)/$(basename "$pg_config")
    local version
    version=$("$pg_config" --version)
    pg_major=$(printf '%s' "$version" | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
    case $pg_major in
    15 | 16 | 17 | 18) ;;
    *) die "$version is not supported: 15, 16, 17 and 18 are" ;;
    esac
    # pgrx's build script looks for its server in $PGRX_HOME/config.toml and runs again when that file is newer than its
    # last run; it does not notice another PGRX_HOME. So each version of the cache has a PGRX_HOME of its own that never
    # changes: all four live in one target folder and none is built again at a switch. (PGRX_PG_CONFIG_PATH would work
    # too, but a changed value rebuilds pgrx, a minute each time.) Any other server gets a target folder of its own, since
    # the same version from elsewhere may have other headers.
    pg_target=$target
    if [ "$pg_config" != "$cache/pg/$pg_major/bin/pg_config" ]; then
        pg_target=$target/server-$(printf '%s' "$pg_config" | cksum | cut -d ' ' -f 1)
    fi
    pg_built=$pg_target/pg$pg_major/grnet_pg.so
    PGRX_HOME=$pg_target/pgrx/pg$pg_major
    export PGRX_HOME
    # The version is part of the file, so that an upgraded server is noticed.
    local config
    config=$(printf '# %s\n[configs]\npg%s = "%s"\n' "$version" "$pg_major" "$pg_config")
    if [ "$(cat "$PGRX_HOME/config.toml" 2>/dev/null)" != "$config" ]; then
        mkdir -p "$PGRX_HOME"
        printf '%s\n' "$config" >"$PGRX_HOME/config.toml"
    fi
}

# bindgen looks for libclang in few places; Debian keeps each version in a folder of its own.
find_libclang() {
    [ -z "${LIBCLANG_PATH:-}" ] || return 0
    local folder
    for folder in $(printf '%s\n' /usr/lib/llvm-*/lib | sort -rV); do
        # The library alone does not do: bindgen needs its headers (stddef.h, emmintrin.h) beside it.
        if compgen -G "$folder/libclang*.so*" >/dev/null && compgen -G "$folder/clang/*/include/stddef.h" >/dev/null; then
            export LIBCLANG_PATH=$folder
            return 0
        fi
    done
}

# --- a throwaway server: never as root, on a Unix socket only -------------------------------------------------------------
# as_server COMMAND...: as an ordinary user, with the libraries of this server's own folder first.
as_server() {
    local env=(env "LD_LIBRARY_PATH=$("$pg_config" --libdir)" "PATH=$("$pg_config" --bindir):$PATH")
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups "${env[@]}" HOME=/nonexistent "$@")
    else
        "${env[@]}" "$@"
    fi
}

# start_server FOLDER SETTING...: initdb and start; the socket lies in FOLDER, the log is FOLDER/log.
start_server() {
    local folder=$1 setting
    shift
    chmod 700 "$folder" # trust authentication: nobody else gets at the socket
    if [ "$(id -u)" = 0 ]; then chown nobody:nogroup "$folder"; fi
    as_server initdb -D "$folder/data" -U postgres -A trust --no-sync --locale=C.UTF-8 -E UTF8 >"$folder/initdb.log" || return
    {
        printf "listen_addresses = ''\nunix_socket_directories = '%s'\nfsync = off\nmax_prepared_transactions = 4\n" "$folder"
        for setting; do printf '%s\n' "$setting"; done
    } | as_server tee -a "$folder/data/postgresql.conf" >/dev/null
    on_exit stop_server "$folder"
    as_server pg_ctl -D "$folder/data" -l "$folder/log" -w -t 60 start >/dev/null
}

# runs_in DATA: whether a server runs in a data directory. A server that was killed leaves its number behind, and another
# process may get it, which pg_ctl would signal. Asked as the server's user: root in a container may not look.
runs_in() {
    local pid
    pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null) && [ -n "$pid" ] && as_server test "/proc/$pid/cwd" -ef "$1"
}

stop_server() { ! runs_in "$1/data" || as_server pg_ctl -D "$1/data" -m immediate -w stop >/dev/null 2>&1 || true; }
