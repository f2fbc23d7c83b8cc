"""The server that commands talk to, connected when one does: `mop --help` needs no HTTP client."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mop_client.cli.client import Server


@contextlib.contextmanager
def open_server() -> Iterator[Server]:
    """The server that the caller signed in to, as who they are there.

    Raises:
        NotAuthenticatedError: nobody signed in.
    """
    from mop_client.cli.client import Server
    from mop_client.cli.credentials import load_credentials

    server = Server(load_credentials())
    try:
        yield server
    finally:
        server.close()
