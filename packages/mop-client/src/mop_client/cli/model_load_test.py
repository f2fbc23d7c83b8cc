"""`mop model load-test`: a version on a server, tested by its worker and followed here."""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from mop.errors import from_dict
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode, of_error
from mop_client.cli.failures import ServerUnreachableError
from mop_client.cli.load_test_views import print_steps, progress_line, step_lines
from mop_client.cli.model import Version
from mop_client.cli.options import JsonFlag, ModelName, one_of
from mop_client.cli.output import console, error_lines, print_json, printable, say, wants_colour
from mop_client.words import ARRIVALS, STRATEGIES

if TYPE_CHECKING:
    from rich.status import Status

    from mop_client.cli.client import Server

app = typer.Typer()

POLL_SECONDS = 0.5


@app.command("load-test")
def load_test(
    name: ModelName,
    *,
    version: Version = None,
    show: Annotated[bool, typer.Option("--show", help="Start nothing; follow and print the newest run.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End the run that waits or runs.")] = False,
    strategy: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(STRATEGIES),
            metavar="|".join(STRATEGIES),
            help="PerRPS: requests per second. PerConcurrency: concurrent clients. Left out: the version's.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        Optional[str],
        typer.Option(
            metavar="N,N,...",
            help="Targets of the steps, ascending; the installation's if left out.",
            show_default=False,
        ),
    ] = None,
    maximum: Annotated[
        Optional[int],
        typer.Option(
            min=1,
            max=100_000,
            help="Instead of --steps: 1, 10, 20, 30 ... up to this target.",
            show_default=False,
        ),
    ] = None,
    duration: Annotated[
        Optional[float],
        typer.Option(help="Measured seconds of each step; the installation's if left out.", show_default=False),
    ] = None,
    warm_up: Annotated[
        Optional[float],
        typer.Option(help="Seconds of warm-up before each step, which are not measured.", show_default=False),
    ] = None,
    budget: Annotated[
        Optional[float],
        typer.Option(help="Seconds for the whole test; no step begins that would end later.", show_default=False),
    ] = None,
    seed: Annotated[
        Optional[int], typer.Option(min=0, help="Seed of the arrival times; a random one if left out.")
    ] = None,
    arrivals: Annotated[
        Optional[str],
        typer.Option(
            parser=one_of(ARRIVALS),
            metavar="|".join(ARRIVALS),
            help="With PerRPS: evenly spaced requests, or a Poisson process.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Load-test a version on a server, by its worker, and follow it.

    Exit codes: 0 every step was trusted and none failed more than 1 % of its requests; 1 a step failed more, or is not
    trusted; 3 it was cancelled, or there is none. Ctrl-C leaves the run running.
    """
    given = {
        "option": strategy,
        "steps": _targets(steps, maximum),
        "duration": duration,
        "warm_up": warm_up,
        "budget": budget,
        "seed": seed,
        "arrivals": arrivals,
    }
    asked = {key: value for key, value in given.items() if value is not None}
    if (show or cancel) and asked:
        raise typer.BadParameter("--show and --cancel start nothing, so they go with no option of a run.")
    with open_server() as server:
        chosen = version or server.get("models", name)["latest_version"]
        path = ("models", name, "revisions", chosen, "load-test")
        if cancel:
            server.post(*path, "cancel")
        elif not show:
            server.post(*path, body=asked)
        try:
            run = _follow(server, path)
        except KeyboardInterrupt:
            say(f"the load test goes on; end it by `mop model load-test {name} --version {chosen} --cancel`")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        if as_json:
            print_json(run)
        else:
            with _known_form(server):
                _print(run)
    raise typer.Exit(exit_code_of(run))


def exit_code_of(run: Mapping[str, Any]) -> ExitCode:
    """The code of a run that ended: 3 when it was cancelled or there is none, the error's when a test failed.

    Else 1 when a step failed more than 1 % of its requests or is not trusted, and 0.
    """
    for test in run["tests"]:
        if test["error"]:
            return of_error(from_dict(test["error"]))
    if run["state"] != "finished":
        return ExitCode.UNDECIDED
    is_good = all(test["trusted"] and test["ended"] != "failing" for test in run["tests"])
    return ExitCode.DONE if is_good else ExitCode.FAILED


def _targets(steps: Optional[str], maximum: Optional[int]) -> Optional[list[int]]:
    if steps is None:
        return None if maximum is None else [1, *range(10, maximum + 1, 10)]
    if maximum is not None:
        raise typer.BadParameter("give --steps or --maximum, not both.")
    try:
        return [int(part) for part in steps.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"--steps: {steps!r} is not a list of numbers such as 1,10,20.") from error


def _follow(server: "Server", path: tuple[str, ...]) -> dict[str, Any]:
    """Show what is new of the newest run until it has ended."""
    from mop_client.cli.watching import Patient

    view = _View()
    patient = Patient(server, view)
    try:
        while True:
            run: dict[str, Any] = patient.get(*path)
            with _known_form(server):
                view.look(run)
                is_final = run["is_final"]
            if is_final:
                return run
            time.sleep(POLL_SECONDS)
    finally:
        view.close()


@contextlib.contextmanager
def _known_form(server: "Server") -> Iterator[None]:
    """What reads an answer of another form fails as the server's fault."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise ServerUnreachableError(
            f"{server.url} describes a load test in a form that this command does not know.",
            hint="Install the version of MOP that the server runs.",
        ) from error


class _View:
    """A line for each step that ended, and on a terminal one that changes. The texts come from a server."""

    def __init__(self) -> None:
        self._shown: set[tuple[str, int]] = set()
        self._said = ""
        self._status: Optional[Status] = None
        if wants_colour(sys.stderr):
            self._status = console().status("")
            self._status.start()

    def look(self, run: Mapping[str, Any]) -> None:
        """Show what is new."""
        for test in run["tests"]:
            for step in test["steps"]:
                if (test["modality"], step["target"]) in self._shown:
                    continue
                self._shown.add((test["modality"], step["target"]))
                for line in step_lines(step, test["strategy"]):
                    self._write(f"{printable(test['modality'])}: {line}")
            if test["state"] in {"queued", "running"}:
                self._now(test)

    def lost(self, reason: str) -> None:
        """The server does not answer; it is asked again."""
        self._write(printable(f"the server does not answer, asking again: {reason}"))

    def found(self) -> None:
        """The server answers again."""
        self._write("the server answers again")

    def close(self) -> None:
        """Remove the line that changes."""
        if self._status is not None:
            self._status.stop()

    def _now(self, test: Mapping[str, Any]) -> None:
        if test["progress"]:
            if self._status is not None:
                line = progress_line(test["progress"], test["strategy"], test["duration_s"])
                self._status.update(printable(f"{test['modality']}: {line}"))
            return
        line = printable(f"{test['modality']}: {test['note'] or test['state']}")
        if self._status is not None:
            self._status.update(line)
        elif line != self._said:
            say(line)
        self._said = line

    def _write(self, line: str) -> None:
        if self._status is not None:
            self._status.console.print(line)
        else:
            say(line)


def _print(run: Mapping[str, Any]) -> None:
    if not run["tests"]:
        say(printable(f"The version has no result of a load test ({run['state']})."))
    for test in run["tests"]:
        say(printable(f"{test['modality']}: {test['state']}"))
        if test["error"]:
            for line in error_lines(from_dict(test["error"])):
                say(line)
        elif test["steps"]:
            print_steps(test["steps"], test["ended"] or "cancelled", test["seed"])
