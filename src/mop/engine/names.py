"""Workflow names that may be enqueued. An unknown name would stay pending for ever, so it is refused."""

from __future__ import annotations

PIPELINE_QUEUE = "pipeline"
SCANS_QUEUE = "scans"


def load_test_queue(queue: str) -> str:
    """Where load tests wait for a host of a queue of instance types: beside its other work, one at a time."""
    return f"{queue}:load-tests"


_known: set[str] = set()


def declare(name: str) -> str:
    """Make a workflow name known; areas call it in `AppConfig.ready()`, in the portal as in the worker."""
    _known.add(name)
    return name


def check_known(name: str) -> None:
    """Refuse a name that no area declared.

    Raises:
        ValueError: a bug: nothing would ever run this work.
    """
    if name not in _known:
        raise ValueError(f"no workflow is declared under the name {name!r}")
