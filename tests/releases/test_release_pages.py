"""Pages and API of releases: what each shows, and what their forms do."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.dsat.models import Case
from mop.errors import NotFoundError
from mop.notifications.models import Delivery, Notification
from mop.notifications.webhooks import create_webhook
from mop.registry.models import Revision
from mop.registry.publishing import unpublish_revision
from mop.registry.services import add_owner, remove_owner
from mop.releases.models import Policy
from mop.releases.release_models import LiveSlot, Release, ServiceToken
from mop.releases.requests.deciding import approve_release, current_evidence
from mop.releases.requests.notices import owner_of, service_webhooks
from mop.releases.requests.selectors import get_release
from mop.releases.requests.switching import retire_release
from mop.releases.requests.tokens import create_service_token
from mop.releases.services import change_gate, change_service
from support.api import Api
from support.dsat import make_case
from support.factories import ACTOR, make_task, make_token, make_user, put
from support.releases import admin_of, approved, live, make_releasable, make_service, next_version, requested

pytestmark = pytest.mark.django_db


def _page(client: Client, name: str, *arguments: Any, **query: Any) -> str:
    answer = client.get(reverse(f"releases:{name}", args=arguments), query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_a_release_is_requested_on_a_page_that_shows_what_it_would_find(client: Client):
    revision = make_releasable(make_task(), make_task(taxonomy="Jailbreak"))
    service = make_service()
    change_gate(actor=ACTOR, owner=service, conditions="golden set pass rate >= 100 %")
    owner = revision.model.owners.get()
    client.force_login(owner)
    address = reverse("releases:offer", args=[revision.model.name, revision.version])
    assert "Choose a service" in client.get(address).content.decode()
    shown = html.unescape(client.get(address, {"service": service.name}).content.decode())
    assert "The version is verified" in shown
    assert "1 gate condition is not measured. Content Safety warns" in shown.replace("\n", " ")
    assert "Jailbreak, Text" not in shown
    query = f"{address}?service={service.name}"
    refused = client.post(query, {"taxonomies": ["Hate"], "comment": ""})
    assert refused.status_code == 422
    assert "give a reason" in refused.content.decode()
    sent = client.post(query, {"taxonomies": ["Hate"], "comment": "The golden set follows."})
    release = Release.objects.get()
    assert sent.headers["Location"] == reverse("releases:release", args=[release.pk])
    assert release.comment == "The golden set follows."
    told = Notification.objects.filter(recipient=admin_of(service)).values_list("kind", flat=True)
    assert list(told) == ["releaseRequested"]


def test_an_admin_approves_what_the_page_showed_and_nothing_else(client: Client):
    task, service = make_task(), make_service()
    release = requested(make_releasable(task), service)
    client.force_login(admin_of(service))
    shown = client.get(reverse("releases:release", args=[release.pk]))
    digest = shown.context["approval"].initial["evidence"]
    change_gate(actor=ACTOR, owner=task, conditions="DSAT pass rate >= 95 % or none")
    address = reverse("releases:approve", args=[release.pk])
    refused = client.post(address, {"comment": "yes", "evidence": digest})
    assert refused.status_code == 422
    assert "The evidence changed since the request" in refused.content.decode()
    now = current_evidence(Release.objects.get()).digest
    assert f'value="{now}"' in refused.content.decode()
    accepted = client.post(address, {"comment": "yes", "evidence": now})
    assert accepted.status_code == 302
    assert Release.objects.get().state == "approved"


def test_the_second_of_two_admins_reads_on_the_page_what_the_first_decided(client: Client):
    service = make_service()
    release = requested(make_releasable(make_task()), service)
    second = make_user()
    service.admins.add(second)
    client.force_login(second)
    page = client.get(reverse("releases:release", args=[release.pk]))
    form = {"comment": "", "evidence": page.context["approval"].initial["evidence"]}
    approve_release(actor=ACTOR, user=admin_of(service), release=release, comment="Good enough.")
    answer = client.post(reverse("releases:approve", args=[release.pk]), form)
    assert answer.status_code == 422
    said = html.unescape(answer.content.decode())
    assert f"Release {release.pk} is approved since" in said
    assert f"by {admin_of(service).username}; it cannot become approved." in said
    assert ">Approve</button>" not in said


def test_what_a_blocking_service_cannot_take_has_no_button_that_approves(client: Client):
    task, service = make_task(), make_service(policy=Policy.BLOCK)
    release = requested(make_releasable(task), service)
    client.force_login(admin_of(service))
    address = reverse("releases:release", args=[release.pk])
    shown = client.get(address).content.decode()
    assert re.search(r"<button[^>]*>Approve</button><a[^>]*>Reject…</a>", shown)  # side by side, as in the design
    change_gate(actor=ACTOR, owner=service, conditions="golden set pass rate >= 100 %")
    shown = client.get(address).content.decode()
    assert "it cannot be approved" in shown
    assert ">Approve</button>" not in shown
    assert ">Reject…</a>" in shown


def test_failing_conditions_must_have_been_read(client: Client):
    service = make_service()
    change_gate(actor=ACTOR, owner=service, conditions="golden set pass rate >= 100 %")
    release = requested(make_releasable(make_task()), service)
    client.force_login(admin_of(service))
    page = client.get(reverse("releases:release", args=[release.pk]))
    form = {"comment": "yes", "evidence": page.context["approval"].initial["evidence"]}
    address = reverse("releases:approve", args=[release.pk])
    assert client.post(address, form).status_code == 422
    assert client.post(address, form | {"has_read": "on"}).status_code == 302


def test_the_service_page_says_what_runs_since_when_approved_by_whom_and_why(client: Client):
    service = make_service()
    first = make_releasable(make_task())
    live(first, service)
    second = live(next_version(first.model), service)
    waiting = requested(next_version(first.model, "v2.0.0"), service)
    admin = admin_of(service)
    client.force_login(admin)
    page = _page(client, "service", service.name)
    for text in (f"{admin.username}: Good enough.", f"Review release {waiting.pk}", "another release replaced it"):
        assert text in page
    assert reverse("releases:rollback", args=[second.pk]) in page
    back = client.post(reverse("releases:rollback", args=[second.pk]), {"comment": "It misses insults."})
    assert back.status_code == 302
    assert LiveSlot.objects.get().live.version == "v1.0.0"
    # what was rolled back is not offered as the version before
    assert reverse("releases:rollback", args=[LiveSlot.objects.get().live_id]) not in _page(
        client, "service", service.name
    )
    client.force_login(make_user())
    assert "Roll back…" not in _page(client, "service", service.name)


def test_the_page_of_a_model_says_where_which_version_is_live(client: Client):
    revision = make_releasable()
    service = make_service()
    live(revision, service)
    next_version(revision.model)
    client.force_login(make_user("a-reader"))
    address = reverse("registry:model", args=[revision.model.name])
    fact = f'>{service.name}</a> <span class="q">{revision.version}</span>'
    assert fact in client.get(address).content.decode()
    opened = client.get(address, {"version": revision.version}).content.decode()
    assert opened.count(f">{service.name}</a>") == 2


def test_the_list_filters_and_two_releases_are_compared(client: Client):
    service = make_service()
    first = make_releasable(make_task())
    one = live(first, service)
    other = requested(next_version(first.model), service)
    client.force_login(make_user())
    for query, numbers in (
        ({}, [other.pk, one.pk]),
        ({"state": "waiting"}, [other.pk]),
        ({"state": "live"}, [one.pk]),
        ({"taxonomy": "Sexual"}, []),
        ({"search": first.model.name[:6]}, [other.pk, one.pk]),
        ({"service": service.name, "state": "ended"}, []),
    ):
        answer = client.get(reverse("releases:releases"), query)
        assert [release.pk for release in answer.context["page"].rows] == numbers
    by_number = client.get(reverse("releases:releases"), {"search": str(other.pk)})
    assert other.pk in [release.pk for release in by_number.context["page"].rows]  # names may hold the number too
    assert "v1.0.1" in _page(client, "compare", first=one.pk, second=other.pk)


def test_pages_of_releases_ask_a_fixed_number_of_questions(client: Client, django_assert_max_num_queries):
    service = make_service()
    first = make_releasable(make_task(), make_task(taxonomy="Sexual"))
    live(first, service)
    for number in range(6):
        live(next_version(first.model, f"v2.0.{number}"), service)
    client.force_login(make_user(is_administrator=True))
    for name, arguments, most in (
        ("releases", [], 16),
        ("service", [service.name], 25),
        ("release", [Release.objects.latest("pk").pk], 24),
    ):
        with django_assert_max_num_queries(most):
            assert client.get(reverse(f"releases:{name}", args=arguments)).status_code == 200


def test_a_stranger_sees_no_release_of_a_private_version(client: Client):
    service = make_service()
    release = requested(make_releasable(make_task()), service)
    stranger = make_user()
    assert get_release(stranger, release.pk) == release
    put(Revision.objects.all(), publish_status="private")
    with pytest.raises(NotFoundError):
        get_release(stranger, release.pk)
    client.force_login(stranger)
    assert client.get(reverse("releases:release", args=[release.pk])).status_code == 404
    for person in (admin_of(service), release.requested_by, make_user(is_administrator=True)):
        assert get_release(person, release.pk) == release


def test_a_token_s_secret_is_shown_once(client: Client):
    service = make_service()
    client.force_login(admin_of(service))
    address = reverse("releases:add_token", args=[service.name])
    answer = client.post(address, {"name": "deployer", "scopes": ["bundle:read"], "days": "30"})
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    page = _page(client, "service", service.name)
    assert "deployer" in page
    assert secret not in page
    token = ServiceToken.objects.get()
    client.post(reverse("releases:revoke_token", args=[service.name, token.pk]))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_webhook_of_a_service_is_added_shown_and_removed_on_its_page(client: Client, settings: Any):
    settings.MOP_WEBHOOK_HOSTS = ["hooks.example"]
    service = make_service()
    client.force_login(admin_of(service))
    address = reverse("releases:add_webhook", args=[service.name])
    refused = client.post(address, {"url": "https://elsewhere.example/", "kinds": []})
    assert refused.status_code == 422
    assert "hooks.example" in refused.content.decode()
    given = {"url": "https://hooks.example/a", "description": "the deployer", "kinds": ["release.approved"]}
    answer = client.post(address, given)
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    webhook = service_webhooks(service.pk).get()
    assert (webhook.url, webhook.kinds) == (given["url"], ["release.approved"])
    page = _page(client, "service", service.name)
    assert all(text in page for text in ("https://hooks.example/a", "the deployer", ">approved</td>"))
    assert "release.approved" not in page
    assert secret not in page
    client.post(address, {**given, "kinds": []})
    assert service_webhooks(service.pk).last().kinds is None  # type: ignore[union-attr]
    other = make_service("other")
    foreign = reverse("releases:remove_webhook", args=[service.name, webhook.pk + 999])
    assert client.get(foreign).status_code == 404
    client.post(reverse("releases:remove_webhook", args=[service.name, webhook.pk]))
    assert [one.kinds for one in service_webhooks(service.pk)] == [None]
    assert not service_webhooks(other.pk)


def test_home_asks_admins_to_decide(client: Client):
    service = make_service()
    release = requested(make_releasable(make_task()), service)
    client.force_login(admin_of(service))
    assert f"Review release {release.pk}" in client.get("/home/").content.decode()
    client.force_login(make_user())
    assert f"Review release {release.pk}" not in client.get("/home/").content.decode()


def test_the_webhooks_of_a_service_are_told_of_its_releases():
    service, other = make_service(), make_service("other")
    webhook, _ = create_webhook(actor=ACTOR, url="https://hooks.example/a", owner=owner_of(service.pk))
    create_webhook(actor=ACTOR, url="https://hooks.example/b", owner=owner_of(other.pk))
    create_webhook(actor=ACTOR, url="https://hooks.example/c", owner=owner_of(service.pk), kinds=["release.released"])
    live(make_releasable(make_task()), service)
    sent = Delivery.objects.order_by("pk").values_list("webhook__url", "kind")
    urls = [(url.rpartition("/")[2], kind) for url, kind in sent]
    assert sorted(urls) == [
        ("a", "release.approved"),
        ("a", "release.released"),
        ("a", "release.requested"),
        ("c", "release.released"),
    ]
    assert "artifact_digest" in Delivery.objects.filter(webhook=webhook).latest("pk").body


def test_a_service_reports_a_case_once_for_each_trace_id():
    service = make_service()
    task, foreign = make_task(), make_task()
    approved(make_releasable(task), service)
    _, secret = create_service_token(actor=ACTOR, user=admin_of(service), service=service, name="cases")
    api = Api(token=secret, client=Client())
    body = {"task": task.name, "content": {"text": "You fool."}, "expected_label": "1", "trace_id": "t-1"}
    address = f"/services/{service.name}/cases"
    first, again = api.call("POST", address, body), api.call("POST", address, body)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["number"] == again.json()["number"]
    case = Case.objects.get()
    assert (case.service, case.task, case.submitter) == (service.name, task, None)
    assert api.call("POST", address, body | {"task": foreign.name}).status_code == 422
    assert api.call("POST", address, body | {"trace_id": "t-2", "expected_label": "7"}).status_code == 422
    assert "fool" not in first.content.decode()


def test_an_admin_whose_account_is_disabled_stays_one_in_forms_and_api(client: Client):
    kept, left = make_user("kept"), make_user("left")
    service = make_service(admins=[kept, left])
    User.objects.filter(pk=left.pk).update(is_active=False)
    client.force_login(kept)
    shown = {"description": "", "contact": "", "policy": "warn", "admins": "kept, left"}
    sent = {**shown, **{f"initial-{name}": value for name, value in shown.items()}, "contact": "#safety"}
    assert client.post(f"/services/{service.name}/edit/", sent).status_code == 302
    api = Api(token=make_token(kept), client=Client())
    make_user("new")
    assert api.patch(f"/services/{service.name}", {"admins": ["kept", "left", "new"]}).status_code == 200
    assert {one.username for one in service.admins.all()} == {"kept", "left", "new"}
    assert api.patch(f"/services/{service.name}", {"admins": ["kept"]}).status_code == 200
    assert api.patch(f"/services/{service.name}", {"admins": ["kept", "left"]}).status_code == 422


def test_an_admin_who_was_removed_meanwhile_does_not_come_back_with_another_change(client: Client):
    kept, removed = make_user("kept"), make_user("removed")
    service = make_service(admins=[kept, removed])
    client.force_login(kept)
    address = f"/services/{service.name}/edit/"
    page = client.get(address).content.decode()
    shown = {"description": "", "contact": "", "policy": "warn", "admins": "kept, removed"}
    for name, value in shown.items():
        assert re.search(rf'name="initial-{name}"[^>]*value="{value}"', page) or not value
    change_service(actor=ACTOR, service=service, policy=Policy.BLOCK, admins=[kept])
    sent = {**shown, **{f"initial-{name}": value for name, value in shown.items()}, "contact": "#safety"}
    assert client.post(address, sent).status_code == 302
    service.refresh_from_db()
    assert (service.contact, service.policy, list(service.admins.all())) == ("#safety", "block", [kept])


def test_how_a_version_stands_now_is_not_told_once_its_release_ended_and_it_is_private():
    service = make_service()
    revision = make_releasable(make_task())
    release = live(revision, service)
    admin = admin_of(service)
    _, secret = create_service_token(actor=ACTOR, user=admin, service=service, name="pull")
    owner = make_token(revision.model.owners.get())
    readers = {"admin": make_token(admin), "service": secret, "owner": owner}
    retire_release(actor=actor_of(admin), user=admin, release=release, comment="over")

    def told() -> list[str]:
        answers = {
            name: Api(token=token, client=Client()).call("GET", f"/releases/{release.pk}/evidence").json()
            for name, token in readers.items()
        }
        assert all(answer["at_decision"] for answer in answers.values())
        return [name for name, answer in answers.items() if answer["now"]]

    assert told() == ["admin", "service", "owner"]
    unpublish_revision(actor=ACTOR, revision=revision)
    assert told() == ["owner"]


def test_who_is_no_owner_any_more_reads_of_a_private_version_what_was_requested_alone(client: Client):
    former, owner = make_user(), make_user()
    revision = make_releasable(make_task(), owner=former)
    release = requested(revision, service := make_service())
    add_owner(actor=ACTOR, model=revision.model, user=owner)
    remove_owner(actor=ACTOR, model=revision.model, user=former)
    unpublish_revision(actor=ACTOR, revision=revision)
    address = f"/releases/{release.pk}"
    told = {}
    for user in (former, owner, admin_of(service)):
        api = Api(token=make_token(user), client=Client())
        client.force_login(user)
        told[user] = api.call("GET", f"{address}/evidence").json()["now"] is not None
        assert ("As it stands now." in client.get(f"{address}/").content.decode()) is told[user]
    assert told == {former: False, owner: True, admin_of(service): True}


def test_a_case_that_a_person_added_in_the_name_of_a_service_takes_no_report_of_it_in():
    service, task = make_service(), make_task()
    approved(make_releasable(task), service)
    make_case(task, submitter=make_user(), reported_by_service=service.name, trace_id="t-1", is_restricted=True)
    _, secret = create_service_token(actor=ACTOR, user=admin_of(service), service=service, name="cases")
    body = {"task": task.name, "content": {"text": "You fool."}, "expected_label": "1", "trace_id": "t-1"}
    address = f"/services/{service.name}/cases"
    answer = Api(token=secret, client=Client()).call("POST", address, body)
    assert answer.status_code == 202
    assert Case.objects.get(pk=answer.json()["number"]).submitter is None
    # both came so far that neither had seen the other's case
    again = make_case(task, reported_by_service=service.name, trace_id="t-1")
    assert again.pk == answer.json()["number"]


def test_the_api_checks_an_offer_and_tells_why_it_would_be_refused():
    service = make_service(policy=Policy.BLOCK)
    change_gate(actor=ACTOR, owner=service, conditions="golden set pass rate >= 100 %")
    revision = make_releasable(make_task())
    api = Api(token=make_token(revision.model.owners.get()), client=Client())
    offer = {"model": revision.model.name, "version": revision.version}
    found = api.call("POST", f"/services/{service.name}/releases/check", offer).json()
    assert "takes only what passes" in found["obstacle"]
    assert found["gates"]["result"] == "not measured"
    assert api.call("POST", f"/services/{service.name}/releases", offer).status_code == 409
    assert not Release.objects.exists()
