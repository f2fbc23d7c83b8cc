"""`mop load-test --model`: a version on a server, tested by its worker and followed here."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from mop.cli.failures import ServerUnreachableError
from mop.cli.load_test_views import print_steps, progress_line, step_lines
from mop_client.cli.connection import open_server
from mop_client.cli.exit_codes import ExitCode, of_error
from mop_client.cli.output import console, error_lines, print_json, printable, say, wants_colour

if TYPE_CHECKING:
    from rich.status import Status

    from mop.loadtest.documents import LoadTestOut, LoadTestRunOut
    from mop_client.cli.client import Server

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
            document, run = _follow(server, path)
        except KeyboardInterrupt:
            say(f"the load test goes on; end it by `mop load-test --model {name} --version {chosen} --cancel`")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        print_json(document)
    else:
        _print(run)
    raise typer.Exit(exit_code_of(run))


def exit_code_of(run: LoadTestRunOut) -> ExitCode:
    """The code of a run that ended: 3 when it was cancelled or there is none, the error's when a test failed.

    Else 1 when a step failed more than 1 % of its requests or is not trusted, and 0.
    """
    for test in run.tests:
        if test.error:
            return of_error(test.error.error())
    if run.state != "finished":
        return ExitCode.UNDECIDED
    is_good = all(test.trusted and test.ended != "failing" for test in run.tests)
    return ExitCode.DONE if is_good else ExitCode.FAILED


def _follow(server: Server, path: tuple[str, ...]) -> tuple[dict[str, Any], LoadTestRunOut]:
    """Show what is new of the newest run until it has ended; the run as the server gives it, and as its type."""
    from mop_client.cli.watching import Patient

    view = _View()
    patient = Patient(server, view)
    try:
        while True:
            document: dict[str, Any] = patient.get(*path)
            run = _read(document, server)
            view.look(run)
            if run.is_final:
                return document, run
            time.sleep(POLL_SECONDS)
    finally:
        view.close()


def _read(document: dict[str, Any], server: Server) -> LoadTestRunOut:
    from mop.loadtest.documents import LoadTestRunOut
    from mop.loadtest.reading import read

    try:
        return read(LoadTestRunOut, document)
    except ValueError as error:
        raise ServerUnreachableError(
            f"{server.url} describes a load test in a form that this command does not know.",
            hint="Install the version of MOP that the server runs.",
        ) from error


class _View:
    """A line for each step that ended, and on a terminal one that changes. The texts come from a server."""

    def __init__(self) -> None:
        self._shown: set[tuple[str, int]] = set()
        self._said = ""
        self._status: Status | None = None
        if wants_colour(sys.stderr):
            self._status = console().status("")
            self._status.start()

    def look(self, run: LoadTestRunOut) -> None:
        """Show what is new."""
        for test in run.tests:
            for step in test.steps:
                if (test.modality, step.target) in self._shown:
                    continue
                self._shown.add((test.modality, step.target))
                for line in step_lines(step, test.strategy):
                    self._write(f"{printable(test.modality)}: {line}")
            if test.state in {"queued", "running"}:
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

    def _now(self, test: LoadTestOut) -> None:
        if test.progress:
            if self._status is not None:
                line = progress_line(test.progress, test.strategy, test.duration_s)
                self._status.update(printable(f"{test.modality}: {line}"))
            return
        line = printable(f"{test.modality}: {test.note or test.state}")
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


def _print(run: LoadTestRunOut) -> None:
    from mop.loadtest.steps import Ending

    if not run.tests:
        say(f"no load test: {run.state}")
    for test in run.tests:
        say(f"{printable(test.modality)}: {test.state}")
        if test.error:
            for line in error_lines(test.error.error()):
                say(line)
        elif test.steps:
            print_steps(test.steps, test.ended or Ending.CANCELLED, test.seed)
