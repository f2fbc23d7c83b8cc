"""Regression tests in portal and API, and who is shown what of the cases."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.dsat.models import Case
from mop.dsat.services import assign
from mop.registry.models import Model
from mop.regression.advance import REGRESSION
from mop.regression.models import RegressionRun
from mop.regression.services import start
from regression.made import SECRET, knows, made_case
from support.api import Api
from support.case_runs import begun, finished
from support.evaluation_results import add_version, verified
from support.factories import ACTOR, make_model, make_task, make_token, make_user, publish, put

pytestmark = pytest.mark.django_db
TRACE = "trace-4711"


@pytest.fixture
def task() -> Task:
    return make_task("hate severity", owners=[make_user("task-owner")])


@pytest.fixture
def model(task: Task) -> Model:
    """A public model of two versions: the second fixes a case, breaks another, and fails a third like the first."""
    made = make_model("measured", owner=make_user("model-owner"), tasks=(task,))
    submitter = make_user("submitter")
    for text, label in (("bad one", "1"), ("ugly one", "1"), ("nice one", "1"), ("good one", "0")):
        made_case(
            task,
            f"{text} {SECRET}",
            submitter=submitter,
            expected_label=label,
            description=f"described {SECRET}",
            trace_id=TRACE,
            tags=["slang"],
        )
    for revision, word in ((verified(made.revisions.get()), "bad"), (add_version(made, "v2"), "ugly")):
        run = start(actor=ACTOR, revision=revision)
        assert run is not None
        finished(REGRESSION, run, knows(word))
    publish(made)
    return made


def api_of(user: User) -> Api:
    return Api(token=make_token(user))


def page(user: User, address: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


def test_the_api_gives_rates_by_task_what_changed_and_every_case(model: Model, task: Task):
    api = api_of(make_user())
    found = api.get("/models/measured/revisions/v2/regression").json()
    assert (found["status"], found["cases"], found["passed"], found["failed"]) == ("finished", 4, 2, 2)
    assert [(one["task"], one["cases"], one["pass_rate"]) for one in found["tasks"]] == [(task.name, 4, 0.5)]
    compared = found["comparison"]
    assert (compared["version"], compared["fixed"], compared["broken"]) == ("v1.0.0", 1, 1)
    assert api.get("/models/measured/revisions/v1.0.0/regression").json()["comparison"] is None
    forward = api.get("/models/measured/revisions/v1.0.0/regression", **{"with": "v2"}).json()["comparison"]
    assert (forward["version"], forward["fixed"]) == ("v2", 1)
    first = api.get("/models/measured/revisions/v2/regression/cases", limit=3).json()
    rest = api.get("/models/measured/revisions/v2/regression/cases", after=first["next_after"]).json()
    assert rest["next_after"] is None
    assert api.get("/models/measured/revisions/v2/regression/cases", after=2**63).status_code == 422
    assert [one["change"] for one in first["items"] + rest["items"]] == [
        "passes",
        "still failing",
        "newly fixed",
        "newly broken",
    ]
    only = api.get("/models/measured/revisions/v2/regression/cases", change="newly broken").json()["items"]
    assert [(one["expected"], one["predicted"], one["before"], one["passed"]) for one in only] == [
        ("1", "0", "1", False)
    ]


def test_a_version_without_a_test_is_not_found_and_says_what_to_do(model: Model):
    add_version(model, "v3")
    answer = api_of(model.created_by).get("/models/measured/revisions/v3/regression")
    assert answer.status_code == 404
    assert "no regression test yet" in answer.json()["message"]
    assert api_of(make_user()).get("/models/measured/revisions/v3/regression").status_code == 404


def test_content_and_what_people_wrote_is_shown_to_those_alone_who_read_the_case(model: Model, task: Task):
    helper = make_user("assignee")
    assign(actor=ACTOR, case=Case.objects.order_by("pk").first(), to=helper)
    people = {name: User.objects.get(username=name) for name in ("submitter", "task-owner", "model-owner", "assignee")}
    people |= {"stranger": make_user(), "administrator": make_user(is_administrator=True)}
    tab = reverse("regression:model", args=["measured"])
    csv = reverse("regression:download", args=["measured", "v2"])
    settle = reverse("regression:fixed", args=["measured", "v2"])
    places = [tab, csv, settle, reverse("registry:model", args=["measured"])]
    addresses = [f"/models/measured/revisions/v2/regression{part}" for part in ("", "/cases")]
    seen = {}
    for name, user in people.items():
        api = api_of(user)
        shown = {address for address in places if SECRET in page(user, address)}
        shown |= {address for address in addresses if SECRET in api.get(address).content.decode()}
        seen[name] = shown
        assert "bad one" not in page(user, tab)  # the content itself is read at the case alone
    assert seen == {
        "submitter": {tab},
        "task-owner": {tab},
        "assignee": {tab},  # of their case
        "model-owner": set(),
        "stranger": set(),
        "administrator": set(),
    }


def test_the_page_of_a_case_shows_what_versions_answered_to_those_who_see_the_versions(model: Model, task: Task):
    case = Case.objects.order_by("pk").first()
    shown = page(make_user(), reverse("dsat:case", args=[case.pk]))
    assert shown.index("measured v2</a>") < shown.index("measured v1.0.0</a>")
    assert shown.index("fails</span>") < shown.index("passes</span>")  # the second version broke it
    put(model.revisions.all(), publish_status="private")
    assert "No version that you see" in page(make_user(), reverse("dsat:case", args=[case.pk]))
    assert "measured v2</a>" in page(model.created_by, reverse("dsat:case", args=[case.pk]))


def test_trace_ids_and_tags_find_cases_for_their_readers_alone(model: Model):
    tab = reverse("regression:model", args=["measured"])
    number = Case.objects.order_by("pk").first().number
    for search in (TRACE, "slang"):
        found = page(User.objects.get(username="submitter"), f"{tab}?search={search}")
        assert f"{number}<" in found
        assert "No case matches" in page(model.created_by, f"{tab}?search={search}")
    assert f"{number}<" in page(model.created_by, f"{tab}?search={number}")


def test_the_tab_shows_numbers_first_and_what_changed_on_top(model: Model):
    shown = page(make_user(), reverse("regression:model", args=["measured"]))
    assert "Pass rate, v2" in shown
    assert "50.0 %" in shown
    assert "Against v1.0.0" in shown
    assert "All 4 · Newly broken 1 · Newly fixed 1 · Failing 2" in shown
    assert shown.index("newly broken</span>") < shown.index("newly fixed</span>") < shown.index("still failing</span>")
    narrowed = page(
        make_user(), reverse("regression:model", args=["measured"]) + "?change=fixed&with=v1.0.0&version=v2"
    )
    assert "1 – 1 of 1" in narrowed  # noqa: RUF001 - as the page writes it
    assert "newly broken</span>" not in narrowed
    older = page(make_user(), reverse("regression:model", args=["measured"]) + "?version=v1.0.0")
    assert "Pass rate, v1.0.0" in older
    assert "Against" not in older


def test_history_and_head_of_the_model_show_the_pass_rate(model: Model):
    shown = page(model.created_by, reverse("registry:model", args=["measured"]))
    assert "regression test of v2" in shown
    assert "2 of 4" in shown


def test_states_without_a_result_are_shown(task: Task):
    made = make_model("fresh", owner=make_user("owner"), tasks=(task,))
    tab = reverse("regression:model", args=["fresh"])
    assert "No version is usable yet" in page(made.created_by, tab)
    revision = verified(made.revisions.get())
    assert "Not tested yet" in page(made.created_by, tab)
    start(actor=ACTOR, revision=revision)
    assert "It waits until a worker host is free" in page(made.created_by, tab)
    run = RegressionRun.objects.get()
    begun(REGRESSION, run)
    assert "0 % answered" in page(made.created_by, tab)
    finished(REGRESSION, run, knows())
    assert "0 cases" in page(made.created_by, tab)


def test_a_test_is_run_and_cancelled_after_a_question(model: Model):
    client = Client()
    client.force_login(model.created_by)
    for action, told in (
        ("run", "The regression test waits for a host."),
        ("cancel", "The regression test is cancelled."),
    ):
        address = reverse(f"regression:{action}", args=["measured", "v2"])
        assert client.get(address).status_code == 200
        assert told in client.post(address, follow=True).content.decode()


def test_cases_are_marked_as_fixed_and_closed_from_the_tab_and_over_the_api(model: Model, task: Task):
    owner = task.owners.get()
    client = Client()
    client.force_login(owner)
    tab = reverse("regression:model", args=["measured"])
    assert "Mark 2 as fixed…" in client.get(tab).content.decode()
    asked = client.get(reverse("regression:fixed", args=["measured", "v2"])).content.decode()
    assert "Mark 2 cases" in asked
    answer = client.post(reverse("regression:fixed", args=["measured", "v2"]), follow=True)
    assert "2 cases are fixed." in answer.content.decode()
    assert "Close 2…" in answer.content.decode()
    api = api_of(User.objects.get(username="submitter"))
    assert api.post("/models/measured/revisions/v2/regression/fixed", {"cases": None}).json() == {"cases": []}
    closed = api.post("/models/measured/revisions/v2/regression/closed", {"cases": None}).json()["cases"]
    assert set(closed) == set(Case.objects.filter(state="closed").values_list("pk", flat=True))
    assert len(closed) == 2
    refused = api.post("/models/measured/revisions/v2/regression/closed", {"cases": closed})
    assert refused.status_code == 409


def test_the_file_has_every_case_and_no_formula(model: Model):
    task = model.connections.get().task
    Task.objects.filter(pk=task.pk).update(name="=1+1")
    lines = page(model.created_by, reverse("regression:download", args=["measured", "v2"])).splitlines()
    assert len(lines) == 5
    assert lines[1].split(",")[1] == "'=1+1"


def test_actors_of_people_are_recorded(model: Model):
    client = Client()
    client.force_login(model.created_by)
    client.post(reverse("regression:run", args=["measured", "v2"]))
    assert RegressionRun.objects.get(revision__version="v2").created_by_label == actor_of(model.created_by).label
