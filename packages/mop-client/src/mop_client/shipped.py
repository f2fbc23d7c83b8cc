"""The server's own files that the wheel carries below `_pipeline`: one source, with the server's messages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def shipped_folder() -> str | None:
    """Where `mop.errors` and its like are to be found; None where a server is installed beside this client."""
    folder = str(Path(__file__).with_name("_pipeline"))
    return None if folder in sys.path or importlib.util.find_spec("mop") is not None else folder
