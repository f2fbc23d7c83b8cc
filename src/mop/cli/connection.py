"""`mop_client.cli.connection`, for the commands that stand in the server's package."""

from __future__ import annotations

from mop_client.cli.connection import open_server

__all__ = ["open_server"]
