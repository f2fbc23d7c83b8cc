"""Webhooks: who is told, signed, sent again until it arrives, and never where MOP may not send."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mop.accounts.models import Team, User
from mop.accounts.services import actor_of, add_member, change_access, remove_member
from mop.errors import ConflictError, ValidationFailedError
from mop.notifications.models import Delivery, Notification, Preference, Webhook
from mop.notifications.scopes import Scope
from mop.notifications.services import News, forget_scope, notify
from mop.notifications.webhook_hosts import Allowed, read_hosts, read_networks
from mop.notifications.webhook_http import Poster
from mop.notifications.webhook_outbox import PAUSES, claim, deliver_due, forget_old
from mop.notifications.webhook_states import DeliveryState
from mop.notifications.webhooks import (
    Owner,
    change_webhook,
    create_webhook,
    delete_webhook,
    enable_webhook,
    enqueue_delivery,
    replay,
    rotate_secret,
    send_test,
)
from mop.registry.kinds import Kind
from mop.registry.models import Model
from mop.registry.services import remove_owner
from mop.registry.statuses import RevisionStatus
from support.factories import ACTOR, make_team, make_user
from support.webhook_receiver import Receiver, flood, hang, running_receiver, status, trickle

from .conftest import End

pytestmark = pytest.mark.dialect


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with running_receiver() as found:
        settings.MOP_WEBHOOK_HOSTS = (found.url.removesuffix("/hook"),)
        settings.MOP_WEBHOOK_NETWORKS = ("127.0.0.1/32",)
        settings.MOP_WEBHOOK_SECONDS = 1.0
        yield found


@pytest.fixture
def hook(olivia: User, receiver: Receiver) -> Webhook:
    return create_webhook(actor=ACTOR, user=olivia, url=receiver.url, description="build server")[0]


def tell(person: User, event: str = "one", kind: Kind = Kind.VERIFIED, **fields: Any) -> None:
    notify(actor=ACTOR, people=[person], news=News(kind, event, "It is verified", "It answered.", "/models/", **fields))


def joined(name: str, member: User) -> Team:
    team = make_team(name)
    add_member(actor=ACTOR, team=team, user=member)
    return team


def only(**wanted: Any) -> Delivery:
    return Delivery.objects.get(**wanted)


def due_now() -> None:
    Delivery.objects.update(next_at=timezone.now())


def test_a_message_is_signed_by_standard_webhooks_and_sent_once(olivia: User, receiver: Receiver):
    _, secret = create_webhook(actor=ACTOR, user=olivia, url=receiver.url)
    tell(olivia)
    tell(olivia)  # the step ran again after a crash
    assert [deliver_due(), deliver_due()] == [1, 0]
    [message] = receiver.messages
    assert message.is_signed_by(secret)
    assert not message.is_signed_by("whsec_" + "A" * 43 + "=")
    assert message.id == only().message_id
    assert abs(int(message.headers["webhook-timestamp"]) - time.time()) < 60
    assert message.headers["content-type"] == "application/json"
    body = message.json
    assert (body["type"], body["data"]["title"], body["data"]["event"]) == ("verified", "It is verified", "one")
    assert only().state == DeliveryState.DELIVERED
    assert [(one.status, one.error) for one in only().tries.all()] == [(204, "")]


def test_the_secret_is_kept_encrypted(olivia: User, receiver: Receiver, settings: Any):
    webhook, secret = create_webhook(actor=ACTOR, user=olivia, url=receiver.url)
    webhook.refresh_from_db()
    assert secret not in webhook.secret
    assert secret.startswith("whsec_")
    settings.SECRET_KEY = "another"
    tell(olivia)
    assert deliver_due() == 0
    assert "MOP_SECRET_KEY" in only().error


def test_during_a_rotation_messages_are_signed_by_both_secrets(olivia: User, receiver: Receiver):
    webhook, former = create_webhook(actor=ACTOR, user=olivia, url=receiver.url)
    current = rotate_secret(actor=ACTOR, webhook=webhook)
    tell(olivia)
    deliver_due()
    assert receiver.messages[0].is_signed_by(current)
    assert receiver.messages[0].is_signed_by(former)
    Webhook.objects.update(former_until=timezone.now())
    tell(olivia, "two")
    deliver_due()
    assert receiver.messages[1].is_signed_by(current)
    assert not receiver.messages[1].is_signed_by(former)


def test_each_kind_can_be_switched_off(olivia: User, hook: Webhook):
    change_webhook(actor=ACTOR, webhook=hook, kinds=["cancelled"])
    tell(olivia)
    assert not Delivery.objects.exists()
    tell(olivia, "two", Kind.CANCELLED)
    assert only().kind == "cancelled"
    change_webhook(actor=ACTOR, webhook=hook, every_kind=True)
    tell(olivia, "three")
    assert Delivery.objects.count() == 2


def test_a_person_without_portal_and_e_mail_still_has_their_webhook(olivia: User, hook: Webhook):
    Preference.objects.create(user=olivia, kind=Kind.VERIFIED, in_portal=False, by_email=False)
    tell(olivia)
    assert only().webhook == hook
    assert not Notification.objects.exists()


def test_a_team_s_webhook_is_told_of_the_team_s_models_as_far_as_its_person_sees_them(
    olivia: User, sam: User, model: Model, end: End, receiver: Receiver
):
    olivia.teams.add(model.team)
    stranger = make_user("stranger", teams=(model.team,))
    create_webhook(actor=ACTOR, user=olivia, team=model.team, url=receiver.url)
    create_webhook(actor=ACTOR, user=stranger, team=model.team, url=receiver.url)
    create_webhook(actor=ACTOR, user=olivia, team=joined("another", olivia), url=receiver.url)
    end(RevisionStatus.VERIFIED)
    assert Delivery.objects.count() == 2
    assert deliver_due() == 1
    assert only(webhook__user=olivia).state == DeliveryState.DELIVERED
    assert only(webhook__user=stranger).state == DeliveryState.WITHHELD
    assert receiver.messages[0].json["data"]["about"] == {"type": "model", "id": model.pk}


def test_a_disabled_person_s_webhooks_end_at_once(olivia: User, hook: Webhook, receiver: Receiver):
    make_user("root", is_administrator=True)
    tell(olivia)
    change_access(actor=ACTOR, user=olivia, is_active=False, is_administrator=False)
    assert deliver_due() == 0
    assert receiver.messages == []
    # leaving switched the webhook off, and what waited with it
    assert only().state == DeliveryState.FAILED
    hook.refresh_from_db()
    assert hook.disabled_at is not None


def test_nothing_is_sent_for_whom_the_provider_has_not_let_in_for_a_long_time(
    olivia: User, hook: Webhook, receiver: Receiver
):
    SocialAccount.objects.create(user=olivia, provider="oidc", uid="https://login.example.com 17")
    long_ago = timezone.now() - dt.timedelta(days=settings.MOP_TOKEN_SIGN_IN_DAYS + 1)
    User.objects.filter(pk=olivia.pk).update(password="!", last_login=long_ago)
    tell(olivia)
    assert (deliver_due(), only().state) == (0, DeliveryState.WITHHELD)
    User.objects.filter(pk=olivia.pk).update(last_login=timezone.now())
    replay(actor=ACTOR, delivery=only())
    assert deliver_due() == 1


def test_who_leaves_a_team_sends_no_more_for_it(olivia: User, receiver: Receiver):
    team = joined("the team", olivia)
    webhook, _ = create_webhook(actor=ACTOR, user=olivia, team=team, url=receiver.url)
    send_test(webhook=webhook)
    remove_member(actor=ACTOR, team=team, user=olivia)
    assert deliver_due() == 0
    assert "no longer in the team" in only().error


def test_what_the_person_may_no_longer_see_is_not_sent(
    olivia: User, sam: User, model: Model, end: End, hook: Webhook, receiver: Receiver
):
    end(RevisionStatus.VERIFIED)
    remove_owner(actor=actor_of(sam), model=model, user=olivia)
    deliver_due()
    assert [one.json["type"] for one in receiver.messages] == ["ownership"]
    assert only(kind="verified").state == DeliveryState.WITHHELD


def test_deleting_the_object_takes_its_messages_along(olivia: User, hook: Webhook, model: Model):
    tell(olivia, scope=Scope("model", model.pk))
    forget_scope(Scope("model", model.pk))
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (status(500), "It answered 500."),
        (status(429, "Retry-After: 7200"), "It answered 429."),
        (status(404), "It answered 404."),
        (hang(4), "There was no answer within 1 s."),
        (trickle, "There was no answer within 1 s."),
        (flood, "The answer has more than 64 KiB."),
        (lambda send: send(b"220 smtp.example ready\r\n"), "The answer is not HTTP."),
        (lambda _send: None, "The answer is not HTTP."),
    ],
    ids=["500", "429", "404", "hangs", "trickles", "floods", "other protocol", "hangs up"],
)
def test_a_receiver_that_fails_gets_the_same_message_again_later(
    behave: Any, error: str, olivia: User, hook: Webhook, receiver: Receiver
):
    receiver.behave = behave
    tell(olivia)
    began = time.monotonic()
    assert deliver_due() == 0
    assert time.monotonic() - began < 4
    assert deliver_due() == 0  # it waits
    waiting = only()
    assert (waiting.state, waiting.error, waiting.attempts) == (DeliveryState.QUEUED, error, 1)
    assert waiting.next_at > timezone.now()
    if "429" in error:
        assert waiting.next_at > timezone.now() + dt.timedelta(hours=1)
    receiver.behave = status(200)
    due_now()
    assert deliver_due() == 1
    first, second = receiver.messages
    assert (first.id, first.body) == (second.id, second.body)
    hook.refresh_from_db()
    assert hook.failing_since is None


def test_a_receiver_that_is_away_is_tried_again(olivia: User, settings: Any):
    settings.MOP_WEBHOOK_HOSTS, settings.MOP_WEBHOOK_NETWORKS = ("http://127.0.0.1:9",), ("127.0.0.1/32",)
    create_webhook(actor=ACTOR, user=olivia, url="http://127.0.0.1:9/")
    tell(olivia)
    deliver_due()
    assert only().state == DeliveryState.QUEUED
    assert "connection failed" in only().error


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(code: int, olivia: User, hook: Webhook, receiver: Receiver):
    with running_receiver() as inner:
        receiver.behave = status(code, f"Location: {inner.url}")
        tell(olivia)
        assert deliver_due() == 0
        assert inner.messages == []
    assert "follows no redirects" in only().error


def poster(receiver: Receiver, *answers: list[str]) -> tuple[Poster, list[str]]:
    """A sender whose look-ups are answered one after another, the last for ever, and the names that it looked up."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    port = receiver.server_address[1]
    allowed = Allowed(read_hosts([f"http://hooks.example:{port}"]), read_networks(["127.0.0.2/32"]))
    return Poster(allowed, 1.0, resolve), asked


def test_a_name_that_leads_inward_is_refused_and_said(receiver: Receiver):
    sender, _ = poster(receiver, ["127.0.0.1"])
    answer = sender.post(f"http://hooks.example:{receiver.server_address[1]}/", {}, b"{}")
    assert answer.refused
    assert "127.0.0.1 is no address of the public internet" in answer.error
    assert receiver.messages == []


def test_one_address_inward_among_others_refuses_the_name():
    with running_receiver("127.0.0.2") as receiver:
        sender, _ = poster(receiver, ["127.0.0.2", "10.0.0.1"])
        assert sender.post(f"http://hooks.example:{receiver.server_address[1]}/", {}, b"{}").refused
        assert receiver.messages == []


def test_the_address_that_was_checked_is_the_one_that_is_called():
    with running_receiver("127.0.0.2") as receiver:
        sender, asked = poster(receiver, ["127.0.0.2"], ["127.0.0.1"])  # the second look-up leads inward
        url = f"http://hooks.example:{receiver.server_address[1]}/"
        assert sender.post(url, {}, b"{}").arrived
        assert asked == ["hooks.example"]
        assert receiver.messages[0].headers["host"] == f"hooks.example:{receiver.server_address[1]}"
        assert sender.post(url, {}, b"{}").refused
        assert len(receiver.messages) == 1


def test_a_host_that_is_allowed_no_more_is_refused_when_it_is_sent(
    olivia: User, hook: Webhook, receiver: Receiver, settings: Any
):
    tell(olivia)
    settings.MOP_WEBHOOK_HOSTS = ("elsewhere.example",)
    deliver_due()
    assert receiver.messages == []
    assert only().state == DeliveryState.REFUSED
    assert "MOP_WEBHOOK_HOSTS" in only().error


def test_a_webhook_to_a_host_that_is_not_allowed_can_not_be_made(olivia: User, receiver: Receiver):
    for url in ("https://elsewhere.example/", "http://169.254.169.254/", "not a url"):
        with pytest.raises(ValidationFailedError, match="url:"):
            create_webhook(actor=ACTOR, user=olivia, url=url)


def test_a_receiver_that_hangs_holds_up_nobody_else(olivia: User, sam: User, hook: Webhook, receiver: Receiver):
    receiver.behave = hang(4)
    with running_receiver() as quick:
        hosts = read_hosts([one.url.removesuffix("/hook") for one in (receiver, quick)])
        Webhook.objects.create(user=sam, url=quick.url, secret=hook.secret)
        for number in range(5):
            tell(olivia, f"a{number}")
            tell(sam, f"b{number}")
        began = time.monotonic()
        assert deliver_due(Poster(Allowed(hosts, read_networks(["127.0.0.1/32"])), 1.0)) == 5
        assert time.monotonic() - began < 4
    assert len(receiver.messages) == 1  # the first that failed lets the others of its lane wait
    waiting = Delivery.objects.filter(webhook=hook).order_by("pk").values_list("attempts", flat=True)
    assert list(waiting) == [1, 0, 0, 0, 0]


def test_messages_are_given_up_after_all_tries_and_can_be_replayed(olivia: User, hook: Webhook, receiver: Receiver):
    receiver.behave = status(500)
    tell(olivia)
    for _ in range(len(PAUSES) + 1):
        due_now()
        deliver_due()
    assert only().state == DeliveryState.FAILED
    assert only().tries.count() == len(PAUSES) + 1
    receiver.behave = status(200)
    replay(actor=ACTOR, delivery=only())
    with pytest.raises(ConflictError, match="still waits"):
        replay(actor=ACTOR, delivery=only())
    assert deliver_due() == 1
    assert len({message.id for message in receiver.messages}) == 1
    assert len({message.body for message in receiver.messages}) == 1


def test_after_days_without_a_success_it_is_switched_off_and_its_person_is_told(
    olivia: User, hook: Webhook, receiver: Receiver
):
    receiver.behave = status(500)
    Webhook.objects.update(failing_since=timezone.now() - dt.timedelta(days=6))
    tell(olivia)
    tell(olivia, "two")
    deliver_due()
    hook.refresh_from_db()
    assert hook.disabled_at is not None
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.FAILED}
    note = Notification.objects.get(kind="webhookDisabled")
    assert note.recipient == olivia
    assert "500" in note.reason
    tell(olivia, "three")
    assert Delivery.objects.count() == 2  # it is told of nothing while it is off
    with pytest.raises(ConflictError, match="switched off"):
        send_test(webhook=hook)
    enable_webhook(actor=ACTOR, webhook=hook)
    receiver.behave = status(200)
    for delivery in Delivery.objects.all():
        replay(actor=ACTOR, delivery=delivery)
    assert deliver_due() == 2


def test_a_receiver_that_is_gone_switches_it_off(olivia: User, hook: Webhook, receiver: Receiver):
    receiver.behave = status(410)
    tell(olivia)
    deliver_due()
    hook.refresh_from_db()
    assert "410" in hook.disabled_reason


def test_a_claimed_message_is_sent_by_nobody_else(olivia: User, hook: Webhook):
    tell(olivia)
    first, second = only(), only()
    assert [claim(first), claim(second)] == [True, False]
    assert deliver_due() == 0


def test_a_webhook_of_an_object_above_sends_whatever_its_area_enqueues(receiver: Receiver, db: None):
    webhook, secret = create_webhook(
        actor=ACTOR, owner=Owner("service", 7), url=receiver.url, kinds=["release.approved"]
    )
    for _ in range(2):
        enqueue_delivery(webhook=webhook, kind="release.approved", event="release:1", data={"release": 1})
    assert deliver_due() == 1
    assert receiver.messages[0].is_signed_by(secret)
    assert receiver.messages[0].json["data"] == {"event": "release:1", "release": 1}


def test_deleting_a_webhook_sends_nothing_more(olivia: User, hook: Webhook, receiver: Receiver):
    tell(olivia)
    delete_webhook(actor=ACTOR, webhook=hook)
    assert deliver_due() == 0
    assert receiver.messages == []


def test_old_messages_go_and_those_that_wait_stay(olivia: User, hook: Webhook):
    tell(olivia)
    tell(olivia, "two")
    Delivery.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    Delivery.objects.filter(event="one").update(state=DeliveryState.DELIVERED)
    assert forget_old() == 1
    assert only().event == "two"


def test_pages_show_the_secret_once_and_the_log(olivia: User, receiver: Receiver, client: Client):
    client.force_login(olivia)
    assert "No webhook yet" in client.get("/notifications/webhooks/").content.decode()
    made = client.post("/notifications/webhooks/new/", {"url": receiver.url, "hears": "chosen", "kinds": ["verified"]})
    assert "whsec_" in made.content.decode()
    webhook = Webhook.objects.get()
    assert webhook.kinds == ["verified"]
    page = f"/notifications/webhooks/{webhook.pk}/"
    client.post(f"{page}test/")
    deliver_due()
    shown = client.get(page).content.decode()
    assert "whsec_" not in shown
    assert only().message_id[:12] in shown
    assert "delivered" in shown
    client.post(f"{page}replay/{only().pk}/")
    assert deliver_due() == 1
    edited = client.post(f"{page}edit/", {"url": receiver.url, "hears": "every", "description": "<b>build</b>"})
    assert edited.status_code == 302
    assert "&lt;b&gt;build" in client.get(page).content.decode()
    assert "whsec_" in client.post(f"{page}rotate/").content.decode()
    assert "Add a webhook" in client.get("/notifications/webhooks/new/").content.decode()
    refused = client.post("/notifications/webhooks/new/", {"url": "http://10.0.0.1/", "hears": "every"})
    assert refused.status_code == 422
    assert "not among the hosts" in refused.content.decode()
    client.post(f"{page}delete/")
    assert not Webhook.objects.exists()


def test_a_log_page_costs_a_fixed_number_of_queries(olivia: User, hook: Webhook, client: Client):
    client.force_login(olivia)
    page = f"/notifications/webhooks/{hook.pk}/"

    def count() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(page)
        return len(found)

    tell(olivia)
    deliver_due()
    few = count()
    for number in range(8):
        tell(olivia, f"n{number}")
    deliver_due()
    assert count() == few
