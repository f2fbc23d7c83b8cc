"""Who reads content, what a search finds for whom, near duplicates, and what is left after a deletion."""

from __future__ import annotations

import datetime as dt
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from mop.accounts.belongings import hand_over
from mop.accounts.models import User
from mop.accounts.services import actor_of, change_access
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.dsat import retention, services
from mop.dsat.access import grant_self, withdraw
from mop.dsat.deletion import DELETION_HOOKS, delete_case
from mop.dsat.models import Case, CaseContent, CaseTerm, Comment
from mop.dsat.reading import may_read_content, reader
from mop.dsat.retention import expire
from mop.dsat.selectors import CaseFilter, cases_for_list, grants_of, similar_cases
from mop.dsat.services import CaseChange, add_comment, change_case
from mop.notifications.models import Notification
from support.dsat import TEXT, let_team_read, make_case, picture
from support.factories import ACTOR, make_model, make_task, make_team, make_user

pytestmark = pytest.mark.django_db


@dataclass
class People:
    """A case, and a person in every relation to it."""

    task: Task
    case: Case
    by_role: dict[str, User]


@pytest.fixture
def people() -> People:
    task = make_task("hate", owners=[owner := make_user("owner")])
    case = make_case(task, submitter=make_user("submitter"), tags=["food"], trace_id="trace-7")
    services.assign(actor=ACTOR, case=case, to=make_user("assignee"))
    let_team_read(task, member := make_user("member"), team=make_team("readers"))
    make_model(owner=(model_owner := make_user("model-owner")), tasks=(task,))
    by_role = {
        "submitter": User.objects.get(username="submitter"),
        "assignee": User.objects.get(username="assignee"),
        "task owner": owner,
        "granted team": member,
        "model owner": model_owner,
        "administrator": make_user("administrator", is_administrator=True),
        "stranger": make_user("stranger"),
    }
    case.refresh_from_db()
    return People(task, case, by_role)


EVERYBODY = {"submitter", "assignee", "task owner", "granted team"}


def _readers(people: People) -> set[str]:
    one_by_one = {role for role, user in people.by_role.items() if may_read_content(user, people.case)}
    in_queries = {
        role
        for role, user in people.by_role.items()
        if Case.objects.filter(reader(user).readable, pk=people.case.pk).exists()
    }
    assert one_by_one == in_queries
    return one_by_one


def _finders(people: People, **wanted: str) -> set[str]:
    return {
        role for role, user in people.by_role.items() if cases_for_list(CaseFilter(**wanted), reader(user))[0].exists()
    }


def test_people_on_the_case_task_owners_and_granted_teams_read_content(people: People) -> None:
    assert _readers(people) == EVERYBODY


def test_a_restricted_case_is_read_by_the_people_on_it_alone(people: People) -> None:
    services.restrict(actor=ACTOR, case=people.case, is_restricted=True)
    people.case.refresh_from_db()
    assert _readers(people) == {"submitter", "assignee"}


def test_a_grant_that_is_withdrawn_ends_at_once(people: People) -> None:
    withdraw(actor=ACTOR, task=people.task, grant_id=grants_of(people.task).get().pk)
    assert _readers(people) == EVERYBODY - {"granted team"}


def test_an_administrator_reads_after_taking_the_right_and_not_restricted_cases(people: People) -> None:
    administrator = people.by_role["administrator"]
    grant_self(actor=actor_of(administrator), task=people.task, administrator=administrator)
    assert _readers(people) == EVERYBODY | {"administrator"}
    services.restrict(actor=ACTOR, case=people.case, is_restricted=True)
    people.case.refresh_from_db()
    assert "administrator" not in _readers(people)


def test_the_right_that_an_administrator_took_ends_with_the_role(people: People) -> None:
    administrator = people.by_role["administrator"]
    grant_self(actor=actor_of(administrator), task=people.task, administrator=administrator)
    make_user("another", is_administrator=True)
    change_access(actor=ACTOR, user=administrator, is_active=True, is_administrator=False)
    assert _readers(people) == EVERYBODY
    assert _finders(people, search="lasagne") == EVERYBODY


def test_who_takes_over_what_a_leaver_had_reads_no_restricted_case(people: People) -> None:
    leaver, administrator = people.by_role["assignee"], people.by_role["administrator"]
    services.restrict(actor=ACTOR, case=people.case, is_restricted=True)
    plain = make_case(people.task)
    services.assign(actor=ACTOR, case=plain, to=leaver)
    assert hand_over(actor=actor_of(administrator), user=leaver, to=administrator) == 1
    people.case.refresh_from_db()
    assert _readers(people) == {"submitter", "assignee"}
    plain.refresh_from_db()
    assert plain.assignee == administrator


@pytest.mark.parametrize(
    "wanted", [{"search": "lasagne"}, {"search": "plate LASAGNE"}, {"tag": "food"}, {"trace_id": "trace-7"}]
)
def test_content_tags_and_trace_id_are_found_by_readers_alone(people: People, wanted: dict[str, str]) -> None:
    assert _finders(people, **wanted) == EVERYBODY


def test_a_trace_id_without_a_word_is_found_by_readers_alone(people: People) -> None:
    change_case(actor=ACTOR, case=people.case, change=CaseChange(trace_id="--/--"))
    assert _finders(people, trace_id="--/--") == EVERYBODY


def test_what_people_wrote_of_a_case_is_found_however_long_its_text_is(people: People) -> None:
    words = " ".join(f"a{number:x}" for number in range(3_000))
    case = make_case(people.task, text=words, trace_id="zulu-7", tags=["zebra"], description="zoology")
    owner = reader(people.by_role["task owner"])
    for wanted in ({"trace_id": "zulu-7"}, {"search": "zebra"}, {"search": "zoology"}, {"search": "a1"}):
        assert list(cases_for_list(CaseFilter(**wanted), owner)[0]) == [case], wanted


def test_a_number_is_narrowed_by_the_other_filters(people: People) -> None:
    number = people.case.number
    assert _finders(people, search=number, tag="food") == EVERYBODY
    for wanted in ({"tag": "drink"}, {"trace_id": "trace-8"}, {"state": "open"}):
        assert _finders(people, search=number, **wanted) == set(), wanted


def test_facts_are_found_by_everybody(people: People) -> None:
    for wanted in ({"search": people.case.number}, {"task": "hate"}, {"state": "assigned"}, {"assignee": "assignee"}):
        assert _finders(people, **wanted) == set(people.by_role)


@pytest.mark.parametrize("wanted", [{"search": "pasta"}, {"search": "!!"}, {"search": "lasagne pasta"}, {"tag": "foo"}])
def test_what_stands_nowhere_is_not_found(people: People, wanted: dict[str, str]) -> None:
    assert _finders(people, **wanted) == set()


def test_every_word_of_a_long_search_counts(people: People) -> None:
    words = [f"longer-word-{number}-of-many"[: 12 + number] for number in range(14)]
    case = make_case(people.task, text=" ".join(["up", *words]), tags=["long"])
    owner = reader(people.by_role["task owner"])
    for text, found in ((["up", *words], [case]), (["no", *words], []), ([*words, words[0] + "x"], [])):
        for tag in ("", "long"):
            rows, field = cases_for_list(CaseFilter(search=" ".join(text), tag=tag), owner)
            assert list(rows.order_by(f"-{field}")) == found, (text, tag)


def test_new_words_are_found_and_old_ones_no_more(people: People) -> None:
    change_case(actor=ACTOR, case=people.case, change=CaseChange(tags=["idiom"], description="a figure of speech"))
    owner = reader(people.by_role["task owner"])
    found = {
        word: cases_for_list(CaseFilter(search=word), owner)[0].exists()
        for word in ("idiom", "figure", "food", "plate")
    }
    assert found == {"idiom": True, "figure": True, "food": False, "plate": True}


def test_near_duplicates_are_pointed_out_to_those_who_may_read_them(people: People) -> None:
    near = make_case(people.task, text=TEXT.replace("second", "third"))
    make_case(people.task, text="The weather report spoke of a bomb cyclone over the Atlantic.")
    hidden = make_case(make_task("violence"), text=TEXT.upper())
    found = {
        role: [one.case for one in similar_cases(people.case, reader(user))] for role, user in people.by_role.items()
    }
    assert found["task owner"] == found["granted team"] == [near]
    assert found["submitter"] == found["stranger"] == found["administrator"] == []
    assert [one.case for one in similar_cases(people.case, reader(hidden.submitter))] == [hidden]  # type: ignore[arg-type]
    (one,) = similar_cases(people.case, reader(people.by_role["task owner"]))
    assert 0.7 <= one.similarity < 1


def test_equal_images_are_near_duplicates() -> None:
    task = make_task(modality="Image", owners=[owner := make_user()])
    first, same = (make_case(task, content={"image": picture()}) for _ in range(2))
    make_case(task, content={"image": picture("blue")})
    assert [one.case for one in similar_cases(first, reader(owner))] == [same]


def test_a_deleted_case_leaves_nothing_but_its_number_in_the_audit_log(people: People) -> None:
    add_comment(actor=ACTOR, case=people.case, author=people.by_role["submitter"], text="about the lasagne")
    told: list[int] = []
    DELETION_HOOKS.append(told.extend)
    try:
        delete_case(actor=ACTOR, case=people.case)
    finally:
        DELETION_HOOKS.remove(told.extend)
    assert told == [people.case.pk]
    for table in (Case, CaseContent, CaseTerm, Comment):
        assert table._default_manager.count() == 0
    assert not Notification.objects.filter(scope_type="dsat case").exists()
    for row in _all_rows():
        assert "lasagne" not in row
        assert "trace-7" not in row


def test_cases_that_nobody_changed_for_long_go_as_if_they_were_deleted(
    people: People, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    settings.MOP_DSAT_RETENTION_DAYS = 30
    olds = [people.case, *(make_case(people.task, text=f"lasagne number {number}") for number in range(4))]
    kept, said = make_case(people.task, text="pasta"), make_case(people.task, text="pesto")
    long_ago = timezone.now() - dt.timedelta(days=31)
    Case.objects.exclude(pk=kept.pk).update(changed_at=long_ago)
    add_comment(actor=ACTOR, case=said, author=said.submitter, text="still true")  # type: ignore[arg-type]
    assert expire() == len(olds)
    assert set(Case.objects.all()) == {kept, said}
    assert not any("lasagne" in row or "trace-7" in row for row in _all_rows())
    expired = AuditEvent.objects.filter(action="dsat_case.expired").values_list("object_id", flat=True)
    assert set(expired) == {str(case.pk) for case in olds}
    Case.objects.update(changed_at=long_ago)
    settings.MOP_DSAT_RETENTION_DAYS = 0  # for ever
    assert expire() == 0


def test_sqlite_overwrites_what_is_deleted(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL frees the space with its next VACUUM")
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert "secure_delete=ON" in settings.DATABASES["default"]["OPTIONS"]["init_command"]
    database = sqlite3.connect(tmp_path / "one.db", isolation_level=None)
    database.execute("PRAGMA secure_delete=ON")
    database.execute("CREATE TABLE one (body BLOB)")
    database.execute("INSERT INTO one VALUES (?)", [TEXT.encode()])
    assert TEXT.encode() in (tmp_path / "one.db").read_bytes()
    database.execute("DELETE FROM one")
    assert TEXT.encode() not in (tmp_path / "one.db").read_bytes()


def _similar(case: Case, user: User) -> list[Case]:
    return [one.case for one in similar_cases(case, reader(user))]


def _all_rows() -> list[str]:
    rows: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a table of the database
            rows.extend(" ".join(_readable(value) for value in row) for row in cursor.fetchall())
    return rows


def _readable(value: object) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
