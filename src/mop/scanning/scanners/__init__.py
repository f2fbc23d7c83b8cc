"""The scanners, one class in one file. Each is imported when it is asked for: what some of them bring takes long."""

from __future__ import annotations

import importlib

from mop.scanning.scanner import Scanner

_CLASSES: dict[str, str] = {
    "structure": "Structure",
    "model-files": "ModelFiles",
    "wheels": "Wheels",
    "source": "Source",
    "secrets": "Secrets",
}

NAMES: tuple[str, ...] = tuple(_CLASSES)
"""Every scanner."""

OF_ENVIRONMENTS: tuple[str, ...] = ("wheels",)
"""Those that look at a built environment."""

OF_THE_WHOLE: tuple[str, ...] = ("structure",)
"""Those that look at a folder as a whole; the others say of each file that they look at it."""

TOGETHER: tuple[tuple[str, ...], ...] = (("structure", "wheels", "model-files"), ("secrets", "source"))
"""Those that share a process, in their order: what one has told before it ends, none behind it can take back."""

SHARED = "model-files"
"""The scanner whose files several processes share when there is much to read."""


def scanner_of(name: str) -> Scanner:
    """The scanner of this name, one of `NAMES`."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    scanner: Scanner = getattr(module, _CLASSES[name])()
    return scanner
