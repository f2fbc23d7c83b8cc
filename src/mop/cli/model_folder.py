"""`mop init` and `mop requirements`: the client's own commands for model folders."""

from __future__ import annotations

from mop_client.commands import folders as app

__all__ = ["app"]
