"""What a command's exit status tells a script."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from http import HTTPStatus

from mop.errors import MopError, OutsideFault, PlatformFault, RequestFault, ServiceFault


class ExitCode(enum.IntEnum):
    """The exit codes of every command; docs/cli.md lists them."""

    DONE = 0
    FAILED = 1
    VULNERABLE = 2
    UNDECIDED = 3
    USAGE = 64
    INTERNAL = 70
    INTERRUPTED = 130


_OF_STATUS = {
    "verifyFailed": ExitCode.FAILED,
    "vulnerable": ExitCode.VULNERABLE,
    "verified": ExitCode.DONE,
}


def of_result(status: str, warnings: Sequence[object] = ()) -> ExitCode:
    """The exit code of a revision's status; a verified one with warnings is not clean, so it is 1.

    Whatever is not decided is 3: toBeRetried, undecided, cancelled, and every status on the way.
    """
    code = _OF_STATUS.get(status, ExitCode.UNDECIDED)
    return ExitCode.FAILED if code is ExitCode.DONE and warnings else code


def of_error(error: MopError) -> ExitCode:
    """The exit code of an expected failure: whose fault it is decides."""
    if isinstance(error, (RequestFault, ServiceFault)):
        return ExitCode.USAGE if error.http_status < HTTPStatus.INTERNAL_SERVER_ERROR else ExitCode.UNDECIDED
    if isinstance(error, PlatformFault):
        return ExitCode.INTERNAL
    if isinstance(error, OutsideFault):
        return ExitCode.UNDECIDED
    return ExitCode.FAILED if error.http_status < HTTPStatus.INTERNAL_SERVER_ERROR else ExitCode.INTERNAL
