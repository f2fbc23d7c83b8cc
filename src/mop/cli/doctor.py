"""`mop doctor`: what this host has and lacks for running MOP, each with its hint."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import asdict

import typer

from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, printable

app = typer.Typer()


@app.command()
def doctor(*, as_json: JsonFlag = False) -> None:
    """Check sandbox, Pythons, uv, storage, disk and database; exit code 1 when something must be fixed."""
    from mop.cli.examination import PROBLEM, examine

    with contextlib.redirect_stdout(sys.stderr):
        findings = examine()
    if as_json:
        print_json({"ok": all(one.state != PROBLEM for one in findings), "checks": [asdict(one) for one in findings]})
    else:
        for one in findings:
            print(printable(f"{one.state:<8}{one.name:<12}{one.detail}"))
            if one.hint:
                print(printable(f"{'':<20}hint: {one.hint}"))
    if any(one.state == PROBLEM for one in findings):
        raise typer.Exit(ExitCode.FAILED)
