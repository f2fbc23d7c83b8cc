from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import User
from mop.accounts.rules import authorise
from mop.errors import (
    BlockingFindingsError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    UserScriptException,
)
from mop.loadtest.jobs import begin, conclude
from mop.registry.advance import advance
from mop.registry.listing import ModelList, ModelQuery, get_listed_model
from mop.registry.models import Model, Revision
from mop.registry.selectors import (
    get_model,
    get_owner,
    get_revision,
    get_revision_by_id,
    visible_revisions,
)
from mop.registry.services import create_revision, retry_revision
from mop.registry.statuses import PublishStatus, RevisionStatus
from support.api import Api
from support.browsing import client_of
from support.factories import ACTOR, make_model, make_revision_input, make_team, make_token, make_user, publish, put
from support.load_tests import enabled

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def names(user: User, **given: object) -> list[str]:
    page = ModelList(user, ModelQuery(**given)).page(cursor="", size=50)
    return [row.model.name for row in page.rows]


def test_a_private_model_is_seen_by_its_owners_and_administrators_only():
    team = make_team()
    owner, colleague, administrator = (
        make_user(teams=(team,)),
        make_user(teams=(team,)),
        make_user(is_administrator=True),
    )
    model = make_model(owner=owner, team=team)
    revision = model.revisions.get()
    for user in (owner, administrator):
        assert get_model(user, model.name) == get_listed_model(user, model.name).model == model
        assert get_revision(user, model.name, "v1.0.0") == get_revision_by_id(user, revision.pk) == revision
    for user in (colleague, make_user()):
        for ask in (
            lambda user=user: get_model(user, model.name),
            lambda user=user: get_listed_model(user, model.name),
            lambda user=user: get_revision(user, model.name, "v1.0.0"),
            lambda user=user: get_revision_by_id(user, revision.pk),
        ):
            with pytest.raises(NotFoundError):
                ask()


def test_of_a_public_model_others_see_the_public_versions_only():
    model, other = make_model(), make_user()
    publish(model)
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    assert [row.version for row in visible_revisions(other)] == ["v1.0.0"]
    assert get_listed_model(other, model.name).newest_version == "v1.0.0"
    assert get_listed_model(model.created_by, model.name).newest_version == "v2"
    with pytest.raises(NotFoundError):
        get_revision(other, model.name, "v2")


def test_the_list_hides_what_is_outdated_or_failed_unless_asked():
    user = make_user()
    for status in ("created", "verified", "verifyFailed", "outdated"):
        model = make_model(status, owner=user)
        put(Revision.objects.filter(model=model), status=status)
    assert names(user) == ["created", "verified"]
    assert names(user, status="all") == ["created", "outdated", "verified", "verifyFailed"]
    assert names(user, status="verifyFailed") == ["verifyFailed"]


def test_a_model_stays_in_the_list_while_any_version_is_alive():
    user = make_user()
    model = make_model(owner=user)
    put(Revision.objects.filter(model=model), status="verified")
    create_revision(actor=ACTOR, user=user, model=model, revision=make_revision_input("v2"))
    put(Revision.objects.filter(version="v2"), status="verifyFailed")
    assert names(user) == [model.name]
    assert get_listed_model(user, model.name).newest_status == "verifyFailed"


def test_search_owned_and_sort():
    ada, bob = make_user("ada"), make_user("bob")
    make_model("alpha", owner=bob)
    make_model("beta", owner=ada)
    make_model("gamma", owner=ada)
    Model.objects.filter(name="gamma").update(description="finds ALPHA particles")
    put(Revision.objects.all(), publish_status=PublishStatus.PUBLIC)
    assert names(ada, search="lpha") == ["alpha", "gamma"]
    assert names(ada, group="mine") == ["beta", "gamma"]
    assert names(ada, sort="-name") == ["gamma", "beta", "alpha"]
    assert names(ada, sort="team") == ["beta", "gamma", "alpha"]
    assert names(ada, sort="-created") == ["gamma", "beta", "alpha"]
    assert names(ada, sort="nonsense") == ["alpha", "beta", "gamma"]


def test_an_owner_is_found_by_name_and_nobody_else_is():
    model = make_model()
    assert get_owner(model, model.created_by.username) == model.created_by
    with pytest.raises(NotFoundError):
        get_owner(model, make_user().username)


def test_being_administrator_gives_sight_and_the_choice_of_owners_but_not_the_owners_rights():
    administrator, model = make_user(is_administrator=True), make_model()
    revision = model.revisions.get()
    for permission in ("registry.view_model", "registry.view_logs", "registry.change_owners"):
        authorise(administrator, permission, model, what="look")
    for permission, thing in (
        ("registry.change_model", model),
        ("registry.delete_model", model),
        ("registry.create_revision", model),
        ("registry.change_revision", revision),
        ("registry.delete_revision", revision),
    ):
        with pytest.raises(NotAllowedError):
            authorise(administrator, permission, thing, what="change")
        authorise(model.created_by, permission, thing, what="change")


def test_nobody_is_asked_to_sign_in_first():
    with pytest.raises(NotAuthenticatedError):
        authorise(AnonymousUser(), "registry.view_model", make_model(), what="look")


def test_why_a_version_failed_is_told_in_the_words_of_its_code_to_those_alone_who_read_its_logs():
    model, stranger = make_model(), make_user()
    revision = model.revisions.get()
    raised = UserScriptException("KeyError: 'of the code'", hint="of the code", place="src/of_the_code.py:3")
    found = BlockingFindingsError("1 finding blocks. of the code", place="model/of_the_code.pkl", also=["of the code"])

    def enter(to: RevisionStatus, **more: Any) -> None:
        attempt = Revision.objects.get(pk=revision.pk).attempt
        advance(revision_id=revision.pk, attempt=attempt, to=to, actor=ACTOR, **more)

    enter(RevisionStatus.VERIFY_FAILED, error=raised)
    retry_revision(actor=ACTOR, revision=revision)
    put(Revision.objects.filter(pk=revision.pk), status=RevisionStatus.VERIFIED, publish_status=PublishStatus.PUBLIC)
    test = enabled(revision)
    begin(test.pk)
    conclude(str(test.pk), error=raised)
    enter(RevisionStatus.VULNERABLE, error=found)
    path = f"/models/{model.name}/revisions"
    for place in (path, f"{path}/v1.0.0", f"{path}/v1.0.0/events", f"{path}/v1.0.0/load-test"):
        whole, told = (Api(token=make_token(user)).get(place).content.decode() for user in (model.created_by, stranger))
        assert "of the code" in whole
        assert "of the code" not in told
        assert "of_the_code" not in told
    told = Api(token=make_token(stranger)).get(f"{path}/v1.0.0").json()["error"]
    assert (told["name"], told["message"]) == ("BlockingFindingsError", "Findings of the scan block this version.")
    for page in ("?details=v1.0.0", "?load-test=v1.0.0"):
        whole, told = (
            client_of(user).get(f"/models/{model.name}/{page}").content.decode()
            for user in (model.created_by, stranger)
        )
        assert "of the code" in whole
        assert "of the code" not in told
        assert "of_the_code" not in told
    assert (
        "of the code"
        not in client_of(stranger).get(f"/models/{model.name}/versions/v1.0.0/load-test/json").content.decode()
    )
