"""Modules that are imported when they are used: those of libraries that take megabytes and no idle process needs.

    if TYPE_CHECKING:
        import httpx
    else:
        httpx = deferred("httpx")

numpy, which many modules use, stands here as `np`. `tests/worker/test_imports.py` lists the libraries that portal and
worker do without until somebody uses them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["deferred", "np"]


class _Deferred:
    def __init__(self, name: str) -> None:
        self.__dict__["__name__"] = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(import_module(self.__dict__["__name__"]), attribute)
        self.__dict__[attribute] = found  # the next time it is found at once
        return found


def deferred(module: str) -> Any:
    """A stand-in for a module, imported at the first use of what is in it."""
    return _Deferred(module)


if not TYPE_CHECKING:
    np = deferred("numpy")
