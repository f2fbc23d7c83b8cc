"""The commands that talk to a server. A server's own `mop` has them too."""

from __future__ import annotations

import sys

from mop_client.shipped import shipped_folder

if folder := shipped_folder():
    sys.path.append(folder)
