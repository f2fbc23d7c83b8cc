"""`mop_client.cli.options`, for the commands that stand in the server's package."""

from __future__ import annotations

from mop_client.cli.options import JsonFlag, one_of, read_json

__all__ = ["JsonFlag", "one_of", "read_json"]
