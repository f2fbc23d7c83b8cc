"""The OpenID Connect provider of the installation; allauth does the exchange (with PKCE).

MOP adds: a nonce that ties the ID token to the browser that asked, a signature that is always checked, users keyed by
issuer and subject, and no parameter of the request that changes what is asked of the provider.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import jwt
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse

SIGNED_WITH = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
UID_MAX = 191  # the column's width


class OpenIDConnectAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # allauth is untyped
    """Talks to the provider."""

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """The claims of a token that the provider signed for this installation.

        Raises:
            OAuth2Error: it did not.
        """
        try:
            algorithm = jwt.get_unverified_header(id_token).get("alg")
        except jwt.PyJWTError as error:
            raise OAuth2Error("The ID token cannot be read") from error
        if algorithm not in SIGNED_WITH:
            raise OAuth2Error(f"The ID token is signed with {algorithm}, which is not accepted")
        found: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        return found


class OpenIDConnect(OpenIDConnectProvider):  # type: ignore[misc] # allauth is untyped
    """The provider of MOP_OIDC_ISSUER."""

    oauth2_adapter_class = OpenIDConnectAdapter

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """Lead to the provider; the nonce waits in the session beside state and PKCE's verifier."""
        nonce = secrets.token_urlsafe(24)
        kwargs["auth_params"] = {**self.get_auth_params(), "nonce": nonce}
        kwargs["scope"] = self.get_scope()
        process = AuthProcess.LOGIN  # nobody connects an account by an address
        answer: HttpResponse = super().redirect(request, process, next_url, data, nonce=nonce, **kwargs)
        return answer

    def extract_uid(self, data: dict[str, Any]) -> str:
        """What an account is keyed by.

        Raises:
            OAuth2Error: the provider sent no ID token, or its user info is of somebody else.
        """
        return uid_of(data)

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:  # noqa: ARG002 - the base class's signature
        """None: an address never says whose account it is."""
        return []


def uid_of(data: dict[str, Any]) -> str:
    """Issuer and subject, or Entra ID's tenant and object, whose subjects differ from client to client.

    Entra ID's issuers name the tenant. At another provider these two claims may be what a person writes of themselves.
    """
    token, info = data.get("id_token"), data.get("userinfo") or {}
    if not token or not token.get("sub"):
        raise OAuth2Error("The provider sent no ID token with a subject")
    if info and info.get("sub") != token["sub"]:
        raise OAuth2Error("The provider's user info is of another subject than its ID token")
    if token.get("tid") and token.get("oid") and f"/{token['tid']}/" in f"{token['iss']}/":
        return f"entra {token['tid']} {token['oid']}"
    uid = f"{token['iss']} {token['sub']}"
    return uid if len(uid) <= UID_MAX else f"sha256 {hashlib.sha256(uid.encode()).hexdigest()}"


def register() -> None:
    """Let allauth know the provider; harmless to do twice."""
    registry.register(OpenIDConnect)
