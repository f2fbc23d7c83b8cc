from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from mop.accounts.models import User
from mop.accounts.services import change_access
from mop.audit.models import AuditEvent
from support.factories import ACTOR, make_user

pytestmark = pytest.mark.django_db
SHOWN = {"initial-is_active": "True", "initial-is_superuser": "False"}


def test_only_accounts_are_registered():
    assert set(admin.site._registry) == {User}


def test_access_is_changed_by_the_service_and_recorded(client: Client):
    root, user = make_user(is_administrator=True), make_user("ada")
    client.force_login(root)
    answer = client.post(reverse("admin:accounts_user_change", args=[user.pk]), SHOWN | {"is_superuser": "on"})
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.is_active, user.is_superuser, user.is_staff) == (False, True, True)
    event = AuditEvent.objects.get(action="user.access_changed")
    assert (event.actor_label, event.object_label, event.address) == (root.username, "ada", "127.0.0.1")


def test_a_page_that_is_old_does_not_enable_an_account_again(client: Client):
    root, user = make_user(is_administrator=True), make_user("ada")
    client.force_login(root)
    address = reverse("admin:accounts_user_change", args=[user.pk])
    page = client.get(address).content.decode()
    assert all(f'name="{name}" value="{value}"' in page for name, value in SHOWN.items())
    change_access(actor=ACTOR, user=user, is_active=False)
    assert client.post(address, SHOWN | {"is_active": "on", "is_superuser": "on"}).status_code == 302
    user.refresh_from_db()
    assert (user.is_active, user.is_superuser) == (False, True)


def test_accounts_are_neither_added_nor_deleted_there(client: Client):
    root = make_user(is_administrator=True)
    client.force_login(root)
    assert client.get(reverse("admin:accounts_user_add")).status_code == 403
    assert client.post(reverse("admin:accounts_user_delete", args=[root.pk]), {"post": "yes"}).status_code == 403


def test_sign_in_is_the_portals_own(client: Client):
    answer = client.get("/admin/")
    assert answer.status_code == 302
    answer = client.get(answer["Location"])
    assert answer["Location"].startswith("/accounts/login/")
