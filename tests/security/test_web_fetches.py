"""What MOP fetches for a person: model urls and requirements. Nothing is asked outside the configuration.

Two more ways out are tested where they are made: redirects of a storage (tests/storage/test_azure_faults.py), and what
a build's proxy lets through (tests/environments/test_index_proxy.py).
"""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

import mop
from mop.environments.requirements_file import check_requirements
from mop.errors import ModelUrlForbiddenError, ModelUrlNotFoundError, MopError, RequirementsFileError
from mop.sources.storage_settings import storage_config
from mop.storage import AccountKey, AzureAccount, StorageConfig, open_source
from support.api import Api
from support.browsing import client_of
from support.factories import make_task, make_token, make_user

ACCOUNTS = json.dumps([{"name": "raimodels", "anonymous": True}])
CONFIG = StorageConfig(
    file_roots=(Path("/srv/models"),),
    azure_accounts=(
        AzureAccount("raimodels", credential=AccountKey("a2V5")),
        AzureAccount("devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1"),
    ),
)
ELSEWHERE = (
    # loopback, in all the ways that a resolver or an operating system reads it
    "http://127.0.0.1/x/y",
    "https://127.0.0.1:10000/devstoreaccount1/x",
    "http://127.0.0.1:10001/devstoreaccount1/x",
    "http://127.1:10000/devstoreaccount1/x",
    "http://2130706433:10000/devstoreaccount1/x",
    "http://0x7f000001/x",
    "http://0177.0.0.1/x",
    "http://localhost:10000/devstoreaccount1/x",
    "http://[::1]/x",
    "http://[::ffff:127.0.0.1]:10000/devstoreaccount1/x",
    "http://0.0.0.0/x",
    # link-local and metadata
    "http://169.254.169.254/metadata/instance",
    "http://[fe80::1]/x",
    "http://metadata.google.internal/computeMetadata/v1",
    "http://168.63.129.16/x",
    # private networks and names that the operator did not list
    "http://10.0.0.1/x",
    "http://192.168.1.1/x",
    "https://other.blob.core.windows.net/models/x",
    "https://raimodels.blob.core.windows.net.evil.example/models/x",
    "https://evil.example/raimodels.blob.core.windows.net/models",
    "https://raimodels.blob.core.windows.net.:443/models/x",
    "https://raimodels.blob.core.windows.net:8443/models/x",
    "http://raimodels.blob.core.windows.net/models/x",
    "https://raimodels.blob.core.windows.net@evil.example/models/x",
    "https://evil.example#@raimodels.blob.core.windows.net/models/x",
    "https://evil.example\\@raimodels.blob.core.windows.net/models/x",
    "https://raimodels.blob.core.windows.net%2eevil.example/models/x",
    "//raimodels.blob.core.windows.net/models/x",
    # other ways to fetch
    "ftp://raimodels.blob.core.windows.net/models/x",
    "gopher://127.0.0.1:6379/_x",
    "file:///etc/passwd",
    "file://raimodels.blob.core.windows.net/models/x",
    "file:///srv/models/../../etc",
    "dict://127.0.0.1:11211/stat",
)

# who opens connections, and to whom
KNOWN = {
    "accounts/sign_in_views.py",  # the configured provider, by allauth: tests/accounts/test_single_sign_on.py
    "advisories/osv_requests.py",  # the OSV service of MOP_OSV_URL: tests/advisories/test_osv_service.py
    "cli/examination.py",  # doctor: the configured provider's description
    "cli/serving_parts.py",  # the portal that it has started
    "gateway/blobs.py",  # containers that an admin of the service listed: tests/gateway/test_blob_urls.py
    "gateway/service_client.py",  # services of this host
    "loadtest/http_transport.py",  # the service that a person's own command, or MOP's own lease, names
    "environments/index_proxy.py",  # a build's way out: the configured indexes
    "notifications/outbox.py",  # the operator's mail relay
    "notifications/webhook_http.py",  # hosts that the operator allowed, pinned: tests/notifications/test_webhooks.py
    "serving/http_client.py",  # services of this host, by their sockets
    "storage/azure_reader.py",  # configured accounts
    "storage/azure_source.py",
    "storage/azure_retry.py",
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every name that this process looks up and every address that it connects to."""
    seen: list[object] = []

    def look_up(host: object, *_arguments: object, **_options: object) -> list[Any]:
        seen.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "not here")

    def connect(_self: socket.socket, address: object) -> None:
        seen.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    return seen


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_model_url_outside_the_configuration_is_refused_before_anything_is_asked(url: str, asked: list[object]):
    with pytest.raises((ModelUrlForbiddenError, ModelUrlNotFoundError)):
        open_source(url, CONFIG)
    assert asked == []


@pytest.mark.django_db
@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_form_and_no_call_asks_it_either(url: str, asked: list[object], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "MOP_AZURE_ACCOUNTS", ACCOUNTS)
    owner, task = make_user("olivia"), make_task("hate")
    answer = Api(token=make_token(owner)).post("/models", {"model_url": url, "connections": [{"task": task.name}]})
    assert answer.status_code in {201, 422}  # what is taken is refused by the pipeline, with the error above
    assert client_of(owner).get("/add-model/principal/", {"model_url": url}).status_code == 200
    with pytest.raises(MopError):
        open_source(url, storage_config())
    assert asked == []


async def test_a_url_of_the_configuration_is_asked(asked: list[object]):
    """So the tests above would see a question."""
    source = open_source("http://127.0.0.1:10000/devstoreaccount1/models/x", CONFIG)
    with pytest.raises(MopError):
        await source.list(at_most=10)
    await source.close()
    assert asked != []


@pytest.mark.parametrize(
    "line",
    [
        "numpy @ http://169.254.169.254/latest/numpy-1.0-py3-none-any.whl",
        "http://127.0.0.1:8000/numpy-1.0-py3-none-any.whl",
        "git+ssh://git@127.0.0.1/x.git",
        "file:///etc/passwd",
        "-r http://127.0.0.1/requirements.txt",
        "-r ../../etc/passwd",
        "-c http://10.0.0.1/constraints.txt",
        "--index-url http://127.0.0.1/simple",
        "--extra-index-url http://169.254.169.254/simple",
        "--find-links http://127.0.0.1/",
        "--trusted-host 127.0.0.1",
        "-e git+https://evil.example/x.git#egg=x",
    ],
)
def test_a_requirement_names_no_address(line: str, asked: list[object]):
    with pytest.raises(RequirementsFileError):
        check_requirements(f"{line}\n".encode(), allowed_indexes=("https://index.example/simple",))
    assert asked == []


def test_every_part_that_opens_connections_is_known():
    """A new part that fetches must come here, with tests of what it refuses."""
    modules = r"httpx|httpcore|aiohttp|azure\.storage|urllib3|requests|http\.client|urllib\.request|smtplib|ftplib"
    opens = re.compile(
        rf"^\s*(?:import|from) (?:{modules})\b|\b(?:create_connection|open_connection|urlopen)\(", re.MULTILINE
    )
    root = Path(mop.__file__).parent
    found = {
        str(path.relative_to(root)) for path in root.rglob("*.py") if opens.search(path.read_text(encoding="utf-8"))
    }
    assert found == KNOWN
