"""The hosts that a version may reach: administrators change them, owners see them, the audit log has every change."""

from __future__ import annotations

import pytest

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.errors import ValidationFailedError
from mop.onboarding.jobs import read_job
from mop.registry.allowed_hosts import HOSTS_MAX, change_allowed_hosts
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision
from support.browsing import client_of, send
from support.factories import ACTOR, make_revision_input, publish

PAGE = "/models/toxicity/versions/v1.0.0/hosts/"
DETAILS = "/models/toxicity/versions/v1.0.0/"


def details(user: User) -> str:
    return client_of(user).get(DETAILS).content.decode()


def changes() -> list[object]:
    return list(
        AuditEvent.objects.filter(action="revision.allowed_hosts_changed").order_by("id").values_list("data", flat=True)
    )


def test_a_version_starts_without_hosts_also_after_one_that_had_some(revision: Revision, owner: User):
    change_allowed_hosts(actor=ACTOR, revision=revision, hosts=["api.example"])
    further = create_revision(actor=ACTOR, user=owner, model=revision.model, revision=make_revision_input("v1.1.0"))
    assert (further.allowed_hosts, read_job(str(further.pk), 1, "here").allowed_hosts) == ([], ())
    assert read_job(str(revision.pk), 1, "here").allowed_hosts == ("api.example",)


def test_an_administrator_changes_them_by_a_form(revision: Revision, administrator: User, owner: User):
    client = client_of(administrator)
    assert PAGE in details(administrator)
    answer = send(client, PAGE, {"hosts": "API.example:443\n 10.0.0.7:8443 api.example\n"})
    assert answer.status_code == 302
    revision.refresh_from_db()
    assert revision.allowed_hosts == ["10.0.0.7:8443", "api.example"]
    assert "10.0.0.7:8443\napi.example" in client.get(PAGE).content.decode()
    assert "<dt>Network</dt><dd>10.0.0.7:8443, api.example</dd>" in details(owner)
    assert PAGE not in details(owner)
    send(client, PAGE, {"hosts": "api.example 10.0.0.7:8443"})
    send(client, PAGE, {"hosts": ""})
    assert changes() == [
        {"from": [], "to": ["10.0.0.7:8443", "api.example"]},
        {"from": ["10.0.0.7:8443", "api.example"], "to": []},
    ]
    assert "<dt>Network</dt><dd>none</dd>" in details(owner)


def test_what_is_no_host_is_shown_at_the_field_and_changes_nothing(revision: Revision, administrator: User):
    answer = send(client_of(administrator), PAGE, {"hosts": "https://api.example/x\n169.254.169.254"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "is not a host, such as api.example" in text
    assert "169.254.169.254 is no address of a service" in text
    assert changes() == []


def test_there_is_a_most_of_them(revision: Revision):
    with pytest.raises(ValidationFailedError, match=f"{HOSTS_MAX} hosts at most"):
        change_allowed_hosts(actor=ACTOR, revision=revision, hosts=[f"h{n}.example" for n in range(HOSTS_MAX + 1)])


def test_who_may_see_a_public_model_does_not_see_its_hosts(model: Model, stranger: User):
    publish(model)
    change_allowed_hosts(actor=ACTOR, revision=model.revisions.get(), hosts=["api.example"])
    assert "<dt>Network</dt>" not in details(stranger)
    assert "api.example" not in client_of(stranger).get("/api/v1/models/toxicity/revisions/v1.0.0").content.decode()
