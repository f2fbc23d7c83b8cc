"""`mop regression`: how versions do on DSAT cases, over the REST API."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop.errors import NotFoundError
from mop_client.cli.case_runs import RATE_HEAD, rate_columns, rate_of, runs_exit_code
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, ModelName, ModelVersion
from mop_client.cli.output import print_columns, print_json, printable, say

if TYPE_CHECKING:
    from mop_client.cli.client import Server

app = typer.Typer()

regression = typer.Typer(help="Regression tests of your versions on DSAT cases (see `mop login`).")
app.add_typer(regression, name="regression", invoke_without_command=True, callback=show_help)

With = Annotated[
    Optional[str],
    typer.Option("--with", help="Compare with this version; left out: with the one before.", show_default=False),
]
Chosen = Annotated[
    Optional[list[int]],
    typer.Option("--case", help="Number of a case, without DSAT-. Repeatable; left out: all.", show_default=False),
]
CASE_HEAD = ("CASE", "CHANGE", "TASK", "EXPECTED", "BEFORE", "PREDICTED")
POLL_SECONDS = 2.0


@regression.command()
def show(
    name: ModelName,
    version: ModelVersion,
    *,
    against: With = None,
    cases: Annotated[
        bool, typer.Option("--cases", help="Show every case; left out: those that failed or changed.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show the regression test of a version: pass rates, what changed, and cases.

    Exit code: 0 when every case passed or there is none, 1 when one failed or the test could not be done,
    3 while it is in progress.
    """
    query = {} if against is None else {"with": against}
    with open_server() as server:
        found = server.get(*_path(name, version), **query)
        found["outcomes"] = _outcomes(server, name, version, query)
    if as_json:
        print_json(found)
    else:
        _print(found, every_case=cases)
    raise typer.Exit(runs_exit_code([found]))


@regression.command()
def run(name: ModelName, version: ModelVersion, *, as_json: JsonFlag = False) -> None:
    """Test a version on every DSAT case of its tasks anew. Model owners only."""
    with open_server() as server:
        found = server.post(*_path(name, version), "run")
    if as_json:
        print_json(found)
    else:
        say(f"the regression test of {name} {version} is {found['status']}; see `mop regression watch`")


@regression.command()
def watch(name: ModelName, version: ModelVersion, *, as_json: JsonFlag = False) -> None:
    """Wait until the regression test of a version has ended; exit codes as of `mop regression show`.

    A test that is enabled and did not start yet is waited for, from onboarding on.
    """
    with open_server() as server:
        try:
            found = _followed(server, name, version)
        except KeyboardInterrupt:
            say("the regression test goes on")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        print_json(found)
    else:
        _print_rates(found)
    raise typer.Exit(runs_exit_code([found]))


@regression.command()
def cancel(name: ModelName, version: ModelVersion, *, as_json: JsonFlag = False) -> None:
    """End a test that waits or goes on; a result that stands stays. Model owners only."""
    with open_server() as server:
        found = server.post(*_path(name, version), "cancel")
    if as_json:
        print_json(found)
    else:
        say(f"the regression test of {name} {version} is {found['status']}")


@regression.command()
def fix(name: ModelName, version: ModelVersion, *, case: Chosen = None, as_json: JsonFlag = False) -> None:
    """Mark cases that the version passes as fixed by it: those that you work on."""
    _settle(name, version, "fixed", case, as_json=as_json)


@regression.command()
def close(name: ModelName, version: ModelVersion, *, case: Chosen = None, as_json: JsonFlag = False) -> None:
    """Close cases that the version fixed: those that you may close."""
    _settle(name, version, "closed", case, as_json=as_json)


def _settle(name: str, version: str, to: str, cases: Optional[list[int]], *, as_json: bool) -> None:
    with open_server() as server:
        found = server.post(*_path(name, version), to, body={"cases": cases or None})
    if as_json:
        print_json(found)
    else:
        count = len(found["cases"])
        say(f"{count} case{' is' if count == 1 else 's are'} {to}")


def _followed(server: "Server", name: str, version: str) -> dict[str, Any]:
    said = ""
    while True:
        try:
            found: dict[str, Any] = server.get(*_path(name, version))
        except NotFoundError:
            line, is_final = _until_it_starts(server, name, version), False
        else:
            line = found["status"] + (f" {found['progress']} %" if found["status"] == "running" else "")
            is_final = found["is_final"]
        if line != said:
            said = line
            say(line)
        if is_final:
            return found
        time.sleep(POLL_SECONDS)


def _until_it_starts(server: "Server", name: str, version: str) -> str:
    """What a test that will start by itself waits for. To be called where there is none.

    Raises:
        NotFoundError: there is no such version, or its test does not start by itself.
    """
    revision = server.get("models", name, "revisions", version)
    if revision["status"] == "verified" and revision["regression_enabled"]:
        return "not started: earlier stages come first"
    if revision["is_final"] or not revision["regression_enabled"]:
        raise NotFoundError(
            f"{name} {version} has no regression test, and none starts by itself.",
            hint=f"`mop regression run {name} {version}` starts one, once the version is verified.",
        )
    return f"not started: the version is {revision['status']}"


def _outcomes(server: "Server", name: str, version: str, query: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: dict[str, int] = {}
    while True:
        page = server.get(*_path(name, version), "cases", limit=1000, **query, **after)
        found += page["items"]
        if page["next_after"] is None:
            return found
        after = {"after": page["next_after"]}


def _path(name: str, version: str) -> tuple[str, ...]:
    return "models", name, "revisions", version, "regression"


def _print(found: dict[str, Any], *, every_case: bool) -> None:
    _print_rates(found)
    rows = [
        (
            f"DSAT-{one['case']}",
            one["change"],
            one["task"],
            one["expected"],
            one["before"] or "",
            one["predicted"] or f"no answer: {one['error']}",
        )
        for one in found["outcomes"]
        if every_case or one["change"] != "passes"
    ]
    if rows:
        print()
        print_columns(CASE_HEAD, rows)


def _print_rates(found: dict[str, Any]) -> None:
    if found["error"]:
        say(printable(f"{found['error']['name']}: {found['error']['message']}"))
    print_columns(
        ("TASK", *RATE_HEAD),
        [("all", *rate_columns(found)), *((one["task"], "", *rate_of(one)) for one in found["tasks"])],
    )
    if compared := found["comparison"]:
        doubt = "significant" if compared["is_significant"] else "not significant"
        say(
            f"against {compared['version']}: {compared['fixed']:,} newly fixed, {compared['broken']:,} newly broken of "
            f"{compared['cases']:,} cases in common; {doubt} (p = {compared['p']:.4f})"
        )
