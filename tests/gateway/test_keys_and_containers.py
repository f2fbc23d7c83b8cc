"""Keys that are rotated, and containers that a service lists: by their admins, through the API."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import httpx
import pytest
from azure.ai.contentsafety.models import AnalyzeTextOptions
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gateway.conftest import Caller, Serve
from gateway.test_analyze import refused
from mop.audit.models import AuditEvent
from mop.errors import ValidationFailedError
from mop.gateway.containers import check_container, place_in
from mop.gateway.models import Answer, BlobContainer, GatewayKey
from mop.gateway.selectors import read_shared
from mop.gateway.services import forget_answers, key_digest, rotate_key
from mop.releases.models import Service, ServiceKind
from mop.releases.services import create_service
from support.api import Api
from support.factories import ACTOR, make_token

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

CONTAINER = "https://account.blob.core.windows.net/images"
SAS = "sv=2023-11-03&sp=r&sig=c2VjcmV0"


@pytest.fixture
def api(service: Service) -> Api:
    return Api(token=make_token(service.admins.get()))


def test_a_rotated_key_works_and_the_former_one_ends_everywhere_while_the_other_stays(serve: Serve, service: Service):
    other = rotate_key(actor=ACTOR, service=service, number=2)

    def works(caller: Caller, key: str) -> bool:
        head = {"Ocp-Apim-Subscription-Key": key}
        url = f"{caller.endpoint}/contentsafety/text/blocklists?api-version=2023-10-01"
        return httpx.get(url, headers=head).status_code == 200

    def body(first: Caller, second: Caller) -> None:
        callers = (first, second)
        assert all(works(one, first.key) and works(one, other) for one in callers)
        new = first.in_database(rotate_key, actor=ACTOR, service=service, number=1)
        end = time.monotonic() + 3
        while any(works(one, first.key) for one in callers) or not all(works(one, new) for one in callers):
            assert time.monotonic() < end
        assert all(works(one, other) for one in callers)
        asked = AnalyzeTextOptions(text="a")
        assert refused(first.safety.analyze_text, asked)[1] == 401
        Caller(first.endpoint, new).safety.analyze_text(asked)

    serve(body, gateways=2)


def test_an_admin_rotates_a_key_which_is_shown_once(api: Api, service: Service):
    answer = api.post("/services/Content Safety/gateway/keys/1/rotate")
    key = answer.json()["key"]
    assert answer.status_code == 200
    assert key.startswith("mopgw_")
    shown = api.get("/services/Content Safety/gateway")
    assert shown.json()["keys"][0]["prefix"] == key[:12]
    assert key not in shown.content.decode()
    [kept] = GatewayKey.objects.filter(service=service)
    assert key not in str(vars(kept))
    event = AuditEvent.objects.get(action="gateway.key_rotated")
    assert event.data == {"number": 1, "prefix": key[:12]}
    assert api.post("/services/Content Safety/gateway/keys/3/rotate").status_code == 422


def test_an_admin_lists_containers_whose_credentials_are_sealed(api: Api):
    path = "/services/Content Safety/gateway/containers"
    made = api.post(path, {"url": CONTAINER + "/", "credential": {"sas": SAS}})
    assert (made.status_code, made.json()["url"]) == (201, CONTAINER)
    [kept] = BlobContainer.objects.all()
    assert "c2VjcmV0" not in kept.credential + made.content.decode()
    again = api.post(path, {"url": CONTAINER, "credential": {"anonymous": True}})
    assert again.json()["id"] == made.json()["id"]
    assert api.delete(f"{path}/{kept.pk}").status_code == 204
    assert api.delete(f"{path}/{kept.pk}").status_code == 404
    events = AuditEvent.objects.filter(action__startswith="gateway.container").order_by("pk")
    assert [one.data.get("credential") for one in events] == ["sas", "anonymous", None]


def test_keys_and_containers_are_set_on_the_page_of_the_service(client: Client, service: Service):
    client.force_login(service.admins.get())
    here = reverse("releases:service", args=[service.name])
    rotate_key(actor=ACTOR, service=service, number=1)
    former = GatewayKey.objects.get().digest
    page = client.get(here).content.decode()
    assert ('Rotate…<span class="vh"> key 1' in page, 'Create…<span class="vh"> key 2' in page) == (True, True)
    address = reverse("gateway:rotate_key", args=[service.name, 1])
    assert "refused within a second" in client.get(address).content.decode()
    assert GatewayKey.objects.get().digest == former  # to look changes nothing
    answer = client.post(address)
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert GatewayKey.objects.get().digest == key_digest(secret) != former
    assert secret not in client.get(here).content.decode()
    assert client.get(reverse("gateway:rotate_key", args=[service.name, 3])).status_code == 404

    add = reverse("gateway:add_container", args=[service.name])
    for wrong, told in (
        ({"url": CONTAINER, "kind": "sas", "secret": ""}, "Fill this in."),
        ({"url": CONTAINER, "kind": "anonymous", "secret": SAS}, "Leave this empty for a public container."),
        ({"url": "https://elsewhere.example/images", "kind": "sas", "secret": SAS}, "The blob endpoint is none of"),
        ({"url": CONTAINER, "kind": "account_key", "secret": "no base64!"}, "It cannot be used"),
    ):
        refused = client.post(add, wrong)
        assert (refused.status_code, told in refused.content.decode()) == (422, True)
        assert SAS not in refused.content.decode()
    client.post(add, {"url": CONTAINER, "kind": "sas", "secret": SAS})
    listed = BlobContainer.objects.get()
    assert read_shared(service.pk).containers == {CONTAINER: {"sas": SAS}}
    page = client.get(here).content.decode()
    assert CONTAINER in page
    assert SAS not in page
    remove = reverse("gateway:remove_container", args=[service.name, listed.pk])
    assert CONTAINER in client.get(remove).content.decode()
    client.post(remove)
    assert not BlobContainer.objects.exists()
    assert client.get(remove).status_code == 404
    raio = create_service(
        actor=ACTOR, user=service.admins.get(), name="RAI", kind=ServiceKind.RAIO, admins=[service.admins.get()]
    )
    assert "Gateway keys" not in client.get(reverse("releases:service", args=[raio.name])).content.decode()


@pytest.mark.parametrize(
    ("url", "credential", "field"),
    [
        ("http://account.blob.core.windows.net/images", {"sas": SAS}, "url"),
        ("https://account.blob.core.windows.net/", {"sas": SAS}, "url"),
        ("https://account.blob.core.windows.net/a/images", {"sas": SAS}, "url"),
        ("https://account.blob.core.windows.net/images?sig=x", {"sas": SAS}, "url"),
        ("https://user@account.blob.core.windows.net/images", {"sas": SAS}, "url"),
        ("https://account.blob.core.windows.net.evil.example/images", {"sas": SAS}, "url"),
        ("http://169.254.169.254/metadata", {"anonymous": True}, "url"),
        (CONTAINER, {}, "credential"),
        (CONTAINER, {"managed_identity": {}}, "credential"),
        (CONTAINER, {"sas": SAS, "anonymous": True}, "credential"),
        (CONTAINER, {"account_key": "not base64"}, "credential"),
        (CONTAINER, {"sas": 3}, "credential"),
    ],
)
def test_a_container_is_one_of_an_allowed_storage_with_a_credential_of_its_own(
    url: str, credential: dict[str, object], field: str
):
    with pytest.raises(ValidationFailedError) as caught:
        check_container(url, credential)
    assert list(caught.value.fields) == [field]
    assert "c2VjcmV0" not in str(caught.value.to_dict())


@pytest.mark.parametrize(
    ("path", "blob"),
    [
        ("/a.png", "a.png"),
        ("/folder/a%20b.png", "folder/a b.png"),
        ("/%252e%252e/a", "%2e%2e/a"),
        ("", None),
        ("/", None),
        ("2/a.png", None),
        ("/../other/a.png", None),
        ("/%2e%2e/other/a.png", None),
        ("/a//b", None),
        ("/a.png?sv=1&sig=x", None),
        ("/a.png#x", None),
        ("/a\\b", None),
        ("/a%5cb", None),
        ("/a%00", None),
        ("/a b", None),
    ],
)
def test_a_url_lies_in_a_container_only_as_it_is_written(path: str, blob: str | None):
    assert place_in(CONTAINER + path, [CONTAINER]) == (None if blob is None else (CONTAINER, blob))


def test_records_of_answers_are_read_by_admins_and_forgotten_in_time(api: Api, service: Service, settings: Any):
    new, old = uuid.uuid4(), uuid.uuid4()
    for request_id, days in ((new, 29), (old, 31)):
        at = timezone.now() - dt.timedelta(days=days)
        Answer.objects.create(request_id=request_id, service=service, at=at, kind="Text", status=200, milliseconds=1.5)
    path = "/services/Content Safety/gateway/answers"
    assert api.get(f"{path}/{new}").json()["milliseconds"] == 1.5
    forget_answers()
    assert [api.get(f"{path}/{one}").status_code for one in (new, old)] == [200, 404]
    settings.MOP_GATEWAY_RECORD_DAYS = 1
    forget_answers()
    assert not Answer.objects.exists()
