#!/bin/sh
# Fail when a Django model changed and no migration says so.
set -eu
MOP_HOME=$(mktemp -d)
export MOP_HOME
trap 'rm -rf "$MOP_HOME"' EXIT
DJANGO_SETTINGS_MODULE=mop.conf.settings .venv/bin/python -m django makemigrations --check --dry-run
