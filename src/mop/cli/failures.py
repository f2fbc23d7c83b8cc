"""Failures of a command itself. Those of models, servers and installations have names in the catalogue `mop.errors`."""

from __future__ import annotations

from typing import ClassVar

from mop.cli.exit_codes import ExitCode


class CommandError(Exception):
    """A command can not go on: what happened, and what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint


class ServerUnreachableError(CommandError):
    """The MOP server could not be reached or did not answer properly."""

    exit_code = ExitCode.UNDECIDED
    default_hint = "Check the server's address (`mop login`, MOP_URL) and that `mop up` runs there."


class RequestRefusedError(CommandError):
    """The server refused the request without naming an error of the catalogue."""

    exit_code = ExitCode.USAGE
    default_hint = "Check that the address is a MOP server's and that CLI and server have the same version."


class PartFailedError(CommandError):
    """A process of the installation could not be made ready or ended while it was starting."""

    default_hint = "Read the lines above; `mop doctor` checks what MOP needs."


class PortTakenError(CommandError):
    """The address can not be listened on."""

    exit_code = ExitCode.USAGE
    default_hint = "Choose another with --port."


class SamplesMissingError(CommandError):
    """The demonstration's sample is not there."""

    exit_code = ExitCode.USAGE
    default_hint = "Run it from a source checkout, or name the folder with --samples."


class PolicyError(CommandError):
    """The installation's policy of findings can not be read."""

    exit_code = ExitCode.USAGE
    default_hint = "Correct the file, or remove it: the default policy then holds."
