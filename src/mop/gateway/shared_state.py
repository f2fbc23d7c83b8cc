"""What gateways of a service share, as one process knows it: read again within a second of every change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from mop.engine.database import in_database
from mop.gateway.block_terms import BlockTerms, Term
from mop.gateway.selectors import Shared, items_of, read_shared, state_version
from mop.gateway.services import key_digest

logger = logging.getLogger(__name__)


class SharedState:
    """Keys, blocklists and containers of one service; `refresh` brings them up to date."""

    def __init__(self, service_id: int) -> None:
        self._service_id = service_id
        self._shared = Shared()
        self._terms: dict[str, tuple[tuple[int, int], BlockTerms]] = {}
        self._digests: dict[str, str] = {}
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what changed since the last time; one small query when nothing did."""
        async with self._refreshing:
            if await in_database(state_version)(self._service_id) == self._shared.version:
                return
            shared = await in_database(read_shared)(self._service_id)
            terms = {}
            for (pk, name), version in shared.blocklists.items():
                known = self._terms.get(name)
                if known is None or known[0] != (pk, version):
                    items = await in_database(items_of)(pk)
                    known = ((pk, version), BlockTerms(Term(name, str(one), text) for one, text in items))
                terms[name] = known
            self._shared, self._terms = shared, terms
            self._digests.clear()

    def key_number(self, secret: str) -> int | None:
        """Which of the keys it is; None for neither."""
        digest = self._digests.get(secret)
        if digest is None:
            digest = key_digest(secret)
            if digest in self._shared.keys:  # two at most: what callers guess is not kept
                self._digests[secret] = digest
        return self._shared.keys.get(digest)

    def terms(self, blocklist: str) -> BlockTerms | None:
        """The terms of a blocklist; None where there is none of that name."""
        found = self._terms.get(blocklist)
        return None if found is None else found[1]

    @property
    def containers(self) -> Mapping[str, dict[str, Any]]:
        """Credentials of the containers by url."""
        return self._shared.containers
