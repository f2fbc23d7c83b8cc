"""Prometheus' text format 0.0.4, in which services, gateways and an installation tell what they count.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_LABELS: Mapping[str, object] = MappingProxyType({})


def head(name: str, kind: str, text: str) -> list[str]:
    """The two lines before the samples of a metric; `kind` is counter, gauge or histogram."""
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def sample(name: str, value: float, labels: Mapping[str, object] = NO_LABELS) -> str:
    """One sample. No digit of the value is lost: a count beyond a million is still that count."""
    given = ",".join(f'{label}="{_quoted(str(text))}"' for label, text in labels.items())
    return f"{name}{{{given}}} {value!r}" if given else f"{name} {value!r}"


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
