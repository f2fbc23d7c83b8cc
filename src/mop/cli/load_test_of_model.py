"""`mop load-test --model`: a version on a server, tested by its worker and followed here."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from mop.cli.connection import open_server
from mop.cli.exit_codes import ExitCode, of_error
from mop.cli.load_test_views import print_result, progress_line, step_lines
from mop.cli.output import console, error_lines, print_json, printable, say, wants_colour
from mop.errors import from_dict

if TYPE_CHECKING:
    from rich.status import Status

    from mop.cli.client import Server
    from mop.loadtest.results import RunResult

POLL_SECONDS = 0.5


def load_test_model(
    name: str, version: str | None, asked: dict[str, Any], *, show: bool, cancel: bool, as_json: bool
) -> None:
    """Start a run (or only show the newest, or cancel it), follow it to its end, and exit with its code.

    Args:
        name: of the model.
        version: of the model; None: the newest.
        asked: the body of the API's POST.
        show: start nothing.
        cancel: end the run instead.
        as_json: print the run as the API gives it.

    Raises:
        typer.Exit: always; as `exit_code_of` says, or 130 after Ctrl-C, which leaves the run to itself.
        MopError: what the server refused.
    """
    with open_server() as server:
        chosen = version or server.get("models", name)["latest_version"]
        path = ("models", name, "revisions", chosen, "load-test")
        if cancel:
            server.post(*path, "cancel")
        elif not show:
            server.post(*path, body=asked)
        try:
            document = _follow(server, path)
        except KeyboardInterrupt:
            say(f"the load test goes on; end it by `mop load-test --model {name} --version {chosen} --cancel`")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        print_json(document)
    else:
        _print(document)
    raise typer.Exit(exit_code_of(document))


def exit_code_of(document: dict[str, Any]) -> ExitCode:
    """The code of a run that ended: 3 when it was cancelled or there is none, the error's when a test failed.

    Else 1 when a step failed more than 1 % of its requests or is not trusted, and 0.
    """
    for test in document["tests"]:
        if test["error"]:
            return of_error(from_dict(test["error"]))
    if document["state"] != "finished":
        return ExitCode.UNDECIDED
    is_good = all(test["trusted"] and test["ended"] != "failing" for test in document["tests"])
    return ExitCode.DONE if is_good else ExitCode.FAILED


def _follow(server: Server, path: tuple[str, ...]) -> dict[str, Any]:
    """Show what is new of the newest run until it has ended."""
    from mop.cli.watching import Patient

    view = _View()
    patient = Patient(server, view)
    try:
        while True:
            document: dict[str, Any] = patient.get(*path)
            view.look(document)
            if document["is_final"]:
                return document
            time.sleep(POLL_SECONDS)
    finally:
        view.close()


class _View:
    """A line for each step that ended, and on a terminal one that changes. The texts come from a server."""

    def __init__(self) -> None:
        self._shown: set[tuple[str, int]] = set()
        self._said = ""
        self._status: Status | None = None
        if wants_colour(sys.stderr):
            self._status = console().status("")
            self._status.start()

    def look(self, document: dict[str, Any]) -> None:
        """Show what is new."""
        from mop.loadtest.results import StepResult

        for test in document["tests"]:
            for step in test["steps"]:
                if (test["modality"], step["target"]) in self._shown:
                    continue
                self._shown.add((test["modality"], step["target"]))
                for line in step_lines(StepResult.from_dict(step), test["strategy"]):
                    self._write(f"{test['modality']}: {line}")
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

    def _now(self, test: dict[str, Any]) -> None:
        from mop.loadtest.results import Progress

        if test["progress"]:
            if self._status is not None:
                line = progress_line(Progress(**test["progress"]), test["strategy"], test["duration_s"])
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


def _print(document: dict[str, Any]) -> None:
    if not document["tests"]:
        say(f"no load test: {printable(document['state'])}")
    for test in document["tests"]:
        say(f"{printable(test['modality'])}: {printable(test['state'])}")
        if test["error"]:
            for line in error_lines(from_dict(test["error"])):
                say(line)
        elif test["steps"]:
            print_result(_result(document, test))


def _result(document: dict[str, Any], test: dict[str, Any]) -> RunResult:
    from mop.loadtest.plan import Arrivals, Strategy
    from mop.loadtest.results import RunResult, StepResult
    from mop.loadtest.steps import Ending

    conditions = test["conditions"]
    return RunResult(
        strategy=Strategy(test["strategy"]),
        ended=Ending(test["ended"] or Ending.CANCELLED),
        steps=tuple(StepResult.from_dict(step) for step in test["steps"]),
        address=f"{document['model']} {document['version']}",
        seed=test["seed"],
        arrivals=Arrivals(test["arrivals"]),
        warm_up_s=test["warm_up_s"],
        timeout_s=test["timeout_s"],
        payload_bytes=conditions.get("payload_bytes", 0),
        payload_sha256=conditions.get("payload_sha256", ""),
    )
