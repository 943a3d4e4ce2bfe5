# shellcheck shell=bash
# Sourced by install and uninstall: where grnet_pg's files lie in a server, and how they are put there.

# name_places DESTDIR
name_places() {
    pkglibdir=$("$pg_config" --pkglibdir)
    bindir=$("$pg_config" --bindir)
    sharedir=$("$pg_config" --sharedir)
    below=$1
    engine_dir=$pkglibdir/grnet # the engine and libtorch: out of the sight of LOAD and of the loader
    extension_dir=$sharedir/extension
    models_dir=$sharedir/grnet_pg/models
}

# A server's folders are mostly root's while cargo is the user's: only the copying goes through sudo.
choose_writer() {
    writer=()
    local nearest=$below$pkglibdir
    while [ ! -e "$nearest" ]; do nearest=$(dirname "$nearest"); done
    if [ -w "$nearest" ]; then return; fi
    command -v sudo >/dev/null || die "no right to write into $nearest: run this as its owner"
    say "$nearest belongs to another user: using sudo for the copying."
    writer=(sudo)
}

seen=0 changed=0
# put MODE FILE PLACE: by rename, since a server may have the old file mapped. What is equal is left alone.
put() {
    local place=$below$3
    [ -f "$2" ] || die "no such file: $2 (it belongs into $3)"
    seen=$((seen + 1))
    if [ ! -L "$place" ] && cmp -s "$2" "$place"; then return 0; fi
    changed=$((changed + 1))
    "${writer[@]}" install -D -m "$1" "$2" "$place.new"
    "${writer[@]}" mv -f "$place.new" "$place"
}

# point TARGET PLACE: a symbolic link, by rename too.
point() {
    local place=$below$2
    seen=$((seen + 1))
    if [ "$(readlink "$place" 2>/dev/null)" = "$1" ]; then return 0; fi
    changed=$((changed + 1))
    "${writer[@]}" mkdir -p "$(dirname "$place")"
    "${writer[@]}" ln -sfn "$1" "$place.new"
    "${writer[@]}" mv -fT "$place.new" "$place"
}

# drop_other_libraries FOLDER: a server goes from GPU to CPU by installing again; 3 GB must not stay behind.
drop_other_libraries() {
    local file
    for file in "$below$engine_dir"/lib*; do
        if [ ! -e "$1/${file##*/}" ]; then "${writer[@]}" rm -f "$file"; fi
    done
}
