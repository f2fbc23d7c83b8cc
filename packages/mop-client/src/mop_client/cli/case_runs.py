"""What commands about golden sets and regression tests share."""

from __future__ import annotations

from typing import Any

from mop_client.cli.evaluation import exit_code_of
from mop_client.cli.exit_codes import ExitCode

RATE_HEAD = ("STATUS", "PASS RATE", "95 % INTERVAL", "FAILED", "CASES")


def rate_columns(one: dict[str, Any]) -> tuple[str, ...]:
    """The cells of a run below RATE_HEAD."""
    status = one["status"]
    if status == "running":
        status += f" {one['progress']} %"
    if one["is_stale"]:
        status += ", stale"
    return (status, *rate_of(one))


def rate_of(one: dict[str, Any]) -> tuple[str, str, str, str]:
    """Pass rate, its interval, and how many cases failed of how many."""
    interval = one["interval"]
    return (
        "" if one["pass_rate"] is None else f"{one['pass_rate']:.1%}",
        f"{interval['low']:.1%} to {interval['high']:.1%}" if interval else "",
        "" if one["failed"] is None else f"{one['failed']:,}",
        "" if one["cases"] is None else f"{one['cases']:,}",
    )


def runs_exit_code(items: list[dict[str, Any]]) -> ExitCode:
    """0 when every case passed, 1 when one failed or a run could not be done, 3 when there is no run, or no end yet."""
    if any(one["failed"] for one in items):
        return ExitCode.FAILED
    return exit_code_of(items)
