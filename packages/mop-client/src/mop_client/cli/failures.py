"""Failures of a command itself. Those of models, servers and installations have names in the catalogue `mop.errors`."""

from __future__ import annotations

from typing import ClassVar, Optional

from mop_client.cli.exit_codes import ExitCode


class CommandError(Exception):
    """A command cannot go on: what happened, and what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: Optional[str] = None) -> None:
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
