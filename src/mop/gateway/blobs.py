"""Images that callers name by url: read from the service's own containers, each with its own credential."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import AzureError, HttpResponseError

from mop.gateway.containers import account_of, place_in
from mop.gateway.images import BYTES_MAX
from mop.gateway.wire_errors import WireError, busy, invalid
from mop.storage.credentials import AccountKey, SasToken

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobClient

READ_SECONDS = 10.0
TARGET = "image.blobUrl"


async def read_blob(url: str, containers: Mapping[str, dict[str, Any]]) -> bytes:
    """The image behind a url, of at most 4 MB.

    Raises:
        WireError: it lies in none of the containers, is not there, is too large, or the storage does not answer.
    """
    place = place_in(url, list(containers))
    if place is None:
        raise invalid("The url lies in none of the containers that this service lists, or carries a signature.", TARGET)
    container, blob = place
    if not containers[container]:
        raise busy("The credential of the container cannot be used.")
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(container, blob, containers[container])
    except HttpResponseError as error:
        raise _refused(error) from None
    except (AzureError, aiohttp.ClientError, OSError) as error:
        raise busy("The storage of the image does not answer.") from error


async def _read(container: str, blob: str, credential: dict[str, Any]) -> bytes:
    client = _client(container, blob, credential)
    try:
        # one byte more than may be read tells a larger one
        reader = await client.download_blob(offset=0, length=BYTES_MAX + 1)
        image: bytes = await reader.readall()
    finally:
        await client.close()
    if len(image) > BYTES_MAX:
        raise invalid(f"The image has more than {BYTES_MAX:,} bytes.", TARGET)
    return image


def _client(container: str, blob: str, credential: dict[str, Any]) -> BlobClient:
    from azure.storage.blob.aio import BlobClient, LinearRetry  # noqa: PLC0415 - most services list no container

    account = account_of(container, credential)
    key: AzureNamedKeyCredential | AzureSasCredential | None = None
    if isinstance(account.credential, AccountKey):
        key = AzureNamedKeyCredential(account.name, account.credential.key)
    elif isinstance(account.credential, SasToken):
        key = AzureSasCredential(account.credential.token)
    return BlobClient(
        account_url=account.url,
        container_name=container.rpartition("/")[2],
        blob_name=blob,
        credential=key,
        max_single_get_size=BYTES_MAX + 1,
        permit_redirects=False,  # a redirect leads to an address that nobody listed
        retry_policy=LinearRetry(backoff=0, retry_total=1, random_jitter_range=0),
        connection_timeout=READ_SECONDS,
        read_timeout=READ_SECONDS,
    )


def _refused(error: HttpResponseError) -> WireError:
    status = error.status_code
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
        return invalid("There is no image at this url.", TARGET)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return invalid("The credential of the container does not let the gateway read this image.", TARGET)
    return busy("The storage of the image does not answer.")
