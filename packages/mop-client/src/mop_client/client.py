"""The client: what a MOP server does, as methods.

from mop_client import Client

with Client() as mop:
    revision = mop.models.create("https://account.blob.core.windows.net/models/toxicity", tasks=["hate in text"])
    revision = mop.revisions.wait(revision["model"], revision["version"])
    mop.revisions.publish(revision["model"], revision["version"])
"""

from __future__ import annotations

from types import TracebackType
from typing import Iterator, cast

import httpx

from mop_client.case_parts import Dsat, GoldenSets, Regressions
from mop_client.credentials import Credentials, find_credentials
from mop_client.documents import Me, Notification
from mop_client.model_parts import Models, Revisions
from mop_client.parts import Datasets, Groups, Guides, Tasks, Webhooks
from mop_client.people_parts import Invitations, Teams, Tokens, Users
from mop_client.release_parts import Bundles, Gates, Releases, Services
from mop_client.result_parts import Evaluations, LoadTests
from mop_client.transport import TRIES, Transport


class Client:
    """A MOP server, as one user.

    Args:
        url: the server's address; left out, MOP_URL or what `mop login` kept.
        token: a personal access token for it.
        tries: how often a call is sent until it is given up.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        tries: int = TRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if url is not None and token is not None:
            credentials = Credentials(url.rstrip("/"), token)
        elif url is None and token is None:
            credentials = find_credentials()
        else:
            raise ValueError("give url and token, or neither")
        self._server = Transport(credentials, tries=tries, transport=transport)
        self.models = Models(self._server)
        self.revisions = Revisions(self._server)
        self.tasks = Tasks(self._server)
        self.datasets = Datasets(self._server)
        self.groups = Groups(self._server)
        self.guides = Guides(self._server)
        self.webhooks = Webhooks(self._server)
        self.evaluations = Evaluations(self._server)
        self.load_tests = LoadTests(self._server)
        self.dsat = Dsat(self._server)
        self.golden_sets = GoldenSets(self._server)
        self.regressions = Regressions(self._server)
        self.gates = Gates(self._server)
        self.services = Services(self._server)
        self.releases = Releases(self._server)
        self.bundles = Bundles(self._server)
        self.users = Users(self._server)
        self.invitations = Invitations(self._server)
        self.teams = Teams(self._server)
        self.tokens = Tokens(self._server)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._server.close()

    def me(self) -> Me:
        """Who the token belongs to, and their teams."""
        return cast("Me", self._server.get("me"))

    def notifications(self, *, unread: bool = False) -> Iterator[Notification]:
        """What you were told, newest first."""
        return self._server.pages("notifications", unread=unread)
