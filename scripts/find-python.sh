#!/bin/sh
# Print the full path of the first Python 3.11 or newer. A version manager's shim only counts when it really runs.
set -eu
for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3 python; do
    [ -n "$name" ] || continue
    found=$("$name" -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null || true)
    if [ -n "$found" ]; then
        echo "$found"
        exit 0
    fi
done
echo "MOP needs Python 3.11 or newer; none was found. Install python3.11, or name one: make PYTHON=/path/to/python3" >&2
exit 1
