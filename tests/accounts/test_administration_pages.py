"""Pages of people for administrators, and a person's own page."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import Invitation, User
from mop.audit.models import AuditEvent
from mop.catalog.models import InstanceType, Taxonomy
from mop.catalog.services import change_task
from mop.registry.groups import create_group, share_group
from mop.registry.models import Model
from support.browsing import client_of, send
from support.factories import ACTOR, make_model, make_task, make_team, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return make_user("root", is_administrator=True)


def test_the_list_finds_people_and_asks_the_same_number_of_queries_for_any_number(root: User):
    client = client_of(root)
    counts = []
    for _ in range(2):
        for _number in range(5):
            make_user()
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/users/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    User.objects.filter(username="root").update(email="root@example.com", first_name="Ada")
    make_user("sam")
    for query, shown in (("search=example.com", {"root"}), ("search=ada", {"root"}), ("which=disabled", set())):
        page = client.get(f"/users/?{query}").content.decode()
        assert set(re.findall(r'/users/\d+/">(\w+)<', page)) == shown, query


def test_an_administrator_invites_and_withdraws(root: User):
    client, team = client_of(root), make_team("Search")
    page = send(client, "/users/invite/", {"email": "new@example.com", "team": str(team.pk)}).content.decode()
    link = re.search(r"<code>http://testserver(/accounts/invitation/[\w-]+/)</code>", page)
    assert link is not None
    assert client.get(link[1]).status_code == 200
    assert "new@example.com" in client.get("/users/").content.decode()
    send(client, f"/users/invitations/{Invitation.objects.get().pk}/withdraw/", form="/users/")
    assert client.get(link[1]).status_code == 404
    assert send(client, "/users/invite/", {"email": "no address"}).status_code == 422


def test_keeping_out_letting_in_and_roles_ask_first(root: User):
    user, client = make_user("olivia"), client_of(root)
    for change, expected in (
        ("promote", (True, True)),
        ("demote", (True, False)),
        ("disable", (False, False)),
        ("enable", (True, False)),
    ):
        page = f"/users/{user.pk}/access/{change}/"
        before = User.objects.values_list("is_active", "is_superuser").get(pk=user.pk)
        assert client.get(page).status_code == 200
        assert User.objects.values_list("is_active", "is_superuser").get(pk=user.pk) == before
        assert send(client, page).status_code == 302
        assert User.objects.values_list("is_active", "is_superuser").get(pk=user.pk) == expected
    assert client.get(f"/users/{user.pk}/access/erase/").status_code == 404
    assert send(client, f"/users/{root.pk}/access/demote/").status_code == 409


def test_a_reset_link_is_made_for_accounts_of_this_installation(root: User):
    user, client = make_user("olivia"), client_of(root)
    page = send(client, f"/users/{user.pk}/reset-link/", form=f"/users/{user.pk}/").content.decode()
    link = re.search(r"<code>http://testserver(/accounts/password/reset/[^<]+)</code>", page)
    assert link is not None
    assert client.get(link[1]).status_code == 200
    assert AuditEvent.objects.filter(action="user.reset_link_made", actor_label="root").count() == 1


def test_what_a_leaver_owned_gets_another_owner(root: User):
    leaver, heir = make_user("leaver"), make_user("heir")
    task = make_task("hate in text", owners=[leaver])
    model = make_model("toxicity", owner=leaver, tasks=(task,))
    group = create_group(actor=ACTOR, user=leaver, name="mine")
    share_group(actor=ACTOR, group=group, user=heir)
    create_group(actor=ACTOR, user=heir, name="mine")
    client = client_of(root)
    page = client.get(f"/users/{leaver.pk}/").content.decode()
    assert all(name in page for name in ("toxicity", "hate in text", "Shared groups"))
    here = f"/users/{leaver.pk}/reassign/"
    assert send(client, here, {"username": "nobody"}, form="/users/").status_code == 422
    assert send(client, here, {"username": "leaver"}, form="/users/").status_code == 422
    assert send(client, here, {"username": "heir"}, form="/users/").status_code == 302
    assert [owner.username for owner in Model.objects.get(pk=model.pk).owners.all()] == ["heir"]
    assert [owner.username for owner in task.owners.all()] == ["heir"]
    group.refresh_from_db()
    assert (group.owner, group.name) == (heir, "mine of leaver")
    assert "Nothing." in client.get(f"/users/{leaver.pk}/").content.decode()
    assert AuditEvent.objects.get(action="user.reassigned").data == {"to": "heir", "things": 3}


def test_a_person_sees_what_is_theirs_and_nothing_of_others():
    user, other = make_user("olivia"), make_user("sam")
    make_model("mine", owner=user)
    make_model("of-sam", owner=other)
    make_token(user)
    page = client_of(user).get("/account/").content.decode()
    assert "/models/mine/" in page
    assert "of-sam" not in page
    assert "Everything (read and write)" in page
    assert "this one" in page
    assert "My requests" in page


def test_a_tasks_owner_changes_its_description_and_owners_and_nothing_else(root: User):
    owner, other = make_user("olivia"), make_user("otto")
    task = make_task("hate in text", owners=[owner])
    page = f"/tasks/{task.pk}/change/"
    assert client_of(other).get(page).status_code == 403
    client = client_of(owner)
    assert send(client, page, {"description": "", "owners": ""}).status_code == 422
    assert send(client, page, {"description": "", "owners": "nobody"}).status_code == 422
    assert send(client, page, {"description": "new", "owners": "otto, olivia", "name": "other"}).status_code == 302
    task.refresh_from_db()
    assert (task.name, task.description, task.owners.count()) == ("hate in text", "new", 2)
    assert AuditEvent.objects.get(action="task.changed").data == {"description": "changed", "owners added": "otto"}


def test_an_owner_whose_account_is_disabled_stays_one_until_somebody_removes_them(root: User):
    owner, left = make_user("olivia"), make_user("rob")
    task = make_task("hate in text", owners=[owner, left])
    User.objects.filter(pk=left.pk).update(is_active=False)
    page, client = f"/tasks/{task.pk}/change/", client_of(owner)
    initial = {"initial-description": "", "initial-owners": "olivia, rob"}
    assert send(client, page, {**initial, "description": "new", "owners": "olivia, rob"}).status_code == 302
    assert send(client, page, {**initial, "description": "new", "owners": "olivia, rob, root"}).status_code == 302
    assert {one.username for one in task.owners.all()} == {"olivia", "rob", "root"}
    assert send(client, page, {**initial, "description": "new", "owners": "olivia"}).status_code == 302
    assert [one.username for one in task.owners.all()] == ["olivia"]
    refused = send(client, page, {**initial, "description": "new", "owners": "olivia, rob, root"})
    assert "There is no user &#x27;rob&#x27;." in refused.content.decode()


def test_an_owner_who_was_removed_meanwhile_does_not_come_back_with_a_new_description(root: User):
    owner, removed = make_user("olivia"), make_user("rob")
    task = make_task("hate in text", owners=[owner, removed])
    page = f"/tasks/{task.pk}/change/"
    client = client_of(owner)
    assert 'name="initial-owners" value="olivia, rob"' in client.get(page).content.decode()
    change_task(actor=ACTOR, task=task, owners=[owner])
    sent = {"description": "new", "initial-description": "", "owners": "olivia, rob", "initial-owners": "olivia, rob"}
    assert send(client, page, sent).status_code == 302
    task.refresh_from_db()
    assert (task.description, list(task.owners.all())) == ("new", [owner])


def test_administrators_retire_an_instance_type_and_describe_a_taxonomy(root: User):
    client = client_of(root)
    first = InstanceType.objects.filter(is_enabled=True).first()
    assert first is not None
    for offer, expected in (("no", False), ("yes", True)):
        send(client, f"/instance-types/{first.pk}/offer/", {"offer": offer}, form="/instance-types/")
        first.refresh_from_db()
        assert first.is_enabled is expected
    InstanceType.objects.exclude(pk=first.pk).update(is_enabled=False)
    last = send(client, f"/instance-types/{first.pk}/offer/", {"offer": "no"}, form="/instance-types/")
    assert last.status_code == 409
    taxonomy = Taxonomy.objects.get(name="Hate")
    send(client, f"/taxonomies/{taxonomy.pk}/change/", {"description": "harm by words"})
    taxonomy.refresh_from_db()
    assert taxonomy.description == "harm by words"
