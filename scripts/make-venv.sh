#!/bin/sh
# Make the virtual environment $1 and put the pinned, hash-checked uv of the lock file $2 into it.
set -eu
venv=$1
lock=$2
here=$(dirname "$0")
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    python=$(sh "$here/find-python.sh")
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        sh "$here/system-packages.sh" python3-venv
    fi
    echo "making $venv with $python"
    "$python" -m venv "$venv"
fi
pin=$(mktemp)
trap 'rm -f "$pin"' EXIT
awk '/^uv==/ { on = 1 } on { print; if ($0 !~ /\\$/) exit }' "$lock" > "$pin"
"$venv/bin/python" -m pip install --quiet --require-hashes --no-deps -r "$pin"
