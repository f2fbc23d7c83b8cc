"""A token authority as Microsoft Entra ID and Azure's instance metadata service answer, small and local."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from support.azurite import ServerCertificate

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
_AUDIENCE = "https://storage.azure.com"
_UNSIGNED = "a key of thirty-two bytes or more, as nobody checks it"


@dataclass
class Authority:
    """What it knows and what it was asked; an answer in `instead` comes in place of a token.

    Attributes:
        url: its https address.
        identity_url: its http address, for managed identities.
        secret: of the application CLIENT.
        certificate: of that application.
        federated: the assertion of a federated service account.
        identities: client ids of the machine's identities; empty is the machine's own.
        lifetime: of tokens, in seconds; negative: they have expired.
        instead: status and body of every answer.
        requests: grant or identity that was asked for, in order.
    """

    url: str = ""
    identity_url: str = ""
    secret: str = "the-application-s-secret"
    certificate: x509.Certificate | None = None
    federated: str = ""
    identities: frozenset[str] = frozenset({""})
    lifetime: int = 3600
    instead: tuple[int, dict[str, Any]] | None = None
    requests: list[str] = field(default_factory=list)

    def grant(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer an application."""
        self.requests.append(form["grant_type"])
        if self.instead is not None:
            return self.instead
        if path != f"/{TENANT}/oauth2/v2.0/token":
            return _refusal(400, "invalid_request", "AADSTS90002: Tenant not found.")
        if form["client_id"] != CLIENT:
            return _refusal(400, "unauthorized_client", "AADSTS700016: Application not found in the directory.")
        if "client_secret" in form and form["client_secret"] == self.secret:
            return self._token()
        if "client_assertion" in form and self._is_ours(form["client_assertion"]):
            return self._token()
        sent = form.get("client_secret") or form.get("client_assertion")
        return _refusal(401, "invalid_client", f"AADSTS7000215: Invalid client secret provided: {sent}.")

    def identity(self, query: dict[str, str], metadata: str | None) -> tuple[int, dict[str, Any]]:
        """Answer a managed identity."""
        client = query.get("client_id", "")
        self.requests.append(f"identity {client}".strip())
        if self.instead is not None:
            return self.instead
        if metadata != "true" or query.get("resource") != _AUDIENCE or client not in self.identities:
            return 400, {"error": "invalid_request", "error_description": "Identity not found"}
        status, token = self._token()
        return status, token | {"expires_on": str(int(time.time()) + 3600), "resource": _AUDIENCE}

    def _is_ours(self, assertion: str) -> bool:
        if self.certificate is None:
            return assertion == self.federated
        key = self.certificate.public_key()
        assert isinstance(key, RSAPublicKey)
        claims = jwt.decode(assertion, key, algorithms=["RS256", "PS256"], options={"verify_aud": False})
        return claims["sub"] == CLIENT

    def _token(self) -> tuple[int, dict[str, Any]]:
        now = int(time.time())
        times = {"iat": now - 7200, "nbf": now - 7200, "exp": now + self.lifetime}
        claims = {"iss": f"https://sts.windows.net/{TENANT}/", "aud": _AUDIENCE, "appid": CLIENT, **times}
        token = jwt.encode(claims, _UNSIGNED, algorithm="HS256")
        return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": token}


@contextmanager
def running_authority(tls: ServerCertificate) -> Iterator[Authority]:
    """Serve until the end, over https and, for managed identities, over http."""
    authority = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(*authority.grant(self.path, _flat(body)))

        def do_GET(self) -> None:
            self._answer(*authority.identity(_flat(urlsplit(self.path).query), self.headers["Metadata"]))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as secure,
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as plain,
    ):
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        authority.url = f"https://127.0.0.1:{secure.server_port}"
        authority.identity_url = f"http://127.0.0.1:{plain.server_port}"
        threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in (secure, plain)]
        for thread in threads:
            thread.start()
        try:
            yield authority
        finally:
            secure.shutdown()
            plain.shutdown()
            for thread in threads:
                thread.join()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _refusal(status: int, error: str, description: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": error, "error_description": description}
