"""`mop_client.cli.exit_codes`, for the commands that stand in the server's package."""

from __future__ import annotations

from mop_client.cli.exit_codes import ExitCode, of_error, of_result

__all__ = ["ExitCode", "of_error", "of_result"]
