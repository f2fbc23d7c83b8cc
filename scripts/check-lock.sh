#!/bin/sh
# Fail when requirements/*.txt are not what `make lock` would write. Pins that stand are kept, so a newer release of a
# dependency changes nothing; only a change of pyproject.toml does. Arguments: the options of `uv pip compile`.
set -eu
uv=.venv/bin/uv
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp requirements/dev.txt requirements/runtime.txt "$copy"

compile() {
    output=$1
    shift
    # the cache usually knows every package already; the index is asked only when it does not
    "$uv" pip compile --offline "$@" -o "$output" > /dev/null 2>&1 || "$uv" pip compile "$@" -o "$output" > /dev/null
}

compile "$copy/dev.txt" pyproject.toml --group dev "$@"
compile "$copy/runtime.txt" pyproject.toml -c requirements/dev.txt "$@"
for name in dev runtime; do
    if ! diff -u "requirements/$name.txt" "$copy/$name.txt" > "$copy/difference"; then
        head -n 40 "$copy/difference" >&2
        echo "requirements/$name.txt is not current: run \`make lock\`" >&2
        exit 1
    fi
done
echo "lock files are current"
