"""What owners do on pages: publish, set aside, edit beside others, find owners, delete without dead ends."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.registry.editing import change_model
from mop.registry.models import Model, Revision
from mop.registry.services import add_owner, create_revision
from support.browsing import client_of, send
from support.factories import ACTOR, make_revision_input, make_user, put

pytestmark = pytest.mark.dialect

VERSION = "/models/toxicity/versions/v1.0.0/"


def switch(revision: Revision, *, may_change: bool = True) -> str:
    context = {"revision": revision, "model": revision.model, "may_change": may_change}
    return render_to_string("registry/components/publish_switch.html", context)


def test_a_verified_version_becomes_public_and_private_again(
    model: Model, revision: Revision, owner: User, stranger: User
):
    put(Revision.objects.all(), status="verified")
    revision.refresh_from_db()
    assert f'action="{VERSION}publish/"' in switch(revision)
    assert "Everybody who is signed in will see" in switch(revision)
    assert "<form" not in switch(revision, may_change=False)
    client, other = client_of(owner), client_of(stranger)
    assert other.get("/models/toxicity/").status_code == 404
    assert send(client, f"{VERSION}publish/", form="/models/toxicity/").status_code == 302
    assert other.get("/models/toxicity/").status_code == 200
    assert 'id="model-' in other.get("/models/").content.decode()
    revision.refresh_from_db()
    assert f'action="{VERSION}unpublish/"' in switch(revision)
    send(client, f"{VERSION}unpublish/", form="/models/toxicity/")
    assert other.get("/models/toxicity/").status_code == 404


def test_a_version_that_is_not_verified_says_why_it_can_not_be_public(model: Model, revision: Revision, owner: User):
    assert "<form" not in switch(revision)
    assert "Only a verified version can become public; v1.0.0 is created." in switch(revision)
    answer = send(client_of(owner), f"{VERSION}publish/", form="/models/toxicity/")
    assert answer.status_code == 409
    revision.refresh_from_db()
    assert revision.publish_status == "private"


def test_setting_a_version_aside_asks_first_and_is_refused_while_it_runs(model: Model, owner: User):
    client = client_of(owner)
    assert "cannot be undone" in client.get(f"{VERSION}outdated/").content.decode()
    assert send(client, f"{VERSION}outdated/").status_code == 409
    put(Revision.objects.all(), status="verified")
    assert send(client, f"{VERSION}outdated/").status_code == 302
    assert model.revisions.get().status == "outdated"


@pytest.mark.parametrize(("field", "mine", "theirs"), [("description", "mine", "theirs"), ("tags", "a, b", "c")])
def test_of_two_who_edit_the_second_is_told_and_loses_nothing(
    field: str, mine: str, theirs: str, model: Model, owner: User
):
    client = client_of(owner)
    address = f"/models/toxicity/{field}/"
    stamp = {"edition": re.search(r'name="edition" value="(\d+)"', client.get(address).content.decode())[1]}
    given = {"description": theirs} if field == "description" else {"tags": [theirs]}
    change_model(actor=ACTOR, model=model, **given)
    second = send(client, address, {field: mine, **stamp})
    html = second.content.decode()
    assert second.status_code == 422
    assert f"It now says: “{theirs}”" in html
    assert mine in html
    again = {"edition": re.search(r'name="edition" value="(\d+)"', html)[1]}
    assert send(client, address, {field: mine, **again}).status_code == 302
    model.refresh_from_db()
    found = model.description if field == "description" else ", ".join(tag.name for tag in model.tags.all())
    assert found == mine


def test_a_description_is_edited_in_place(model: Model, owner: User):
    client = client_of(owner)
    htmx = {"HX-Request": "true"}
    form = client.get("/models/toxicity/description/", headers=htmx).content.decode()
    assert form.lstrip().startswith('<form id="model-description"')
    token = client.cookies["csrftoken"].value
    data = {"description": "<b>new</b>", "edition": "1", "csrfmiddlewaretoken": token}
    shown = client.post("/models/toxicity/description/", data, headers=htmx).content.decode()
    assert '<div id="model-description">&lt;b&gt;new&lt;/b&gt;' in shown


def test_the_note_is_not_overwritten_unseen(model: Model, owner: User):
    client = client_of(owner)
    assert send(client, f"{VERSION}note/", {"note": "first", "edition": "1"}).status_code == 302
    refused = send(client, f"{VERSION}note/", {"note": "second", "edition": "1"})
    assert refused.status_code == 422
    assert "It now says: “first”" in refused.content.decode()
    assert model.revisions.get().note == "first"


def test_people_are_found_by_a_part_of_their_name(model: Model, owner: User):
    make_user("maria.lopez")
    User.objects.filter(username="maria.lopez").update(first_name="María", last_name="López-Garcia")
    make_user("gone.maria")
    User.objects.filter(username="gone.maria").update(is_active=False)
    client = client_of(owner)
    for text in ("mari", "lopez-g", "MARIA"):
        html = client.get("/people/", {"username": text}).content.decode()
        expected = '<option value="maria.lopez">' if text != "lopez-g" else ""
        assert expected in html
        assert "gone" not in html
    assert client.get("/people/", {"username": "m"}).content == b""
    refused = send(client, "/models/toxicity/owners/add/", {"username": "maria"}, form="/models/toxicity/")
    assert "Do you mean one of these: maria.lopez?" in refused.content.decode()


def test_an_owner_is_removed_only_after_a_question(model: Model, owner: User):
    colleague = make_user("kim")
    add_owner(actor=ACTOR, model=model, user=colleague)
    client = client_of(owner)
    address = "/models/toxicity/owners/remove/?username=kim"
    assert address.replace("&", "&amp;") in client.get("/models/toxicity/").content.decode()
    assert "Remove kim from the owners of toxicity?" in client.get(address).content.decode()
    assert model.owners.count() == 2
    send(client, address)
    assert list(model.owners.all()) == [owner]
    last = send(client, "/models/toxicity/owners/remove/?username=olivia")
    assert last.status_code == 409
    assert "last owner" in last.content.decode()


def test_deleting_the_only_version_offers_to_delete_the_model(model: Model, owner: User):
    html = client_of(owner).get(f"{VERSION}delete/").content.decode()
    assert "v1.0.0 is the only version of toxicity" in html
    assert 'href="/models/toxicity/delete/"' in html
    create_revision(actor=actor_of(owner), user=owner, model=model, revision=make_revision_input("v2"))
    assert "Delete v1.0.0 of toxicity?" in client_of(owner).get(f"{VERSION}delete/").content.decode()


def test_after_a_deletion_the_list_is_as_it_was_left(model: Model, owner: User):
    client = client_of(owner)
    back = "search=x&status=all&sort=name&evil=1"
    answer = send(client, f"/models/toxicity/delete/?back={back.replace('&', '%26')}")
    assert answer.url == "/models/?search=x&status=all&sort=name"
