"""Tokens of Microsoft Entra ID for a storage account, with failures in the catalogue's words."""

from __future__ import annotations

import asyncio
import logging
import re
from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from mop.errors import MopError, PlatformCredentialError, StorageUnavailableError
from mop.storage.azure_retry import is_passing
from mop.storage.config import AzureAccount, RetryPolicy
from mop.storage.credentials import ManagedIdentity, ServicePrincipal, TokenCredential, WorkloadIdentity
from mop.storage.principals import blob_principal

SCOPE = "https://storage.azure.com/.default"
_Identity = CertificateCredential | ClientSecretCredential | ManagedIdentityCredential | WorkloadIdentityCredential
_CODE = re.compile(r"AADSTS\d{4,9}")
# What azure-identity lets out: its own errors; unreadable files of certificate and token; and when an answer is
# not the authority's, whatever its reading of that answer stumbles over.
_FAILURES = (AzureError, OSError, ValueError, TypeError, KeyError, AttributeError)

logging.getLogger("azure.identity").setLevel(logging.CRITICAL)  # its warnings repeat what the authority said


class AccountTokens:
    """The token credential of one account, as the SDK's clients take it; one request for a token at a time.

    A failure leaves as an error of the catalogue, which no retry policy of the SDK repeats.
    """

    def __init__(self, account: AzureAccount, credential: TokenCredential, retry: RetryPolicy) -> None:
        self._account, self._credential, self._retry = account, credential, retry
        self._identity: _Identity | None = None
        self._lock = asyncio.Lock()

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token that is still valid for minutes.

        Raises:
            PlatformCredentialError: the authority refuses this installation, or it has no such identity.
            StorageUnavailableError: the authority cannot be reached.
        """
        async with self._lock:
            try:
                if self._identity is None:
                    self._identity = await asyncio.to_thread(self._open)  # reads files
                return await self._identity.get_token_info(*scopes, options=options or {})
            except _FAILURES as error:
                fault = self._fault(error)
        raise fault  # outside the handler: the SDK's error repeats what the authority said

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """As `get_token_info`, for parts of the SDK that know only this."""
        options: TokenRequestOptions = {}
        if kwargs.get("claims"):
            options["claims"] = kwargs["claims"]
        if kwargs.get("tenant_id"):
            options["tenant_id"] = kwargs["tenant_id"]
        token = await self.get_token_info(*scopes, options=options)
        return AccessToken(token.token, token.expires_on)

    async def close(self) -> None:
        """Give back connections."""
        if self._identity is not None:
            await self._identity.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    def _open(self) -> _Identity:
        credential = self._credential
        options: dict[str, Any] = {
            "retry_total": self._retry.attempts,
            "retry_backoff_factor": self._retry.first_backoff_s,
            "retry_backoff_max": self._retry.retry_after_max_s,
            "connection_timeout": self._retry.connect_timeout_s,
            "read_timeout": self._retry.read_timeout_s,
        }
        if isinstance(credential, ManagedIdentity):
            return ManagedIdentityCredential(client_id=credential.client_id or None, **options)
        options |= {"authority": credential.authority, "connection_verify": self._account.ca_file or True}
        if isinstance(credential, WorkloadIdentity):
            return WorkloadIdentityCredential(
                tenant_id=credential.tenant_id,
                client_id=credential.client_id,
                token_file_path=credential.token_file,
                **options,
            )
        if credential.certificate_file:
            return CertificateCredential(
                credential.tenant_id,
                credential.client_id,
                credential.certificate_file,
                password=credential.certificate_password or None,
                **options,
            )
        return ClientSecretCredential(credential.tenant_id, credential.client_id, credential.client_secret, **options)

    def _fault(self, error: BaseException) -> MopError:
        status = getattr(error, "status_code", None)
        who = f"{blob_principal(self._account)} for the storage account {self._account.name}"
        if isinstance(error, CredentialUnavailableError):
            return self._refused(f"{who}: this machine has no such identity, or its identity service does not answer")
        if status is not None and is_passing(status):
            return self._unreachable(f"HTTP {status}")
        if isinstance(error, ClientAuthenticationError) and status is not None:
            code = _CODE.search(error.message or "")
            answer = f"HTTP {status} {code[0]}" if code else f"HTTP {status}"
            return self._refused(f"{who}: the authority answers {answer}")
        if isinstance(error, AzureError):
            return self._unreachable(type(error).__name__)
        if isinstance(error, OSError) and (file := self._file()):
            return self._refused(f"{who}: {file} cannot be read ({error.strerror or type(error).__name__})")
        return self._refused(f"{who}: {self._file() or 'the answer of the authority'} cannot be used")

    def _refused(self, why: str) -> PlatformCredentialError:
        return PlatformCredentialError(
            f"No token could be had as {why}.",
            hint=f"The operator must renew or correct the credential of the storage account {self._account.name} "
            "(MOP_AZURE_ACCOUNTS).",
        )

    def _unreachable(self, why: str) -> StorageUnavailableError:
        authority = getattr(self._credential, "authority", "this machine's identity service")
        return StorageUnavailableError(
            f"The token authority {authority} gave no token for the storage account {self._account.name}: {why}."
        )

    def _file(self) -> str:
        if isinstance(self._credential, ServicePrincipal):
            return self._credential.certificate_file
        return self._credential.token_file if isinstance(self._credential, WorkloadIdentity) else ""
