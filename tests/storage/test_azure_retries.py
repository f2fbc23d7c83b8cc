"""How often a failing storage is asked, for how long, and what is told in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import pytest

from mop.errors import (
    ModelUrlForbiddenError,
    ModelUrlNotFoundError,
    MopError,
    PlatformCredentialError,
    SourceChangedError,
    StorageUnavailableError,
)
from mop.storage import (
    AccountKey,
    ArtifactStore,
    AzureAccount,
    Manifest,
    RetryPolicy,
    SnapshotLimits,
    SourceFile,
    open_source,
    take_snapshot,
)
from mop.storage.azure_retry import pause_s

from .conftest import QUICK, quick_config
from .fault_server import FaultServer, Reply, Request, failure

TRIES = 3
RETRY = replace(QUICK, attempts=TRIES - 1)
READINGS = 3


async def snapshot(server: FaultServer, store: ArtifactStore, *, retry: RetryPolicy = RETRY) -> Manifest:
    account = AzureAccount("account", server.endpoint, AccountKey("c2VjcmV0"))
    source = open_source(f"{server.endpoint}/container/m", quick_config(account, retry=retry))
    try:
        async with asyncio.timeout(60):  # the SDK's own tries would take 84 s
            return await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None)
    finally:
        await source.close()


FAULTS: dict[str, tuple[Reply, type[MopError], int, type[MopError], int]] = {
    # answer: error and requests when listings get it; error and requests for the blob when reads get it
    "400": (failure(400, "InvalidUri"), ModelUrlNotFoundError, 1, ModelUrlNotFoundError, 1),
    "401": (failure(401, "InvalidAuthenticationInfo"), PlatformCredentialError, 1, PlatformCredentialError, 1),
    "403": (failure(403, "AuthorizationFailure"), ModelUrlForbiddenError, 1, ModelUrlForbiddenError, 1),
    "403 key": (failure(403, "AuthenticationFailed"), PlatformCredentialError, 1, PlatformCredentialError, 1),
    "404": (failure(404, "ContainerNotFound"), ModelUrlNotFoundError, 1, SourceChangedError, READINGS),
    "408": (failure(408), StorageUnavailableError, TRIES, StorageUnavailableError, TRIES),
    "409 archived": (failure(409, "BlobArchived"), ModelUrlNotFoundError, 1, ModelUrlNotFoundError, 1),
    "409 deleted": (failure(409, "ContainerBeingDeleted"), ModelUrlNotFoundError, 1, ModelUrlNotFoundError, 1),
    "409 other": (failure(409, "LeaseIdMissing"), StorageUnavailableError, 1, StorageUnavailableError, 1),
    "412": (failure(412, "ConditionNotMet"), SourceChangedError, READINGS, SourceChangedError, READINGS),
    "416": (failure(416, "InvalidRange"), SourceChangedError, READINGS, SourceChangedError, READINGS),
    "429": (failure(429), StorageUnavailableError, TRIES, StorageUnavailableError, TRIES),
    "500": (failure(500, "InternalError"), StorageUnavailableError, TRIES, StorageUnavailableError, TRIES),
    "501": (failure(501), StorageUnavailableError, 1, StorageUnavailableError, 1),
    "503": (failure(503, "ServerBusy"), StorageUnavailableError, TRIES, StorageUnavailableError, TRIES),
    "503 soon": (failure(503, retry_after="0"), StorageUnavailableError, TRIES, StorageUnavailableError, TRIES),
    "503 late": (failure(503, retry_after="3600"), StorageUnavailableError, 1, StorageUnavailableError, 1),
    # the client of the SDK asks once more by itself when a connection is reset
    "reset": (Reply(reset=True), StorageUnavailableError, 2 * TRIES, StorageUnavailableError, TRIES),
    "stalls": (Reply(body=b"x", body_sent=0, stall=True), StorageUnavailableError, TRIES, StorageUnavailableError, 1),
    "not a storage": (Reply(body=b"<html>"), StorageUnavailableError, 1, StorageUnavailableError, 1),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_listing_that_fails(fault_server: FaultServer, store: ArtifactStore, fault: str) -> None:
    reply, expected, requests, _, _ = FAULTS[fault]
    fault_server.fault = lambda _request: reply
    with pytest.raises(MopError) as caught:
        await snapshot(fault_server, store)
    assert type(caught.value) is expected
    assert len(fault_server.requests) == requests
    assert caught.value.hint


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_read_that_fails(fault_server: FaultServer, store: ArtifactStore, fault: str) -> None:
    reply, _, _, expected, requests = FAULTS[fault]
    fault_server.blobs = {"m/a": b"content"}
    fault_server.fault = lambda request: None if request.is_listing else reply
    with pytest.raises(MopError) as caught:
        await snapshot(fault_server, store)
    assert type(caught.value) is expected
    assert len(fault_server.reads) == requests
    assert caught.value.hint


async def test_a_busy_storage_is_asked_again_no_sooner_than_it_says(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/a": b"content"}
    busy = [failure(429, retry_after="1"), failure(503, "ServerBusy", retry_after="1")]  # a listing, then the blob
    asked: list[tuple[float, bool]] = []

    def fault(request: Request) -> Reply | None:
        asked.append((monotonic(), request.is_listing))
        return busy.pop(0) if busy and request.is_listing == (len(busy) == 2) else None

    fault_server.fault = fault
    await snapshot(fault_server, store)
    times = [at for at, _ in asked]
    assert [listing for _, listing in asked] == [True, True, False, False, True]
    assert times[1] - times[0] >= 0.99
    assert times[3] - times[2] >= 0.99


@pytest.mark.parametrize(
    ("failures", "wish", "pause"),
    [
        (1, None, 0.5),
        (3, None, 2.0),
        (4, None, 4.0),
        (5, None, None),
        (1, "7", 7.0),
        (1, "0", 0.5),
        (1, "60", 60.0),
        (1, "61", None),
        (5, "1", None),
        (1, "9" * 400, None),
        (1, "-1", 0.5),
        (1, "soon", 0.5),
        (1, "Mon, 01 Jan 2001 00:00:00 GMT", 0.5),
        (1, "Mon, 01 Jan 2001 00:00:00", 0.5),
        (1, "Fri, 01 Jan 2100 00:00:00 GMT", None),
    ],
)
def test_the_pause_before_the_next_try(failures: int, wish: str | None, pause: float | None) -> None:
    assert pause_s(RetryPolicy(), failures, {"Retry-After": wish} if wish else None) == pause


def test_a_date_to_come_back_at_is_waited_for() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    pause = pause_s(RetryPolicy(), 1, {"Retry-After": at})
    assert pause is not None
    assert 10 < pause <= 30


Change = Callable[[FaultServer], None]


def add_one(server: FaultServer) -> None:
    server.blobs["m/new"] = b"new"


def remove_one(server: FaultServer) -> None:
    server.blobs.pop("m/b", None)


def replace_one(server: FaultServer) -> None:
    server.blobs["m/b"], server.etags["m/b"] = b"other", "0xOTHER"


@pytest.mark.parametrize("change", [add_one, remove_one, replace_one])
async def test_a_folder_that_changes_once_while_it_is_read_is_snapshot_as_it_is_then(
    fault_server: FaultServer, store: ArtifactStore, change: Change
) -> None:
    fault_server.blobs = {"m/a": b"a", "m/b": b"b"}

    def fault(request: Request) -> Reply | None:
        if request.path.endswith("/a"):
            change(fault_server)
        return None

    fault_server.fault = fault
    manifest = await snapshot(fault_server, store)
    assert {f"m/{file.path}": file.size for file in manifest.files} == {
        name: len(content) for name, content in fault_server.blobs.items()
    }


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/account", "http://storage.invalid/account"])
async def test_a_blob_whose_host_is_gone_since_the_listing_is_worth_a_retry(endpoint: str) -> None:
    account = AzureAccount("account", endpoint, AccountKey("c2VjcmV0"))
    source = open_source(f"{endpoint}/container/m", quick_config(account))
    with pytest.raises(StorageUnavailableError, match="ConnectError"):
        await anext(source.read(SourceFile("a", 7, "0x1")))
    await source.close()
