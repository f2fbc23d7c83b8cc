"""Failures of the commands of an installation; those that talk to a server have theirs in the client."""

from __future__ import annotations

from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.failures import CommandError, RequestRefusedError, ServerUnreachableError

__all__ = [
    "CommandError",
    "NoWorkerError",
    "PartFailedError",
    "PolicyError",
    "PortTakenError",
    "RequestRefusedError",
    "SamplesMissingError",
    "ServerUnreachableError",
]


class PartFailedError(CommandError):
    """A process of the installation could not be made ready or ended while it was starting."""

    default_hint = "Read the lines above; `mop doctor` checks what MOP needs."


class NoWorkerError(CommandError):
    """No worker of that name runs on this host."""

    exit_code = ExitCode.USAGE
    default_hint = "Give its name with --name, and run this on its own host."


class PortTakenError(CommandError):
    """The address cannot be listened on."""

    exit_code = ExitCode.USAGE
    default_hint = "Choose another with --port."


class SamplesMissingError(CommandError):
    """The demonstration's sample is not there."""

    exit_code = ExitCode.USAGE
    default_hint = "Run it from a source checkout, or name the folder with --samples."


class PolicyError(CommandError):
    """The installation's policy of findings cannot be read."""

    exit_code = ExitCode.USAGE
    default_hint = "Correct the file, or remove it: the default policy then holds."
