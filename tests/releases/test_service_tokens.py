"""Tokens of downstream services: shown once, two at a time, for their own service and scopes alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mop.audit.models import AuditEvent
from mop.errors import ConflictError, NotAuthenticatedError, ValidationFailedError
from mop.releases.models import Service
from mop.releases.release_models import Release, ServiceScope, ServiceToken
from mop.releases.requests.tokens import (
    authenticate_service_token,
    create_service_token,
    revoke_service_token,
    valid_tokens,
)
from support.api import Api
from support.factories import ACTOR, make_task, make_token
from support.releases import admin_of, approved, live, make_releasable, make_service, next_version

pytestmark = pytest.mark.django_db


def _token(service: Service, *scopes: ServiceScope, name: str = "pull") -> str:
    admin = admin_of(service)
    _, secret = create_service_token(
        actor=ACTOR, user=admin, service=service, name=name, scopes=scopes or tuple(ServiceScope)
    )
    return secret


def _call(secret: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = Api(token=secret, client=Client()).call(method, path, body)
    return answer.status_code, answer.json()


def test_a_secret_is_stored_as_its_hash_and_two_are_valid_at_once():
    service = make_service()
    first = _token(service, name="first")
    assert first.startswith("mops_")
    assert not ServiceToken.objects.filter(digest=first).exists()
    _token(service, name="second")
    with pytest.raises(ConflictError, match="2 valid tokens: second and first"):
        _token(service, name="third")
    revoke_service_token(actor=ACTOR, token=valid_tokens(service).get(name="first"))
    _token(service, name="third")
    with pytest.raises(NotAuthenticatedError):
        authenticate_service_token(first)
    actions = AuditEvent.objects.filter(action__startswith="service_token").order_by("pk")
    assert [event.action.partition(".")[2] for event in actions] == ["created", "created", "revoked", "created"]
    assert first not in "".join(str(event.data) for event in actions)


def test_a_token_has_a_name_known_scopes_and_an_end():
    service = make_service()
    admin = admin_of(service)
    for wrong in ({"name": ""}, {"scopes": ["all:write"]}, {"scopes": []}, {"days": 0}, {"days": 367}):
        with pytest.raises(ValidationFailedError):
            create_service_token(actor=ACTOR, user=admin, service=service, **({"name": "pull"} | wrong))  # type: ignore[arg-type]
    secret = _token(service)
    ServiceToken.objects.update(expires_at=timezone.now())
    assert _call(secret, "GET", "/calling-service")[0] == 401


def test_a_service_reads_and_acknowledges_its_own_releases_alone():
    mine, theirs = make_service(), make_service("other")
    task = make_task()
    revision = make_releasable(task)
    release, foreign = approved(revision, mine), approved(revision, theirs)
    secret = _token(mine)
    assert _call(secret, "GET", "/calling-service")[1]["service"] == mine.name
    assert [one["number"] for one in _call(secret, "GET", "/releases")[1]["items"]] == [release.pk]
    assert _call(secret, "GET", f"/releases/{release.pk}")[1]["state"] == "approved"
    assert _call(secret, "GET", f"/releases/{release.pk}/evidence")[0] == 200
    for method, path in (
        ("GET", f"/releases/{foreign.pk}"),
        ("GET", f"/releases/{foreign.pk}/evidence"),
        ("POST", f"/releases/{foreign.pk}/acknowledge"),
        ("GET", f"/services/{theirs.name}/live"),
    ):
        assert _call(secret, method, path)[0] == 404
    status, answer = _call(secret, "POST", f"/releases/{release.pk}/acknowledge")
    assert (status, answer["state"], answer["went_live"]) == (200, "released", "acknowledged")
    assert _call(secret, "POST", f"/releases/{release.pk}/acknowledge")[0] == 200
    (slot,) = _call(secret, "GET", f"/services/{mine.name}/live")[1]
    assert (slot["taxonomy"], slot["release"], slot["comment"]) == ("Hate", release.pk, "Good enough.")
    assert Release.objects.get(pk=foreign.pk).state == "approved"


def test_a_token_does_what_its_scopes_say():
    service = make_service()
    release = approved(make_releasable(make_task()), service)
    reader = _token(service, ServiceScope.READ_BUNDLE, name="reader")
    status, answer = _call(reader, "POST", f"/releases/{release.pk}/acknowledge")
    assert (status, answer["name"]) == (403, "NotAllowedError")
    assert "release:acknowledge" in answer["message"]
    acknowledger = _token(service, ServiceScope.ACKNOWLEDGE, name="acknowledger")
    assert _call(acknowledger, "GET", "/releases")[0] == 403
    assert _call(acknowledger, "POST", f"/releases/{release.pk}/acknowledge")[0] == 200


def test_a_token_that_ended_or_is_of_a_person_does_not_act_for_a_service():
    service = make_service()
    release = approved(make_releasable(make_task()), service)
    secret = _token(service)
    revoke_service_token(actor=ACTOR, token=ServiceToken.objects.get())
    assert _call(secret, "POST", f"/releases/{release.pk}/acknowledge")[0] == 401
    assert _call("mops_made-up", "GET", "/releases")[0] == 401
    person = make_token(admin_of(service))
    assert _call(person, "POST", f"/releases/{release.pk}/acknowledge")[0] == 403


def test_a_service_token_is_no_token_of_a_person():
    service = make_service()
    release = live(make_releasable(make_task()), service)
    second = approved(next_version(release.revision.model), service)  # type: ignore[union-attr]
    secret = _token(service)
    for method, path, body in (
        ("GET", "/models", None),
        ("POST", f"/releases/{second.pk}/approve", {"comment": "x"}),
        ("POST", f"/releases/{second.pk}/released", {"comment": "x"}),
        ("POST", f"/releases/{release.pk}/retire", {"comment": "x"}),
        ("GET", f"/services/{service.name}/tokens", None),
    ):
        assert _call(secret, method, path, body)[0] == 401
