"""Workflow names that may be enqueued. An unknown name would stay pending for ever, so it is refused."""

from __future__ import annotations

from mop.areas.registry import registered


def check_known(name: str) -> None:
    """Refuse a name that no area declares.

    Raises:
        ValueError: a bug: nothing would ever run this work.
    """
    if not any(workflow.name == name for area in registered() for workflow in area.workflows):
        raise ValueError(f"no workflow is declared under the name {name!r}")
