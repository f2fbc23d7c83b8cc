"""What the parts of the client share."""

from __future__ import annotations

from typing import Any, Mapping

from mop_client.transport import Transport


class Part:
    """The methods for one kind of thing, on one server."""

    def __init__(self, server: Transport) -> None:
        self._server = server


def given(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is not None: the server has defaults for the rest."""
    return {name: value for name, value in body.items() if value is not None}
