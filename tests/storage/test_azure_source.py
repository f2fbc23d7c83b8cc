from __future__ import annotations

import gzip
import http.client
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    ContainerSasPermissions,
    ContentSettings,
    ResourceTypes,
    generate_account_sas,
    generate_container_sas,
)

from mop.errors import (
    ModelStructureError,
    ModelUrlForbiddenError,
    ModelUrlNotFoundError,
    StorageUnavailableError,
)
from mop.storage import (
    AccountKey,
    Anonymous,
    ArtifactStore,
    AzureAccount,
    Manifest,
    SasToken,
    SnapshotLimits,
    StorageConfig,
    materialise,
    open_source,
    run_snapshot_job,
    store_folder,
    take_snapshot,
)
from mop.storage.credentials import Credential
from support.azurite import Azurite

from .conftest import PATIENT, QUICK, quick_config

pytestmark = pytest.mark.azurite

LIMITS = SnapshotLimits()


async def snapshot(
    azurite: Azurite,
    path: str,
    store: ArtifactStore,
    *,
    credential: Credential | None = None,
    limits: SnapshotLimits = LIMITS,
) -> Manifest:
    account = AzureAccount(
        azurite.account, azurite.endpoint, AccountKey(azurite.account_key) if credential is None else credential
    )
    source = open_source(azurite.url(path), quick_config(account, retry=PATIENT))
    try:
        return await take_snapshot(source, store, limits=limits, log=lambda _line: None)
    finally:
        await source.close()


def put_raw(azurite: Azurite, *paths: str) -> None:
    """Write one-byte blobs under names that no client library would send; quick for many, too."""
    sas = generate_account_sas(
        azurite.account,
        azurite.account_key,
        ResourceTypes(object=True),
        AccountSasPermissions(write=True, create=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    connection = http.client.HTTPConnection("127.0.0.1", azurite.port, timeout=10)
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2021-08-06"}
    for path in paths:
        connection.request("PUT", f"/{azurite.account}/{path}?{sas}", body=path[-1].encode(), headers=headers)
        response = connection.getresponse()
        assert response.status == 201, response.read()
        response.read()
    connection.close()


async def test_a_folder_is_read_whole_and_gives_the_digest_of_the_same_local_folder(
    azurite: Azurite, store: ArtifactStore, tmp_path: Path
) -> None:
    files = {"model/big.bin": bytes(range(256)) * 40_000, "src/empty": b"", "src/a b+%20é.txt": b"name"}
    for name, content in files.items():
        path = tmp_path / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    azurite.upload_folder("whole", tmp_path / "m", prefix="hate/v1")
    azurite.upload("whole", {"hate/v10/other": b"x", "hate/v1.txt": b"x"})
    manifest = await snapshot(azurite, "whole/hate/v1", store)
    assert {file.path: file.size for file in manifest.files} == {name: len(data) for name, data in files.items()}
    local = await store_folder(tmp_path / "m", store, limits=LIMITS, log=lambda _line: None)
    assert manifest.digest == local.digest
    await materialise(manifest.digest, store, tmp_path / "out", log=lambda _line: None)
    assert (tmp_path / "out/src/a b+%20é.txt").read_bytes() == b"name"


async def test_the_container_itself_may_be_the_folder(azurite: Azurite, store: ArtifactStore) -> None:
    azurite.upload("root-folder", {"model/a": b"1", "src/b": b"2"})
    manifest = await snapshot(azurite, "root-folder", store)
    assert [file.path for file in manifest.files] == ["model/a", "src/b"]


async def test_the_job_reads_azure_with_its_key_from_standard_input(azurite: Azurite, tmp_path: Path) -> None:
    azurite.upload("job", {"m/a": b"1"})
    account = AzureAccount(azurite.account, azurite.endpoint, AccountKey(azurite.account_key))
    result = await run_snapshot_job(
        azurite.url("job/m"),
        config=quick_config(account, retry=PATIENT),
        store=tmp_path / "store",
        limits=LIMITS,
        log=lambda _line: None,
    )
    assert result.files == 1


async def test_a_compressed_blob_is_stored_as_it_is(azurite: Azurite, store: ArtifactStore) -> None:
    content = gzip.compress(b"weights" * 1000)
    azurite.make_container("encoded")
    with azurite.client() as client:
        client.get_blob_client("encoded", "m/a").upload_blob(
            content, content_settings=ContentSettings(content_encoding="gzip")
        )
    [file] = (await snapshot(azurite, "encoded/m", store)).files
    assert file.size == len(content)


async def test_directory_markers_are_skipped(azurite: Azurite, store: ArtifactStore) -> None:
    azurite.upload("markers", {"m/src/a": b"1"})
    with azurite.client() as client:
        for name in ("m/src", "m/empty"):
            client.get_blob_client("markers", name).upload_blob(b"", metadata={"hdi_isfolder": "true"})
    manifest = await snapshot(azurite, "markers/m", store)
    assert [file.path for file in manifest.files] == ["src/a"]


async def test_a_listing_of_many_pages_is_complete(
    azurite: Azurite, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mop.storage.azure_source._PAGE", 300)
    azurite.make_container("pages")
    names = [f"model/{number:04}" for number in range(1000)]
    put_raw(azurite, *(f"pages/m/{name}" for name in names))
    manifest = await snapshot(azurite, "pages/m", store)
    assert [file.path for file in manifest.files] == names
    assert len({file.sha256 for file in manifest.files}) == 10
    with pytest.raises(ModelStructureError, match="more than 999 files"):
        await snapshot(azurite, "pages/m", store, limits=SnapshotLimits(files=999))


HOSTILE = {
    "climb": ("../x", "'..'"),
    "climb-encoded": ("%2e%2e/x", "'..'"),
    "climb-deep": ("a/b/../../../x", "'..'"),
    "climb-windows": ("..%5C..%5Cx", "'..'"),
    "dot": ("a/./x", "'.'"),
    "empty": ("a//x", "empty segment"),
    "trailing": ("a/", "empty segment"),
    "absolute": ("/etc/passwd", "absolute"),
    "line-break": ("a%0Ax", "U+000A"),
    "escape": ("a%C2%9Bx", "U+009B"),
    "reorder": ("a%E2%80%AEx", "U+202E"),
    "long": ("x" * 256, "255 bytes"),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_a_hostile_blob_name_is_refused_before_anything_is_stored(
    azurite: Azurite, store: ArtifactStore, case: str
) -> None:
    name, said = HOSTILE[case]
    azurite.make_container("hostile")
    put_raw(azurite, f"hostile/{case}/{name}")
    put_raw(azurite, f"hostile/{case}/src/inference.py")
    with pytest.raises(ModelStructureError) as caught:
        await snapshot(azurite, f"hostile/{case}", store)
    assert said in caught.value.message
    assert store.folder is not None
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


async def test_a_blob_that_is_both_file_and_folder_is_refused(azurite: Azurite, store: ArtifactStore) -> None:
    azurite.upload("collide", {"m/a": b"1", "m/a/b": b"2"})
    with pytest.raises(ModelStructureError, match="both a file and a folder"):
        await snapshot(azurite, "collide/m", store)


@pytest.mark.parametrize("path", ["exists/nothing", "exists/m/a", "missing-container/m"])
async def test_what_is_not_there_is_not_found(azurite: Azurite, store: ArtifactStore, path: str) -> None:
    azurite.upload("exists", {"m/a": b"1"})
    with pytest.raises(ModelUrlNotFoundError):
        await snapshot(azurite, path, store)


async def test_a_wrong_key_is_forbidden_naming_principal_role_and_command(
    azurite: Azurite, store: ArtifactStore
) -> None:
    azurite.upload("private", {"m/a": b"1"})
    with pytest.raises(ModelUrlForbiddenError) as caught:
        await snapshot(azurite, "private/m", store, credential=AccountKey("d3Jvbmc="))
    assert "the account key of devstoreaccount1" in caught.value.message
    assert "Storage Blob Data Reader" in caught.value.message
    assert 'az role assignment create --role "Storage Blob Data Reader"' in caught.value.hint
    assert "storageAccounts/devstoreaccount1/blobServices/default/containers/private" in caught.value.hint
    assert "d3Jvbmc" not in str(caught.value.to_dict())


def _sas(azurite: Azurite, container: str, *, hours: float, permission: str = "rl") -> SasToken:
    return SasToken(
        generate_container_sas(
            azurite.account,
            container,
            account_key=azurite.account_key,
            permission=ContainerSasPermissions.from_string(permission),
            expiry=datetime.now(UTC) + timedelta(hours=hours),
        )
    )


async def test_a_sas_reads_its_container_and_no_other(azurite: Azurite, store: ArtifactStore) -> None:
    azurite.upload("sas", {"m/a": b"1"})
    azurite.upload("sas-other", {"m/a": b"1"})
    sas = _sas(azurite, "sas", hours=1)
    assert len((await snapshot(azurite, "sas/m", store, credential=sas)).files) == 1
    with pytest.raises(ModelUrlForbiddenError):
        await snapshot(azurite, "sas-other/m", store, credential=sas)


@pytest.mark.parametrize(("hours", "permission"), [(-1, "rl"), (1, "l"), (1, "r")])
async def test_a_sas_that_is_expired_or_too_narrow_is_refused_without_repeating_it(
    azurite: Azurite, store: ArtifactStore, hours: float, permission: str
) -> None:
    azurite.upload("sas-bad", {"m/a": b"1"})
    sas = _sas(azurite, "sas-bad", hours=hours, permission=permission)
    with pytest.raises(ModelUrlForbiddenError, match="the shared access signature for devstoreaccount1") as caught:
        await snapshot(azurite, "sas-bad/m", store, credential=sas)
    signature = sas.token.rpartition("sig=")[2]
    assert signature not in str(caught.value.to_dict())


async def test_anonymous_reads_public_containers_only(azurite: Azurite, store: ArtifactStore) -> None:
    azurite.make_container("public", public=True)
    azurite.upload("public", {"m/a": b"1"})
    azurite.upload("not-public", {"m/a": b"1"})
    assert len((await snapshot(azurite, "public/m", store, credential=Anonymous())).files) == 1
    with pytest.raises(ModelUrlForbiddenError, match="anonymous"):
        await snapshot(azurite, "not-public/m", store, credential=Anonymous())


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/account", "http://storage.invalid/account"])
async def test_a_storage_that_can_not_be_reached_is_worth_a_retry(store: ArtifactStore, endpoint: str) -> None:
    config = StorageConfig(azure_accounts=(AzureAccount("account", endpoint, AccountKey("a2V5")),), retry=QUICK)
    source = open_source(f"{endpoint}/{quote('models')}/m", config)
    with pytest.raises(StorageUnavailableError):
        await take_snapshot(source, store, limits=LIMITS, log=lambda _line: None)
    await source.close()
