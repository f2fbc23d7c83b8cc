"""Images by url: from the service's own containers, each with its own credential, in a real storage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from azure.ai.contentsafety.models import AnalyzeImageOptions, ImageData
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from gateway.conftest import Caller, FixedModels, Serve
from gateway.test_analyze import image, refused, severities
from mop.gateway.categories import Kind
from mop.gateway.services import add_container
from mop.releases.models import Service
from support.azurite import Azurite, azurite
from support.factories import ACTOR

__all__ = ["azurite"]
pytestmark = [pytest.mark.django_db, pytest.mark.azurite]

CONTAINER = "gateway-images"


@pytest.fixture
def container(azurite: Azurite, settings: Any) -> Iterator[str]:
    settings.MOP_GATEWAY_BLOB_ENDPOINTS = (azurite.endpoint,)
    files = {
        "a folder/a.png": image(),
        "small.png": image(10, 10),
        "large.bin": bytes(4 * 1024 * 1024 + 1),
        "text.png": b"no image",
    }
    with azurite.client() as client:
        made = client.create_container(CONTAINER)
        for name, content in files.items():
            made.upload_blob(name, content)
        yield azurite.url(CONTAINER)
        made.delete_container()


def sas(azurite: Azurite, permission: ContainerSasPermissions) -> dict[str, str]:
    token = generate_container_sas(
        azurite.account,
        CONTAINER,
        account_key=azurite.account_key,
        permission=permission,
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
    )
    return {"sas": token}


def ask(caller: Caller, url: str) -> dict[str, int | None]:
    return severities(caller.safety.analyze_image(AnalyzeImageOptions(image=ImageData(blob_url=url))))


def test_an_image_is_read_by_the_containers_credential_and_nothing_else_is(
    serve: Serve, service: Service, models: FixedModels, azurite: Azurite, container: str
):
    for credential in (sas(azurite, ContainerSasPermissions(read=True)), {"account_key": azurite.account_key}):
        add_container(actor=ACTOR, service=service, url=container, credential=credential)

        def body(caller: Caller, signature: str | None = credential.get("sas")) -> None:
            assert ask(caller, f"{container}/a%20folder/a.png")["Hate"] == 4
            for url, words in (
                (f"{container}/none.png", "no image at this url"),
                (f"{container}/small.png", "10 x 10 pixels"),
                (f"{container}/large.bin", "more than 4,194,304 bytes"),
                (f"{container}/text.png", "cannot be read as one of"),
                (f"{container}/a%20folder/../a.png", "none of the containers"),
                (f"{container}2/a.png", "none of the containers"),
                (f"{container}/small.png?{signature}", "carries a signature"),
                ("http://169.254.169.254/latest/meta-data", "none of the containers"),
            ):
                with pytest.raises(HttpResponseError) as caught:
                    ask(caller, url)
                assert caught.value.status_code == 400
                assert words in caught.value.message

        serve(body)
    [model] = models.routing.models()
    assert [kind for kind, _ in model.asked] == [Kind.IMAGE] * 2  # type: ignore[attr-defined]


def test_a_credential_that_does_not_let_read_and_a_storage_that_is_away_say_so(
    serve: Serve, service: Service, azurite: Azurite, container: str, settings: Any
):
    credential = sas(azurite, ContainerSasPermissions(list=True))
    add_container(actor=ACTOR, service=service, url=container, credential=credential)
    away = "http://127.0.0.1:9/account"
    settings.MOP_GATEWAY_BLOB_ENDPOINTS = (azurite.endpoint, away)
    add_container(actor=ACTOR, service=service, url=f"{away}/images", credential={"anonymous": True})

    def body(caller: Caller) -> None:
        url = AnalyzeImageOptions(image=ImageData(blob_url=f"{container}/small.png"))
        assert refused(caller.safety.analyze_image, url)[1:] == (400, "InvalidRequestBody")
        url = AnalyzeImageOptions(image=ImageData(blob_url=f"{away}/images/a.png"))
        assert refused(caller.safety.analyze_image, url)[1:] == (503, "ServerBusy")

    serve(body)
