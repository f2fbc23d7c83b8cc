"""A model folder in Azure Blob storage."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence

import aiohttp
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import ContainerClient

from mop.errors import ModelUrlForbiddenError, ModelUrlNotFoundError, PlatformFault, StorageUnavailableError
from mop.file_names import quoted
from mop.storage.azure_errors import classify
from mop.storage.azure_reader import BlobReader
from mop.storage.azure_retry import ListingRetry
from mop.storage.azure_tokens import AccountTokens
from mop.storage.config import AzureAccount, RetryPolicy
from mop.storage.credentials import AccountKey, Anonymous, SasToken, TokenCredential
from mop.storage.source import SourceFile, too_many
from mop.storage.urls import BlobLocation

_PAGE = 5000
_MARKERS_PER_FILE = 2
# What the SDK lets out: its own errors; those of the socket, inside a body; and when an answer is not the storage's (a
# proxy's page), whatever its reading of that answer stumbles over.
_FAILURES = (AzureError, aiohttp.ClientError, OSError, AttributeError, TypeError, ValueError)


class AzureSource:
    """Reads a prefix of a container, conditionally on the ETags that were listed."""

    def __init__(self, location: BlobLocation, retry: RetryPolicy) -> None:
        account = location.account
        self._location = location
        self._retry = retry
        self._tokens = (
            AccountTokens(account, account.credential, retry)
            if isinstance(account.credential, TokenCredential)
            else None
        )
        self._client = ContainerClient(
            account_url=account.url,
            container_name=location.container,
            credential=self._tokens or _shared_credential(account),
            retry_policy=ListingRetry(retry),
            connection_timeout=retry.connect_timeout_s,
            connection_verify=account.ca_file or True,
            read_timeout=retry.read_timeout_s,
            permit_redirects=False,  # a redirect leads to an address that the operator did not allow
        )
        self._reader = BlobReader(location, retry, tokens=self._tokens, trust=_trust(account))

    async def list(self, *, at_most: int) -> Sequence[SourceFile]:
        """See `Source.list`. A refusal is asked again a few times: role grants arrive late."""
        anonymous = isinstance(self._location.account.credential, Anonymous)
        for delay in () if anonymous else self._retry.forbidden_delays_s:
            try:
                return await self._list_once(at_most)
            except ModelUrlForbiddenError:
                await asyncio.sleep(delay)
        return await self._list_once(at_most)

    def read(self, file: SourceFile, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        return self._reader.read(file, start)

    async def close(self) -> None:
        """See `Source.close`."""
        await self._reader.close()
        await self._client.close()
        if self._tokens is not None:
            await self._tokens.close()

    async def _list_once(self, at_most: int) -> Sequence[SourceFile]:
        files: list[SourceFile] = []
        markers = 0
        async for blob in self._blobs():
            if _is_folder(blob):
                markers += 1
            else:
                files.append(self._file(blob))
            if len(files) > at_most or markers > _MARKERS_PER_FILE * at_most:
                raise too_many(at_most)
        if not files:
            raise ModelUrlNotFoundError(f"The folder {self._location} does not exist or holds no file.")
        return files

    async def _blobs(self) -> AsyncGenerator[BlobProperties, None]:
        """The blobs below the prefix, page by page."""
        pages = self._client.list_blobs(
            name_starts_with=self._location.prefix or None, include=["metadata"], results_per_page=_PAGE
        ).by_page()
        while True:
            try:
                page = [blob async for blob in await anext(pages)]
            except StopAsyncIteration:
                return
            except _FAILURES as error:
                raise classify(error, self._location) from error
            for blob in page:
                yield blob

    def _file(self, blob: BlobProperties) -> SourceFile:
        path = blob.name.removeprefix(self._location.prefix)
        if not blob.etag:  # no storage leaves it out; without it nothing would tell that the blob changed
            raise StorageUnavailableError(f"{self._location} lists {quoted(path)} without an ETag.")
        return SourceFile(path=path, size=blob.size, etag=blob.etag)


def _shared_credential(account: AzureAccount) -> AzureNamedKeyCredential | AzureSasCredential | None:
    if isinstance(account.credential, AccountKey):
        return AzureNamedKeyCredential(account.name, account.credential.key)
    if isinstance(account.credential, SasToken):
        return AzureSasCredential(account.credential.token)
    return None


def _trust(account: AzureAccount) -> ssl.SSLContext | None:
    if not account.url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=account.ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        raise PlatformFault(
            f"The certificates in {account.ca_file}, the ca_file of the storage account {account.name}, cannot be "
            f"used: {error.strerror or type(error).__name__}.",
            hint="The operator must correct ca_file in MOP_AZURE_ACCOUNTS.",
        ) from error


def _is_folder(blob: BlobProperties) -> bool:
    """A directory marker, as accounts with a hierarchical namespace and several tools write them."""
    metadata = {name.lower(): value for name, value in (blob.metadata or {}).items()}
    return metadata.get("hdi_isfolder", "").lower() == "true" and not blob.size
