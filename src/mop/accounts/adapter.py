"""How sign-in behaves in MOP."""

from __future__ import annotations

import unicodedata
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from mop.accounts.addresses import client_address


class ClosedSignupAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth is untyped
    """Accounts are made by operators (`mop createuser`), not by visitors."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the base class's signature
        """Nobody signs up by themselves."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """What limits on guessing count by: the address that the audit log names."""
        return client_address(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:  # noqa: ARG002 - as above
        """What wrong passwords of an account are counted by: its name alone.

        allauth adds the Host header, which a guesser may choose: any port would begin a new count. So would a letter
        that the database takes for another.
        """
        return unicodedata.normalize("NFKC", str(credentials.get("username", ""))).casefold()
