"""An OpenID Connect provider on this machine: npm's oidc-provider, with people of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import npm

VERSION = "9.13.3"
SCRIPT = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True)
class OidcProvider:
    """A running provider, and what it says of people."""

    issuer: str
    people: Path

    def says(self, people: dict[str, dict[str, Any]]) -> None:
        """From now on these are the people, by their subject, with these claims."""
        self.people.write_text(json.dumps(people), encoding="utf-8")


@contextmanager
def running_oidc_provider(folder: Path, *, redirect_uri: str) -> Iterator[OidcProvider]:
    """A provider whose one client, `mop`, is led back to `redirect_uri`."""
    installed = npm.installed("oidc-provider", VERSION)
    people, port = folder / "people.json", npm.free_port()
    people.write_text("{}")
    arguments = (str(SCRIPT), str(port), redirect_uri, str(people))
    with npm.running(arguments, port=port, name="oidc-provider", environment={"NODE_FOLDER": str(installed)}):
        yield OidcProvider(issuer=f"http://127.0.0.1:{port}", people=people)
