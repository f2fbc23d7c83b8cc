from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mop.errors import ModelUrlForbiddenError, PlatformCredentialError, PlatformFault, StorageUnavailableError
from mop.storage import (
    ArtifactStore,
    AzureAccount,
    ManagedIdentity,
    Manifest,
    RetryPolicy,
    ServicePrincipal,
    SnapshotLimits,
    WorkloadIdentity,
    open_source,
    principal,
    run_snapshot_job,
    take_snapshot,
)
from mop.storage.credentials import TokenCredential
from mop.storage.principals import grant_command
from mop.storage.urls import BlobLocation, parse_url
from support.azurite import Azurite, ServerCertificate, running_azurite

from .certificates import make_client_certificate, make_server_certificate
from .conftest import PATIENT, quick_config
from .fault_server import FaultServer, failure
from .token_authority import CLIENT, TENANT, Authority, running_authority


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return make_server_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure_azurite(tls: ServerCertificate) -> Iterator[Azurite]:
    with running_azurite(tls) as server:
        server.upload("models", {"m/src/a": b"1", "m/model/b": b"22"})
        yield server


@pytest.fixture
def authority(tls: ServerCertificate) -> Iterator[Authority]:
    with running_authority(tls) as server:
        yield server


def service_principal(authority: Authority, *, secret: str | None = None, tenant: str = TENANT) -> ServicePrincipal:
    return ServicePrincipal(tenant, CLIENT, secret or authority.secret, authority=authority.url)


async def read(
    azurite: Azurite, credential: TokenCredential, store: ArtifactStore, *, retry: RetryPolicy = PATIENT
) -> Manifest:
    account = AzureAccount(azurite.account, azurite.endpoint, credential, ca_file=azurite.ca_file)
    source = open_source(azurite.url("models/m"), quick_config(account, retry=retry))
    try:
        return await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None)
    finally:
        await source.close()


@pytest.mark.azurite
async def test_a_service_principal_reads_with_one_token(
    secure_azurite: Azurite, authority: Authority, store: ArtifactStore
) -> None:
    manifest = await read(secure_azurite, service_principal(authority), store)
    assert [file.path for file in manifest.files] == ["model/b", "src/a"]
    assert authority.requests == ["client_credentials"]


@pytest.mark.azurite
@pytest.mark.parametrize("password", ["", "of the file"])
async def test_a_service_principal_reads_with_its_certificate(
    secure_azurite: Azurite, authority: Authority, store: ArtifactStore, tmp_path: Path, password: str
) -> None:
    file = tmp_path / "principal.pem"
    authority.certificate = make_client_certificate(file, password=password)
    credential = ServicePrincipal(
        TENANT, CLIENT, certificate_file=str(file), certificate_password=password, authority=authority.url
    )
    assert len((await read(secure_azurite, credential, store)).files) == 2


@pytest.mark.azurite
@pytest.mark.parametrize("client_id", ["", CLIENT])
async def test_a_managed_identity_reads(
    secure_azurite: Azurite,
    authority: Authority,
    store: ArtifactStore,
    monkeypatch: pytest.MonkeyPatch,
    client_id: str,
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", authority.identity_url)
    authority.identities = frozenset({client_id})
    assert len((await read(secure_azurite, ManagedIdentity(client_id), store)).files) == 2
    assert authority.requests == [f"identity {client_id}".strip()]


@pytest.mark.azurite
async def test_a_workload_identity_reads(
    secure_azurite: Azurite, authority: Authority, store: ArtifactStore, tmp_path: Path
) -> None:
    authority.federated = "the.projected.token"
    (tmp_path / "token").write_text(authority.federated)
    credential = WorkloadIdentity(TENANT, CLIENT, str(tmp_path / "token"), authority=authority.url)
    assert len((await read(secure_azurite, credential, store)).files) == 2


@pytest.mark.azurite
async def test_the_job_takes_a_secret_from_standard_input_and_tells_a_bad_one_as_the_platform_s_fault(
    secure_azurite: Azurite, authority: Authority, tmp_path: Path
) -> None:
    async def run(credential: TokenCredential) -> int:
        account = AzureAccount(
            secure_azurite.account, secure_azurite.endpoint, credential, ca_file=secure_azurite.ca_file
        )
        result = await run_snapshot_job(
            secure_azurite.url("models/m"),
            config=quick_config(account, retry=PATIENT),
            store=tmp_path / "store",
            limits=SnapshotLimits(),
            log=lambda _line: None,
        )
        return result.files

    assert await run(service_principal(authority)) == 2
    with pytest.raises(PlatformCredentialError, match="AADSTS7000215"):
        await run(service_principal(authority, secret="wrong"))


@pytest.mark.azurite
async def test_a_bad_secret_is_the_platform_s_fault_asked_once_and_repeated_nowhere(
    secure_azurite: Azurite, authority: Authority, store: ArtifactStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bad = service_principal(authority, secret="an-expired-secret")
    with pytest.raises(PlatformFault) as caught:
        await read(secure_azurite, bad, store)
    assert type(caught.value) is PlatformCredentialError
    assert f"the service principal {CLIENT}" in caught.value.message
    assert "HTTP 401 AADSTS7000215" in caught.value.message
    assert "renew" in caught.value.hint
    assert authority.requests == ["client_credentials"]
    told = f"{caught.value.to_dict()}{bad!r}{caught.value.__cause__}{caught.value.__context__}{caplog.text}"
    assert "an-expired-secret" not in told


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (ServicePrincipal("99999999-2222-3333-4444-555555555555", CLIENT, "s"), "AADSTS90002"),
        (ServicePrincipal(TENANT, "99999999-bbbb-cccc-dddd-eeeeeeeeeeee", "s"), "AADSTS700016"),
        (ServicePrincipal(TENANT, CLIENT, certificate_file="/nowhere/principal.pem"), "/nowhere/principal.pem"),
        (ServicePrincipal(TENANT, CLIENT, certificate_file=__file__), "test_azure_tokens.py cannot be used"),
        (WorkloadIdentity(TENANT, CLIENT, "/nowhere/token"), "/nowhere/token"),
        (WorkloadIdentity(TENANT, CLIENT, __file__), "AADSTS7000215"),
    ],
    ids=["tenant", "application", "no certificate", "not a certificate", "no token", "not a token"],
)
async def test_an_identity_that_can_not_be_used_is_the_platform_s_fault(
    authority: Authority, store: ArtifactStore, tls: ServerCertificate, credential: TokenCredential, said: str
) -> None:
    assert not isinstance(credential, ManagedIdentity)
    nobody = Azurite(port=1, account_key="", ca_file=str(tls.ca_file))
    with pytest.raises(PlatformCredentialError) as caught:
        await read(nobody, replace(credential, authority=authority.url), store)
    assert said in caught.value.message


async def test_a_machine_without_identity_is_the_platform_s_fault(
    authority: Authority, store: ArtifactStore, tls: ServerCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Azurite(port=1, account_key="", ca_file=str(tls.ca_file))
    for address in (authority.identity_url, "http://127.0.0.1:1"):
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", address)
        authority.identities = frozenset()
        with pytest.raises(PlatformCredentialError, match="no such identity"):
            await read(nobody, ManagedIdentity(CLIENT), store)


@pytest.mark.azurite
async def test_a_token_that_the_storage_does_not_take_is_the_platform_s_fault(
    secure_azurite: Azurite, authority: Authority, store: ArtifactStore
) -> None:
    authority.lifetime = -10
    with pytest.raises(PlatformCredentialError, match=f"refuses the service principal {CLIENT}"):
        await read(secure_azurite, service_principal(authority), store)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_authority_that_fails_is_worth_a_retry_after_the_configured_tries(
    authority: Authority, store: ArtifactStore, tls: ServerCertificate, status: int
) -> None:
    authority.instead = (status, {"error": "temporarily_unavailable"})
    nobody = Azurite(port=1, account_key="", ca_file=str(tls.ca_file))
    with pytest.raises(StorageUnavailableError, match=f"HTTP {status}"):
        await read(nobody, service_principal(authority), store)
    assert len(authority.requests) == 1 + PATIENT.attempts


async def test_an_authority_that_can_not_be_reached_is_worth_a_retry(
    store: ArtifactStore, tls: ServerCertificate
) -> None:
    nobody = Azurite(port=1, account_key="", ca_file=str(tls.ca_file))
    for address in ("https://127.0.0.1:1", "https://authority.invalid"):
        with pytest.raises(StorageUnavailableError, match=address):
            await read(nobody, ServicePrincipal(TENANT, CLIENT, "secret", authority=address), store)


async def test_certificates_that_can_not_be_read_are_the_platform_s_fault(
    authority: Authority, store: ArtifactStore
) -> None:
    for file in ("/nowhere/ca.pem", __file__):
        with pytest.raises(PlatformFault, match="ca_file"):
            await read(Azurite(port=1, account_key="", ca_file=file), service_principal(authority), store)
    assert authority.requests == []


async def test_a_principal_without_the_role_is_named_with_the_command_that_grants_it(
    authority: Authority, store: ArtifactStore, tls: ServerCertificate
) -> None:
    async with FaultServer(tls) as server:
        server.fault = lambda _request: failure(403, "AuthorizationPermissionMismatch")
        account = AzureAccount("account", server.endpoint, service_principal(authority), ca_file=str(tls.ca_file))
        config = quick_config(account, retry=PATIENT)
        url = f"{server.endpoint}/container/m"
        assert principal(config, url) == f"the service principal {CLIENT}"
        source = open_source(url, config)
        with pytest.raises(ModelUrlForbiddenError) as caught:
            await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None)
        await source.close()
    assert f"the service principal {CLIENT}, needs the role Storage Blob Data Reader" in caught.value.message
    assert f'--assignee "{CLIENT}"' in caught.value.hint
    assert caught.value.hint.endswith("/storageAccounts/account/blobServices/default/containers/container")


@pytest.mark.parametrize(
    ("credential", "who", "assignee"),
    [
        (ManagedIdentity(), "the managed identity of the machine that MOP runs on", "<principal of MOP>"),
        (ManagedIdentity(CLIENT), f"the managed identity {CLIENT}", CLIENT),
        (WorkloadIdentity(TENANT, CLIENT, "/token"), f"the workload identity {CLIENT}", CLIENT),
    ],
)
def test_the_form_names_the_principal(credential: TokenCredential, who: str, assignee: str) -> None:
    account = AzureAccount("models", credential=credential)
    config = quick_config(account)
    url = "https://models.blob.core.windows.net/container/m"
    assert principal(config, url) == who
    location = parse_url(url, config)
    assert isinstance(location, BlobLocation)
    assert f'--assignee "{assignee}"' in grant_command(location)
    named = quick_config(replace(account, principal="mop-reader"))
    assert principal(named, url) == "mop-reader"
