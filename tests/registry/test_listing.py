"""The list of models: its filters, orders and pages, what is counted, and that many or few rows give the same."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.registry import listing
from mop.registry.editing import change_model
from mop.registry.groups import add_to_group, create_group
from mop.registry.listing import MINE, ModelList, ModelQuery
from mop.registry.models import Model, Revision
from mop.registry.services import add_owner, create_revision, remove_owner
from support.factories import ACTOR, make_model, make_revision_input, make_task, make_team, make_user, publish, put

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def names(user: User, *, cursor: str = "", size: int = 50, **given: str) -> list[str]:
    return [row.model.name for row in ModelList(user, ModelQuery(**given)).page(cursor=cursor, size=size).rows]


def walk(user: User, *, size: int, **given: str) -> list[str]:
    """Every name, page by page forward; going back from the last page must give the same."""
    listed = ModelList(user, ModelQuery(**given))
    page = listed.page(cursor="", size=size)
    pages = [page]
    while page.following:
        page = listed.page(cursor=page.following, size=size)
        pages.append(page)
    back = [page]
    while page.previous:
        page = listed.page(cursor=page.previous, size=size)
        back.append(page)
    found = [[row.model.name for row in page.rows] for page in pages]
    assert [[row.model.name for row in page.rows] for page in reversed(back)] == found
    return [name for page in found for name in page]


@pytest.fixture
def mixed() -> tuple[User, list[str]]:
    """A user with two own models among three public ones and one that they may not see."""
    user, task = make_user(), make_task()
    for name, owner in (("A-1", user), ("a1", None), ("a-2", None), ("B_1", user), ("b2", None), ("hidden", None)):
        model = make_model(name, owner=owner, tasks=(task,))
        if name != "hidden" and owner is None:
            publish(model)
    return user, ["A-1", "B_1", "a-2", "a1", "b2"]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@pytest.mark.parametrize("sort", ["name", "-name", "created", "-created", "updated", "-updated", "team", "status"])
def test_pages_of_own_and_public_models_are_one_list(sort: str, size: int, mixed: tuple[User, list[str]]):
    user, expected = mixed
    found = walk(user, size=size, sort=sort)
    assert sorted(found) == sorted(expected)
    assert len(found) == len(set(found))
    if sort == "created":
        assert found == ["A-1", "a1", "a-2", "B_1", "b2"]
    assert found == names(user, sort=sort)


def test_mine_are_the_models_that_somebody_created_or_owns():
    user, other = make_user(), make_user()
    created, owned, foreign = make_model("created", owner=user), make_model("owned"), make_model("foreign")
    add_owner(actor=ACTOR, model=owned, user=user)
    add_owner(actor=ACTOR, model=created, user=other)
    remove_owner(actor=ACTOR, model=created, user=user)
    publish(foreign)
    assert names(user, group=MINE) == ["owned"]  # the created one is another's, and private
    publish(created)
    assert names(user, group=MINE) == ["created", "owned"]


def test_what_is_shown_of_a_model_depends_on_who_looks():
    model, other = make_model(), make_user()
    put(Revision.objects.filter(model=model), status="verified", publish_status="public")
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    (mine,) = ModelList(model.created_by, ModelQuery()).page(cursor="", size=5).rows
    (theirs,) = ModelList(other, ModelQuery()).page(cursor="", size=5).rows
    assert (mine.newest_version, mine.newest_status) == ("v2", "created")
    assert (mine.usable_version, mine.usable_publish_status) == ("v1.0.0", "public")
    assert (theirs.newest_version, theirs.newest_status) == ("v1.0.0", "verified")
    assert names(other, status="created") == []
    assert names(other, status="verified") == names(model.created_by, status="running") == [model.name]
    assert mine.updated_at > theirs.updated_at


@pytest.fixture(params=[1000, 0], ids=["few", "many"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many models a filter may pass to become a list of ids: all of the test's, or none."""
    monkeypatch.setattr(listing, "FEW", request.param)
    return int(request.param)


def test_filters_by_search_task_team_tag_and_group(few: int):
    user = make_user()
    team, hate, violence = make_team("red"), make_task(), make_task(taxonomy="Violence")
    first = make_model("toxic-text", owner=user, tasks=(hate,), team=team)
    second = make_model("gore", owner=user, tasks=(violence,))
    make_model("plain", owner=user, tasks=(hate, violence))
    change_model(actor=ACTOR, model=second, description='Finds TOXIC pictures, 100% "quoted"', tags=["image", "slow"])
    change_model(actor=ACTOR, model=first, tags=["text"])
    group = create_group(actor=ACTOR, user=user, name="g")
    add_to_group(group=group, models=[first, second])
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({"search": "toxic"}, ["gore", "toxic-text"]),
        ({"search": "xt"}, ["toxic-text"]),
        ({"search": "0%"}, ["gore"]),
        ({"search": '"quoted"'}, ["gore"]),
        ({"search": "TOXIC-t"}, ["toxic-text"]),
        ({"search": "toxic AND pictures"}, []),
        ({"search": "a\0b"}, []),
        ({"task": hate.name}, ["plain", "toxic-text"]),
        ({"task": "none"}, []),
        ({"team": "red"}, ["toxic-text"]),
        ({"tag": "slow"}, ["gore"]),
        ({"group": str(group.pk)}, ["gore", "toxic-text"]),
        ({"group": str(group.pk), "task": hate.name, "search": "tox"}, ["toxic-text"]),
    ]
    for asked, expected in cases:
        assert names(user, **asked) == expected, asked
    assert names(make_user(), group=str(group.pk)) == []


def test_the_index_follows_what_is_written():
    user = make_user()
    model = make_model("before-the-change", owner=user)
    assert names(user, search="the-chan") == ["before-the-change"]
    change_model(actor=ACTOR, model=model, description="quokka")
    assert names(user, search="uokk") == ["before-the-change"]
    change_model(actor=ACTOR, model=model, description="wombat")
    assert names(user, search="uokk") == []
    Model.objects.filter(pk=model.pk).delete()
    assert names(user, search="omba") == []


def test_what_the_default_leaves_out_is_counted_and_what_one_may_not_see_is_not():
    user, owner = make_user(), make_user()
    for name, status, whose in (
        ("good", "verified", user),
        ("bad", "verifyFailed", user),
        ("worse", "verifyFailed", user),
        ("old", "outdated", user),
        ("private-bad", "verifyFailed", owner),
    ):
        put(Revision.objects.filter(model=make_model(name, owner=whose)), status=status)
    counts = ModelList(user, ModelQuery()).counts()
    assert (counts.total, counts.total_is_more, counts.hidden) == (1, False, {"verifyFailed": 2, "outdated": 1})
    assert ModelList(user, ModelQuery(search="bad")).counts().hidden == {"verifyFailed": 1}
    everything = ModelList(user, ModelQuery(status="all")).counts()
    assert (everything.total, everything.hidden) == (4, {})
    publish(Model.objects.get(name="private-bad"))
    assert ModelList(user, ModelQuery()).counts().hidden == {"verifyFailed": 3, "outdated": 1}


def test_counting_stops_at_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "COUNT_MAX", 2)
    user, task = make_user(), make_task()
    for _ in range(2):
        make_model(owner=user, tasks=(task,))
    assert not ModelList(user, ModelQuery()).counts().total_is_more
    make_model(owner=user, tasks=(task,))
    counts = ModelList(user, ModelQuery()).counts()
    assert (counts.total, counts.total_is_more) == (2, True)


@pytest.mark.parametrize("count", [1, 6])
def test_a_page_takes_a_fixed_number_of_queries(count: int, django_assert_num_queries: Callable[[int], object]):
    user, task = make_user(), make_task()
    for _ in range(count):
        make_model(owner=user, tasks=(task,))
    with django_assert_num_queries(5):  # ids that pass, keys of the page, models, owners, tasks
        for row in ModelList(user, ModelQuery()).page(cursor="", size=50).rows:
            assert [owner.username for owner in row.model.owners.all()]
            assert [f"{item.task.name} {item.taxonomy.name}" for item in row.model.connections.all()]
            assert row.model.team.name


def test_a_page_of_an_ordered_list_reads_an_index_and_sorts_nothing():
    """What keeps the list as fast with 100,000 models: the plan walks an index of the order, it does not sort."""
    user = make_user(is_administrator=True)
    make_model(owner=user)
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort") if connection.vendor == "postgresql" else ():
            cursor.execute(f"SET LOCAL enable_{way} = off")  # a table of one row is read whole otherwise
    for sort in ("name", "-updated", "-created"):
        with CaptureQueriesContext(connection) as queries:
            ModelList(user, ModelQuery(sort=sort)).page(cursor="", size=5)
        keys = next(query["sql"] for query in queries if "AS part" in query["sql"])
        inner = keys[keys.index("(") + 1 : keys.rindex(") t")]
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {inner}")
            plan = " ".join(str(row[-1]) for row in cursor.fetchall()).upper()
        assert "INDEX" in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        # an incremental sort orders ties of what the index gives
        assert not re.search(r"(?<!INCREMENTAL )SORT +\(", plan), plan
