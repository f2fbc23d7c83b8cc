#!/bin/sh
# Make sure that the named Debian packages are there: as root install what is missing, else stop with the command.
set -eu

present() {
    case $1 in
        bubblewrap) command -v bwrap > /dev/null ;;
        chromium) command -v chromium > /dev/null || command -v chromium-browser > /dev/null ;;
        postgresql) command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 ;;
        python3-venv) false ;;
        *) dpkg -s "$1" > /dev/null 2>&1 ;;
    esac
}

missing=
for package in "$@"; do
    present "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null; then
    echo "MOP needs these programs (Debian names):$missing. Install them with the system's package manager." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "MOP needs Debian packages that are not installed. Run:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 -- a list of words
apt-get install -y -qq --no-install-recommends $missing > /dev/null
