"""How sign-in behaves in MOP."""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import unicodedata
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from mop.accounts.actions import Action
from mop.accounts.addresses import client_address
from mop.accounts.single_sign_on import person_of
from mop.audit.services import Actor, record
from mop.deferred import deferred
from mop.errors import SignInRefusedError

if TYPE_CHECKING:
    from cryptography import fernet
else:
    fernet = deferred("cryptography.fernet")

logger = logging.getLogger(__name__)


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


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth is untyped
    """Sign-in by the provider of MOP_OIDC_ISSUER: `mop.accounts.single_sign_on` says who it is."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find or make the user of an answer that belongs to this browser's question.

        Raises:
            SignInRefusedError: it answers another question, or the person may not sign in.
        """
        account = sociallogin.account
        try:
            check_nonce(sociallogin)
            sociallogin.user = person_of(account, address=client_address(request))
        except SignInRefusedError as error:
            self._record_refusal(request, account.uid, error.message)
            raise

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002 - as above
        """Nobody reaches this: a person who may sign in has a user by then."""
        return False

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,  # noqa: ARG002 - as above
        error: Any = None,
        exception: BaseException | None = None,
        extra_context: Any = None,  # noqa: ARG002 - as above
    ) -> None:
        """Note why; the page that follows names no reason that helps to forge."""
        why = str(exception or error or "unknown")
        logger.warning("a sign-in by the provider failed: %s", why)
        self._record_refusal(request, settings.MOP_OIDC_NAME, why)

    def _record_refusal(self, request: HttpRequest, who: str, why: str) -> None:
        record(
            actor=Actor(id="system:sign-in", label="MOP sign-in", address=client_address(request)),
            action=Action.USER_SIGN_IN_REFUSED,
            object_type="user",
            object_id="",
            object_label=who,
            data={"why": why[:500]},
        )


def _cipher() -> fernet.Fernet:
    key = hashlib.sha256(b"second factors:" + settings.SECRET_KEY.encode()).digest()
    return fernet.Fernet(base64.urlsafe_b64encode(key))


def check_nonce(sociallogin: Any) -> None:
    """Refuse an answer to a question that another browser asked.

    Raises:
        SignInRefusedError: its nonce is not the one of this session.
    """
    nonce = (sociallogin.account.extra_data.get("id_token") or {}).get("nonce")
    if not nonce or not secrets.compare_digest(str(nonce), str(sociallogin.state.get("nonce") or "")):
        raise SignInRefusedError(
            "The provider's answer does not belong to the sign-in that this browser began.",
            hint="Begin the sign-in again.",
        )


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth is untyped
    """TOTP, recovery codes and passkeys; their secrets are encrypted with the installation's key."""

    def encrypt(self, text: str) -> str:
        """What is stored of a secret."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret."""
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: Any, type: str) -> str:  # noqa: A002 - the base class's signature
        """The name that a new key is offered."""
        return f"Passkey {user.authenticator_set.filter(type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Whom a passkey is for: this host, under the product's name."""
        found: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**found, "name": "MOP"}
