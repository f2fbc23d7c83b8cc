"""`mop gc`: remove environments, copies and leftovers that nobody needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop.cli.platforms import require_linux
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import console, print_json, say

if TYPE_CHECKING:
    from mop.hosting.garbage_collection import Plan, Wanted

app = typer.Typer()

GB = 1000**3
SHOWN = 40


@app.command()
def gc(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and remove nothing.")] = False,
    max_age: Annotated[
        float | None, typer.Option(min=0, help="Days that what is not used may stay; MOP_ENVIRONMENTS_MAX_DAYS.")
    ] = None,
    max_size: Annotated[
        float | None, typer.Option(min=0, help="GB that may stay in all; MOP_ENVIRONMENTS_MAX_BYTES.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove what nobody uses: environments, package caches, unpacked models, leftovers, artifacts of no version."""
    require_linux("gc")
    if as_json and not (yes or dry_run):
        raise typer.BadParameter("--json asks nothing: give --yes or --dry-run too.")
    from mop.cli.installation import open_settings

    open_settings()
    from django.conf import settings

    from mop.backup.occupancy import occupied
    from mop.hosting.garbage_collection import Limits, bytes_on_disk, configured_limits, make_plan
    from mop.hosting.tools import open_host_tools

    limits = configured_limits()
    limits = Limits(limits.days if max_age is None else max_age, limits.bytes if max_size is None else max_size * GB)
    with occupied(settings.MOP_HOME):
        tools = open_host_tools()
        tools.host.sweep()
        plan = make_plan(tools, limits, _wanted())
        if not as_json:
            _show(plan)
        if plan.removals and not (dry_run or yes):
            typer.confirm(f"Remove {len(plan.removals)} things?", abort=True, err=True)
        before = bytes_on_disk(tools)
        outcomes = [] if dry_run else [one.remove() for one in plan.removals]
        freed = max(before - bytes_on_disk(tools), 0)
    if as_json:
        print_json(_document(plan, outcomes, freed))
    elif plan.removals and not dry_run:
        left = outcomes.count(False)
        say(f"freed {_size(freed)}" + (f"; {left} left alone, they are used by now" if left else ""))


def _wanted() -> Wanted | None:
    """What revisions refer to; None where this installation has no database yet.

    A database that is there and does not answer ends the command: without it nobody knows what revisions need.
    """
    from pathlib import Path

    from django.db import connection

    from mop.hosting.garbage_collection import read_wanted

    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return None
    return read_wanted()


def _show(plan: Plan) -> None:
    from rich.table import Table

    table = Table("what", "name", "why", "frees", box=None, pad_edge=False)
    for one in plan.removals[:SHOWN]:
        table.add_row(one.kind, one.name, one.why, "?" if one.bytes is None else _size(one.bytes))
    if plan.removals:
        console(sys.stdout).print(table)
    if len(plan.removals) > SHOWN:
        print(f"... and {len(plan.removals) - SHOWN} more")
    for kept in plan.kept:
        print(f"left alone: {kept}")
    if plan.removals:
        print(f"{len(plan.removals)} in all, {_size(sum(one.bytes or 0 for one in plan.removals))}")
    else:
        print("nothing to remove: everything is used, or was used within the time that --max-age allows")


def _document(plan: Plan, outcomes: list[bool], freed: int) -> dict[str, Any]:
    shown: list[dict[str, Any]] = [
        {"what": one.kind, "name": one.name, "why": one.why, "bytes": one.bytes} for one in plan.removals
    ]
    for entry, gone in zip(shown, outcomes, strict=False):  # a dry run has no outcomes
        entry["removed"] = gone
    return {"removals": shown, "left_alone": list(plan.kept), "bytes_freed": freed}


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":  # noqa: PLR2004 - decimal prefixes
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit in {"B", "kB"} else f"{size:.1f} {unit}"
