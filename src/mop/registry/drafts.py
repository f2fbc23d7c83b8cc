"""What a person typed into the wizard, kept in their session between its steps.

A draft has an id in the url, so two tabs do not overwrite each other and the back button finds its values. What is
typed is kept while the step is sent: the two requests read the session before either wrote it, so a change is made on
what the database holds by then, and written at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.db import transaction

from mop.accounts.sessions import SessionStore

SESSION_KEY = "model_drafts"
DRAFTS_MAX = 5


class Drafts:
    """The drafts of one session; the oldest gives way."""

    def __init__(self, session: Any) -> None:
        self._session: SessionStore = session

    def read(self, draft: str, step: str) -> dict[str, Any] | None:
        """The raw values of a step; None when that step was not sent."""
        found = self._session.get(SESSION_KEY, {}).get(draft, {}).get(step)
        return dict(found) if found is not None else None

    def keep(self, draft: str, step: str, values: dict[str, Any]) -> str:
        """Keep the raw values of a step; without a draft id begin a new draft.

        Returns:
            The draft's id.
        """
        key = draft or secrets.token_urlsafe(6)

        def change(drafts: dict[str, Any]) -> dict[str, Any]:
            drafts[key] = {**drafts.pop(key, {}), step: values}
            return dict(list(drafts.items())[-DRAFTS_MAX:])

        self._change(change)
        return key

    def drop(self, draft: str, step: str) -> None:
        """Drop one step of a draft."""
        self._change(lambda drafts: {key: _without(step, of) if key == draft else of for key, of in drafts.items()})

    def forget(self, draft: str) -> None:
        """Drop a draft that became a model."""
        self._change(lambda drafts: _without(draft, drafts))

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        session = self._session
        with transaction.atomic():
            row = session.model.objects.select_for_update().filter(pk=session.session_key).first()
            held = session.decode(row.session_data) if row else session
            session[SESSION_KEY] = change(dict(held.get(SESSION_KEY, {})))
            if row:
                session.save()
                session.modified = False


def _without(key: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}
