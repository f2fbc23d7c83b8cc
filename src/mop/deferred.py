"""Modules that are imported when they are used: those of libraries that take megabytes and no idle process needs.

    if TYPE_CHECKING:
        import xxhash
    else:
        xxhash = deferred("xxhash")

numpy, which many modules use, stands here as `np`. `tests/worker/test_imports.py` lists the libraries that portal and
worker do without until somebody uses them.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["deferred", "np"]


class _Deferred:
    def __init__(self, name: str) -> None:
        self._name = name
        self._module: ModuleType | None = None

    def __getattr__(self, attribute: str) -> Any:
        if self._module is None:
            self._module = import_module(self._name)
        return getattr(self._module, attribute)  # asked each time: what a test replaces in the module is seen


def deferred(module: str) -> Any:
    """A stand-in for a module, imported at the first use of what is in it."""
    return _Deferred(module)


if not TYPE_CHECKING:
    np = deferred("numpy")
