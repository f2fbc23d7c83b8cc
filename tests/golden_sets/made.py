"""Golden sets that tests need."""

from __future__ import annotations

from typing import Any

from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.golden_sets.models import GoldenVersion
from mop.golden_sets.reading import FileFormat, read_rows
from mop.golden_sets.services import supply

ROWS = ("label,text", "0,a nice day", "1,darn you", "1,darn them", "0,good work")


def csv_file(*lines: str) -> str:
    return "\n".join(lines or ROWS) + "\n"


def supplied(task: Task, *lines: str, name: str = "core", by: Any = None) -> GoldenVersion:
    """A golden set of a text task, or its next version."""
    user = by or task.owners.order_by("pk").first()
    rows = read_rows(task, csv_file(*lines), form=FileFormat.CSV)
    return supply(actor=actor_of(user), user=user, task=task, name=name, rows=rows)


def predicted(item: Any) -> str:
    """A model that knows one bad word."""
    return str(int("darn" in item["text"]))


def wrong_of_them(item: Any) -> str:
    """It is wrong about one row, and has no answer to another."""
    if "them" in item["text"]:
        return "0"
    return "[UserScriptException]" if "nice" in item["text"] else predicted(item)
