"""`mop_client.cli.client`, for the commands that stand in the server's package."""

from __future__ import annotations

from mop_client.cli.client import Server, error_of

__all__ = ["Server", "error_of"]
