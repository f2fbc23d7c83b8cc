from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mop.errors import (
    ModelStructureError,
    ModelUrlForbiddenError,
    ModelUrlNotFoundError,
    MopError,
    PlatformCredentialError,
    SourceChangedError,
    StorageUnavailableError,
)
from mop.storage import (
    AccountKey,
    Anonymous,
    ArtifactStore,
    AzureAccount,
    Manifest,
    RetryPolicy,
    SnapshotLimits,
    open_source,
    take_snapshot,
)
from mop.storage.credentials import Credential

from .conftest import QUICK, quick_config
from .fault_server import FaultServer, Reply, Request, failure

Fault = Callable[[Request], Reply | None]
KEY = AccountKey("c2VjcmV0")
BIG = bytes(range(256)) * 40_000  # three chunks


async def snapshot(
    server: FaultServer, store: ArtifactStore, *, credential: Credential = KEY, retry: RetryPolicy = QUICK
) -> Manifest:
    account = AzureAccount("account", server.endpoint, credential, principal="mop-reader")
    source = open_source(f"{server.endpoint}/container/m", quick_config(account, retry=retry))
    try:
        return await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None)
    finally:
        await source.close()


def on_listing(reply: Reply) -> Fault:
    return lambda request: reply if request.is_listing else None


def on_read(reply: Reply) -> Fault:
    return lambda request: None if request.is_listing else reply


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "InvalidUri", ModelUrlNotFoundError),
        (400, "", ModelUrlNotFoundError),
        (401, "NoAuthenticationInformation", PlatformCredentialError),
        (401, "InvalidAuthenticationInfo", PlatformCredentialError),
        (403, "AuthenticationFailed", PlatformCredentialError),
        (403, "AuthorizationPermissionMismatch", ModelUrlForbiddenError),
        (403, "AuthorizationFailure", ModelUrlForbiddenError),
        (403, "", ModelUrlForbiddenError),
        (404, "ContainerNotFound", ModelUrlNotFoundError),
        (404, "", ModelUrlNotFoundError),
        (408, "", StorageUnavailableError),
        (409, "BlobArchived", ModelUrlNotFoundError),
        (409, "ContainerBeingDeleted", ModelUrlNotFoundError),
        (409, "PublicAccessNotPermitted", ModelUrlForbiddenError),
        (409, "LeaseIdMissing", StorageUnavailableError),
        (412, "ConditionNotMet", SourceChangedError),
        (429, "TooManyRequests", StorageUnavailableError),
        (500, "InternalError", StorageUnavailableError),
        (501, "", StorageUnavailableError),
        (503, "ServerBusy", StorageUnavailableError),
    ],
)
async def test_a_listing_is_classified_by_status_and_code(
    fault_server: FaultServer, store: ArtifactStore, status: int, code: str, expected: type[MopError]
) -> None:
    fault_server.fault = on_listing(failure(status, code))
    with pytest.raises(MopError) as caught:
        await snapshot(fault_server, store)
    assert type(caught.value) is expected
    assert caught.value.hint


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "AuthorizationPermissionMismatch", ModelUrlForbiddenError),
        (404, "BlobNotFound", SourceChangedError),
        (409, "BlobArchived", ModelUrlNotFoundError),
        (412, "ConditionNotMet", SourceChangedError),
        (416, "InvalidRange", SourceChangedError),
        (429, "", StorageUnavailableError),
        (503, "ServerBusy", StorageUnavailableError),
    ],
)
async def test_a_read_is_classified_by_status_and_code(
    fault_server: FaultServer, store: ArtifactStore, status: int, code: str, expected: type[MopError]
) -> None:
    fault_server.blobs = {"m/a": b"content"}
    fault_server.fault = on_read(failure(status, code))
    with pytest.raises(MopError) as caught:
        await snapshot(fault_server, store)
    assert type(caught.value) is expected


async def test_a_stranger_who_asks_for_a_private_container_is_told_so(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.fault = on_listing(failure(404, "ResourceNotFound"))
    with pytest.raises(ModelUrlForbiddenError, match="does not exist or is not public"):
        await snapshot(fault_server, store, credential=Anonymous())


@pytest.mark.parametrize("stall", [True, False])
@pytest.mark.parametrize("sent", [0, 3])
async def test_a_body_that_stalls_or_is_cut_short_is_worth_a_retry(
    fault_server: FaultServer, store: ArtifactStore, sent: int, *, stall: bool
) -> None:
    fault_server.blobs = {"m/a": b"content"}
    reply = Reply(206, {"Content-Range": "bytes 0-6/7"}, b"content", body_sent=sent, stall=stall)
    fault_server.fault = on_read(reply)
    with pytest.raises(StorageUnavailableError):
        await snapshot(fault_server, store)


async def test_a_listing_that_stalls_is_worth_a_retry(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.fault = on_listing(Reply(200, {}, b"<?xml", body_sent=2, stall=True))
    with pytest.raises(StorageUnavailableError):
        await snapshot(fault_server, store)


@pytest.mark.parametrize(
    "body", [b"", b"<html>a proxy's page</html>", b"<?xml version='1.0'?><EnumerationResults><Blo"]
)
async def test_a_listing_that_is_none_is_not_an_empty_folder(
    fault_server: FaultServer, store: ArtifactStore, body: bytes
) -> None:
    fault_server.fault = on_listing(Reply(200, {"Content-Type": "application/xml"}, body))
    with pytest.raises(StorageUnavailableError):
        await snapshot(fault_server, store)


async def test_a_file_shorter_than_listed_is_not_stored_as_whole(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/a": b"content"}

    def shorter(request: Request) -> Reply | None:
        first = request.headers["x-ms-range"].startswith("bytes=0-") if not request.is_listing else None
        return None if first is None else replace(fault_server.honest(request), body=b"con" if first else b"")

    fault_server.fault = shorter
    with pytest.raises(StorageUnavailableError, match=r"3 of 7 bytes"):
        await snapshot(fault_server, store)


async def test_an_answer_without_a_range_is_worth_a_retry(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.blobs = {"m/a": b"content"}
    fault_server.fault = on_read(Reply(200, {}, b"content"))
    with pytest.raises(StorageUnavailableError):
        await snapshot(fault_server, store)


async def test_a_listing_without_etags_is_not_trusted(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.blobs, fault_server.etags = {"m/a": b"content"}, {"m/a": ""}
    with pytest.raises(StorageUnavailableError, match="without an ETag"):
        await snapshot(fault_server, store)
    assert fault_server.reads == []


async def test_a_redirect_is_not_followed(fault_server: FaultServer, store: ArtifactStore) -> None:
    async with FaultServer() as elsewhere:
        elsewhere.blobs = {"m/a": b"x"}
        fault_server.fault = on_listing(Reply(307, {"Location": f"{elsewhere.endpoint}/container?comp=list"}))
        with pytest.raises(MopError):
            await snapshot(fault_server, store)
        assert elsewhere.requests == []


async def test_a_blob_is_asked_for_once_on_the_listed_etag(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.blobs = {"m/big": BIG, "m/empty": b""}
    manifest = await snapshot(fault_server, store)
    [read] = fault_server.reads
    assert read.headers["if-match"] == "0x00000005"
    assert read.headers["x-ms-range"] == f"bytes=0-{len(BIG) - 1}"
    assert manifest.total_bytes == len(BIG)


async def test_a_blob_replaced_while_it_is_read_is_read_again(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.blobs = {"m/big": BIG, "m/steady": b"s"}
    after = BIG[::-1]

    def replace_once(request: Request) -> Reply | None:
        if request.path.endswith("big") and fault_server.blobs["m/big"] == BIG:
            cut = fault_server.honest(request, body_sent=5_000_000)
            fault_server.blobs["m/big"], fault_server.etags["m/big"] = after, "0xNEW"
            return cut
        return None

    fault_server.fault = replace_once
    [big, _] = (await snapshot(fault_server, store)).files
    assert b"".join([chunk async for chunk in store.get(big.sha256)]) == after
    steady = [request for request in fault_server.requests if request.path.endswith("steady")]
    assert len(steady) == 1


async def test_a_name_that_xml_can_not_hold_is_refused(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.blobs = {"m/a\x01b": b"x"}
    fault_server.encoded = {"m/a\x01b"}
    with pytest.raises(ModelStructureError, match=r"U\+0001"):
        await snapshot(fault_server, store)
    assert all(request.is_listing for request in fault_server.requests)


async def test_a_passing_fault_is_retried_and_a_lasting_one_is_told_after_the_configured_tries(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.blobs = {"m/a": b"x"}
    busy = [failure(503, "ServerBusy"), failure(500)]
    fault_server.fault = lambda _request: busy.pop() if busy else None
    retry = replace(QUICK, attempts=2)
    assert len((await snapshot(fault_server, store, retry=retry)).files) == 1
    fault_server.requests.clear()
    fault_server.fault = lambda _request: failure(503, "ServerBusy")
    with pytest.raises(StorageUnavailableError):
        await snapshot(fault_server, store, retry=retry)
    assert len(fault_server.requests) == 3


async def test_a_role_that_arrives_late_is_waited_for(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.blobs = {"m/a": b"x"}
    refused = [failure(403, "AuthorizationPermissionMismatch")] * 2
    fault_server.fault = lambda _request: refused.pop() if refused else None
    retry = replace(QUICK, forbidden_delays_s=(0.01, 0.01))
    assert len((await snapshot(fault_server, store, retry=retry)).files) == 1


async def test_a_lasting_refusal_names_the_configured_principal_and_the_command(
    fault_server: FaultServer, store: ArtifactStore
) -> None:
    fault_server.fault = lambda _request: failure(403, "AuthorizationPermissionMismatch")
    with pytest.raises(ModelUrlForbiddenError) as caught:
        await snapshot(fault_server, store, retry=replace(QUICK, forbidden_delays_s=(0.01,)))
    assert len(fault_server.requests) == 2
    assert "mop-reader" in caught.value.message
    assert '--assignee "mop-reader"' in caught.value.hint


async def test_a_failed_snapshot_leaves_nothing_half_written(fault_server: FaultServer, store: ArtifactStore) -> None:
    fault_server.blobs = {f"m/{number}": BIG for number in range(6)}

    def cut(request: Request) -> Reply | None:
        if not request.path.endswith("/3"):
            return None
        first = request.headers["x-ms-range"].startswith("bytes=0-")
        return fault_server.honest(request, body_sent=8_000_000) if first else failure(403)

    fault_server.fault = cut
    with pytest.raises(ModelUrlForbiddenError):
        await snapshot(fault_server, store)
    assert store.folder is not None
    assert list((store.folder / "incoming").iterdir()) == []
    assert list(store.folder.rglob("*.json")) == []
