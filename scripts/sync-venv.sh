#!/bin/sh
# Bring .venv to exactly what the lock file $1 names, then install MOP and its SDK from this checkout.
set -eu
lock=$1
bin=.venv/bin
echo "installing $lock"
"$bin/uv" pip sync --quiet --python "$bin/python" --require-hashes "$lock"
"$bin/uv" pip install --quiet --python "$bin/python" --no-deps -e packages/mop-client -e packages/mop-utils -e .
"$bin/python" -m compileall -q src packages/mop-client/src packages/mop-utils/src
# files hashed and compressed, empty databases migrated: once here, so that no first start waits for it
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
MOP_HOME=$home "$bin/python" -m mop.cli.static_files --for-package
"$bin/python" -m mop.worker.prepared
