"""`mop settings`: every setting of this installation, its value, where it comes from and what it means."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, printable, say

if TYPE_CHECKING:
    from mop.cli.examination import Finding

app = typer.Typer()

WIDTH_MAX = 120


@app.command()
def settings(
    name: Annotated[
        str,
        typer.Argument(metavar="[NAME]", help="Show this one only, by either of its names.", show_default=False),
    ] = "",
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the variables that are read before the settings or by the client alone.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Validate them: readable values, folders, databases, storage; exit code 1 for a problem."
        ),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show every setting with its value, where it comes from and what it means; secrets only as set or not."""
    from mop.cli.installation import conf

    listing = conf("listing").list_settings(os.environ)
    rows = _chosen(listing, name, everything=everything)
    findings = _check() if check and not listing.problems else []
    problems = [*listing.problems, *(f"{one.name}: {one.detail}" for one in findings if one.state == "problem")]
    if as_json:
        document = {
            "home": listing.home,
            "settings": [asdict(row) for row in rows],
            "unknown": listing.unknown,
            "problems": problems,
        }
        print_json(document | ({"checks": [asdict(one) for one in findings]} if check else {}))
    else:
        _show(rows)
        for one in findings:
            print(printable(f"{one.state:<8}{one.name:<12}{one.detail}"))
            if one.hint:
                print(printable(f"{'':<20}hint: {one.hint}"))
        for line in listing.problems:
            say(printable(f"problem: {line}"))
        for line in listing.unknown:
            say(printable(f"unknown: {line}"))
    if check and (problems or listing.unknown):
        raise typer.Exit(ExitCode.FAILED)


def _chosen(listing: Any, name: str, *, everything: bool) -> Sequence[Any]:
    rows = (*listing.settings, *listing.variables)
    if not name:
        return rows if everything else listing.settings
    wanted = name.upper().replace("-", "_").removeprefix("MOP_")
    if found := [row for row in rows if row.name == f"MOP_{wanted}"]:
        return found
    from mop.cli.installation import conf

    hint = conf("options").suggestion(f"MOP_{wanted}", [row.name for row in rows])
    raise typer.BadParameter(f"{name!r} is no setting{hint}.", param_hint="NAME")


def _check() -> list[Finding]:
    from mop.cli.examination import examine_settings

    with contextlib.redirect_stdout(sys.stderr):
        return examine_settings()


def _show(rows: Sequence[Any]) -> None:
    width = min(shutil.get_terminal_size((WIDTH_MAX, 24)).columns, WIDTH_MAX)
    for row in rows:
        if row.problem:
            value = f"cannot be read: {row.problem}"
        elif row.is_secret:
            value = "set" if row.is_set else "not set"
        else:
            value = row.value or "not set"
        print(printable(f"{row.name} = {value}  [{row.source}]"))
        for line in textwrap.wrap(row.meaning, max(width - 4, 20), break_on_hyphens=False):
            print(f"    {line}")
