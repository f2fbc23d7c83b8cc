"""The bytes of a blob, each asked for once: a body that breaks off is continued where it broke.

The SDK's downloads keep a chunk of several megabytes in memory and read it again from its start when it breaks.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote

import httpx
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from mop.errors import MopError, SourceChangedError, StorageUnavailableError
from mop.file_names import quoted
from mop.storage.azure_errors import classify_answer
from mop.storage.azure_retry import is_passing, pause_s
from mop.storage.azure_tokens import SCOPE, AccountTokens
from mop.storage.config import RetryPolicy
from mop.storage.credentials import AccountKey, SasToken
from mop.storage.source import SourceFile
from mop.storage.urls import BlobLocation

_API_VERSION = "2023-11-03"
_CHUNK_BYTES = 1 << 20
_PROGRESS_BYTES = 1 << 20  # a try that brought so much was no failure in a row; less would let a drip go on for ever
_SAS_LIFE = timedelta(hours=1)  # of a signature made for one request


class BlobReader:
    """Reads blobs of one container by ranges, on the listed ETag."""

    def __init__(
        self, location: BlobLocation, retry: RetryPolicy, *, tokens: AccountTokens | None, trust: ssl.SSLContext | None
    ) -> None:
        self._location, self._retry, self._tokens = location, retry, tokens
        self._client = httpx.AsyncClient(
            verify=trust if trust is not None else True,
            timeout=httpx.Timeout(retry.read_timeout_s, connect=retry.connect_timeout_s),
            follow_redirects=False,  # a redirect leads to an address that the operator did not allow
            headers={"x-ms-version": _API_VERSION, "Accept-Encoding": "identity", "User-Agent": "mop"},
        )

    async def read(self, file: SourceFile, start: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` on, in chunks of at most about 1 MiB.

        Raises:
            SourceChangedError: the blob is no longer the one that was listed.
            MopError: the storage refuses it, or does not answer properly time after time.
        """
        done, failures = start, 0
        while done < file.size:
            before = done
            try:
                async with aclosing(self._from(file, done)) as chunks:
                    async for chunk in chunks:
                        done += len(chunk)
                        yield chunk
            except _BrokenError as broken:
                failures = 1 if done - before >= _PROGRESS_BYTES else failures + 1
                pause = pause_s(self._retry, failures, broken.headers)
                if pause is None:
                    raise broken.error from broken.__cause__
                await asyncio.sleep(pause)

    async def close(self) -> None:
        """Give back connections."""
        await self._client.aclose()

    async def _from(self, file: SourceFile, start: int) -> AsyncGenerator[bytes, None]:
        """One request for the rest of a blob; what arrived before it breaks is given before `_BrokenError` tells so."""
        headers = {"x-ms-range": f"bytes={start}-{file.size - 1}", "If-Match": file.etag}
        waiting: list[bytes] = []
        size, left = 0, file.size - start
        try:
            async with self._client.stream("GET", self._url(file), headers=headers | await self._token()) as body:
                self._check(body, file, start)
                async for part in body.aiter_raw():
                    waiting.append(part)
                    size += len(part)
                    left -= len(part)
                    if size >= _CHUNK_BYTES:
                        yield b"".join(waiting)
                        waiting, size = [], 0
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            if waiting:
                yield b"".join(waiting)
            raise _BrokenError(self._broken_off(file, error)) from error
        if waiting:
            yield b"".join(waiting)
        if left:
            raise _BrokenError(self._unusable(file, f"{file.size - left:,} of {file.size:,} bytes arrived"))

    def _check(self, answer: httpx.Response, file: SourceFile, start: int) -> None:
        status, code = answer.status_code, answer.headers.get("x-ms-error-code", "")[:80]
        if is_passing(status):
            raise _BrokenError(classify_answer(status, code, self._location, blob=file.path), answer.headers)
        if not answer.is_success:
            raise classify_answer(status, code, self._location, blob=file.path)
        if answer.headers.get("ETag", file.etag).strip('"') != file.etag.strip('"'):  # listings leave the quotes out
            raise SourceChangedError(f"{quoted(file.path)} in {self._location} changed while it was read.")
        expected = f"bytes {start}-{file.size - 1}/{file.size}"
        if status != HTTPStatus.PARTIAL_CONTENT or answer.headers.get("Content-Range") != expected:
            raise self._unusable(file, "the answer is not the range that was asked for")

    def _url(self, file: SourceFile) -> str:
        location = self._location
        url = f"{location.account.url}/{location.container}/{quote(location.prefix + file.path, safe='/')}"
        query = self._signature()
        return f"{url}?{query}" if query else url

    def _signature(self) -> str:
        """The query that stands for a key or a SAS; a key signs one for the container, for an hour."""
        account = self._location.account
        if isinstance(account.credential, SasToken):
            return account.credential.token.removeprefix("?")
        if not isinstance(account.credential, AccountKey):
            return ""
        return generate_container_sas(
            account.name,
            self._location.container,
            account_key=account.credential.key,
            permission=ContainerSasPermissions(read=True),
            expiry=datetime.now(UTC) + _SAS_LIFE,
        )

    async def _token(self) -> dict[str, str]:
        if self._tokens is None:
            return {}
        return {"Authorization": f"Bearer {(await self._tokens.get_token_info(SCOPE)).token}"}

    def _broken_off(self, file: SourceFile, error: Exception) -> StorageUnavailableError:
        if isinstance(error, httpx.TimeoutException):
            return self._unusable(file, "no answer before the time-out")
        return self._unusable(file, f"{type(error).__name__}, no complete answer")

    def _unusable(self, file: SourceFile, why: str) -> StorageUnavailableError:
        return StorageUnavailableError(f"{quoted(file.path)} in {self._location} could not be read: {why}.")


class _BrokenError(Exception):
    """A try that failed in a way that may pass; `error` is what to tell when none is left."""

    def __init__(self, error: MopError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error.message)
        self.error, self.headers = error, headers
