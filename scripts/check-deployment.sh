#!/bin/sh
# Fail when Django's own list for a production site finds something in the settings of an https installation.
set -eu
MOP_HOME=$(mktemp -d)
trap 'rm -rf "$MOP_HOME"' EXIT
export MOP_HOME
DJANGO_SETTINGS_MODULE=mop.conf.settings MOP_PUBLIC_URL=https://mop.example.com MOP_ALLOWED_HOSTS=mop.example.com \
    .venv/bin/python -m django check --deploy --fail-level WARNING
