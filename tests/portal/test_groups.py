"""Groups on pages: made from a selection, shared, hidden, deleted; they show nobody more than they may see."""

from __future__ import annotations

import pytest

from mop.accounts.models import User
from mop.registry.group_models import ModelGroup
from mop.registry.groups import add_to_group, create_group, get_group, share_group
from mop.registry.models import Model, Revision
from support.browsing import client_of, send
from support.factories import ACTOR, make_model, make_team, make_user, publish, put

pytestmark = pytest.mark.dialect


@pytest.fixture
def group(model: Model, owner: User) -> ModelGroup:
    found = create_group(actor=ACTOR, user=owner, name="Candidates")
    add_to_group(group=found, models=[model, make_model("second", owner=owner)])
    return found


def page(user: User, url: str) -> str:
    return client_of(user).get(url).content.decode()


def test_a_group_is_made_from_selected_models(model: Model, owner: User):
    second = make_model("second", owner=owner)
    client = client_of(owner)
    data = {"model": [model.pk, second.pk], "action": "new", "back": "sort=name"}
    to_form = send(client, "/model-selection/", data, form="/models/")
    assert "toxicity" in client.get(to_form.url).content.decode()
    made = send(client, to_form.url, {"name": "Candidates"})
    html = client.get(made.url).content.decode()
    assert html.count('id="model-') == 2
    key = ModelGroup.objects.get().pk
    removed = send(
        client,
        "/model-selection/",
        {"model": model.pk, "action": f"remove:{key}", "back": f"group={key}"},
        form="/models/",
    )
    assert removed.url == f"/models/?group={key}"
    html = client.get(removed.url).content.decode()
    assert (html.count('id="model-'), "1 model removed from Candidates" in html) == (1, True)
    added = send(client, "/model-selection/", {"model": [model.pk, second.pk], "action": f"add:{key}"}, form="/models/")
    assert "1 model added to Candidates. 1 was there before." in client.get(added.url).content.decode()


def test_sharing_a_group_gives_no_access_to_its_models(group: ModelGroup, model: Model, owner: User, stranger: User):
    assert client_of(stranger).get(f"/models/?group={group.pk}").status_code == 404
    client = client_of(owner)
    answer = send(client, f"/groups/{group.pk}/share/", {"username": "sam"})
    assert answer.status_code == 302
    html = page(stranger, f"/models/?group={group.pk}")
    assert "Candidates" in html
    assert "shared by olivia" in html
    assert 'id="model-' not in html
    assert '<span class="count">0<' in html
    publish(model)
    html = page(stranger, f"/models/?group={group.pk}")
    assert html.count('id="model-') == 1
    assert '<span class="count">1<' in html
    # who is shown it changes nothing of it
    other = client_of(stranger)
    for address in ("rename", "share", "delete"):
        assert other.get(f"/groups/{group.pk}/{address}/").status_code == 403
    data = {"model": model.pk, "action": f"remove:{group.pk}"}
    assert send(other, "/model-selection/", data, form="/models/").status_code == 403


def test_pages_count_up_to_a_bound_what_somebody_sees_of_a_group(
    group: ModelGroup, owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
):
    add_to_group(group=group, models=[make_model("third", owner=owner)])
    monkeypatch.setattr("mop.registry.views.groups.SHOWN_COUNT_MAX", 2)
    assert ">over 2<" in page(owner, "/groups/")
    share_group(actor=ACTOR, group=group, user=stranger)
    assert "over" not in page(stranger, "/groups/").partition("Shared with you")[2]
    assert get_group(owner, group.pk).model_count == 3  # alone it is counted out


def test_a_group_is_shared_with_a_team_and_with_nobody_else(group: ModelGroup, owner: User, stranger: User):
    team = make_team("red")
    member = make_user(teams=(team,))
    client = client_of(owner)
    assert send(client, f"/groups/{group.pk}/share/", {"team": "red"}).status_code == 302
    assert "Candidates" in page(member, "/models/")
    assert "Candidates" not in page(stranger, "/models/")
    share = group.shares.get()
    send(client, f"/groups/{group.pk}/share/{share.pk}/end/", form=f"/groups/{group.pk}/share/")
    assert "Candidates" not in page(member, "/models/")
    both = send(client, f"/groups/{group.pk}/share/", {"username": "sam", "team": "red"})
    assert both.status_code == 422


def test_a_group_that_was_removed_from_the_list_can_come_back(group: ModelGroup, stranger: User):
    share_group(actor=ACTOR, group=group, user=stranger)
    client = client_of(stranger)
    send(client, f"/groups/{group.pk}/hide/", form="/groups/")
    assert "Candidates" not in client.get("/models/?group=mine").content.decode().split("<main")[1].replace(
        "Candidates is removed from your list", ""
    )
    assert "Show in my list" in client.get("/groups/").content.decode()
    send(client, f"/groups/{group.pk}/show/", form="/groups/")
    assert "Candidates" in client.get("/models/").content.decode()


def test_renaming_tells_who_came_second_and_deleting_leaves_the_models(group: ModelGroup, owner: User):
    client = client_of(owner)
    address = f"/groups/{group.pk}/rename/"
    assert send(client, address, {"name": "First", "edition": "1"}).status_code == 302
    refused = send(client, address, {"name": "Second", "edition": "1"})
    assert (refused.status_code, "“First”" in refused.content.decode()) == (422, True)
    create_group(actor=ACTOR, user=owner, name="Taken")
    assert "another one of that name" in send(client, address, {"name": "Taken", "edition": "2"}).content.decode()
    assert "The models of the group stay." in client.get(f"/groups/{group.pk}/delete/").content.decode()
    send(client, f"/groups/{group.pk}/delete/")
    assert Model.objects.count() == 2
    assert not ModelGroup.objects.filter(name="First").exists()


def test_a_model_is_put_into_a_group_from_its_page(group: ModelGroup, model: Model, owner: User):
    client = client_of(owner)
    send(client, "/models/toxicity/groups/", {"action": f"remove:{group.pk}"}, form="/models/toxicity/")
    assert get_group(owner, group.pk).model_count == 1
    send(client, "/models/toxicity/groups/", {"action": f"add:{group.pk}"}, form="/models/toxicity/")
    assert get_group(owner, group.pk).model_count == 2


def test_selected_models_are_named_before_they_are_deleted_and_others_stay(model: Model, owner: User):
    mine = make_model("second", owner=owner)
    foreign = make_model("foreign")
    publish(foreign)
    concealed = make_model("concealed")
    client = client_of(owner)
    data = {"model": [model.pk, mine.pk, foreign.pk, concealed.pk], "action": "delete", "back": "sort=name"}
    asked = send(client, "/model-selection/", data, form="/models/")
    html = client.get(asked.url).content.decode()
    assert "Delete 2 models?" in html
    assert "version v1.0.0 (created)" in html
    assert "you do not own it" in html
    assert "concealed" not in html
    done = send(client, asked.url)
    assert done.url == "/models/?sort=name"
    assert set(Model.objects.values_list("name", flat=True)) == {"foreign", "concealed"}
    assert "2 models are deleted." in client.get(done.url).content.decode()


def test_nothing_selected_is_said(owner: User):
    client = client_of(owner)
    answer = send(client, "/model-selection/", {"action": "delete"}, form="/models/")
    assert "No model is selected" in client.get(answer.url).content.decode()


def test_an_empty_group_says_what_to_do_and_hidden_rows_are_counted(group: ModelGroup, owner: User):
    empty = create_group(actor=ACTOR, user=owner, name="Empty")
    assert "choose Add to group" in page(owner, f"/models/?group={empty.pk}")
    put(Revision.objects.filter(model__name="second"), status="verifyFailed")
    html = page(owner, f"/models/?group={group.pk}")
    assert "1 model " in html
    assert "1 more failed" in html
