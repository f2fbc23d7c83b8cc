"""What a person typed into the wizard, kept in their session between its steps.

A draft has an id in the url, so two tabs do not overwrite each other and the back button finds its values.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

SESSION_KEY = "model_drafts"
DRAFTS_MAX = 5


class Drafts:
    """The drafts of one session; the oldest gives way."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    def read(self, draft: str, step: str) -> dict[str, Any] | None:
        """The raw values of a step; None when that step was not sent."""
        found = self._all().get(draft, {}).get(step)
        return dict(found) if found is not None else None

    def keep(self, draft: str, step: str, values: dict[str, Any]) -> str:
        """Keep the raw values of a step; without a draft id begin a new draft.

        Returns:
            The draft's id.
        """
        drafts = self._all()
        key = draft or secrets.token_urlsafe(6)
        drafts[key] = {**drafts.pop(key, {}), step: values}
        self._session[SESSION_KEY] = dict(list(drafts.items())[-DRAFTS_MAX:])
        return key

    def drop(self, draft: str, step: str) -> None:
        """Drop one step of a draft."""
        drafts = self._all()
        drafts.get(draft, {}).pop(step, None)
        self._session[SESSION_KEY] = drafts

    def forget(self, draft: str) -> None:
        """Drop a draft that became a model."""
        drafts = self._all()
        drafts.pop(draft, None)
        self._session[SESSION_KEY] = drafts

    def _all(self) -> dict[str, dict[str, Any]]:
        return dict(self._session.get(SESSION_KEY, {}))
