"""Pages of cases: what each reader sees, and what forms do."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.dsat import services
from mop.dsat.models import Case, Import
from support.dsat import TEXT, make_case, picture
from support.dsat_imports import import_now
from support.factories import ACTOR, make_task, make_team, make_user

pytestmark = pytest.mark.django_db


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner() -> User:
    return make_user("owner")


@pytest.fixture
def task(owner: User) -> Task:
    return make_task("hate", owners=[owner])


def test_content_is_shown_after_it_was_opened_and_every_opening_is_recorded(task: Task, owner: User) -> None:
    case = make_case(task, description="a figure of speech")
    client = _client(owner)
    closed = client.get(f"/dsat/{case.pk}/").content.decode()
    assert "lasagne" not in closed
    assert "a figure of speech" in closed
    opened = client.post(f"/dsat/{case.pk}/open/")
    assert "lasagne" in opened.content.decode()
    assert "no-store" in opened["Cache-Control"]
    event = AuditEvent.objects.get(action="dsat_case.opened")
    assert (event.actor_label, event.object_label) == ("owner", case.number)


def test_a_stranger_sees_the_facts_and_neither_content_nor_what_people_wrote(task: Task) -> None:
    case = make_case(task, description="a figure of speech", tags=["food"], trace_id="trace-7")
    services.add_comment(actor=ACTOR, case=case, author=case.submitter, text="praise of pasta")  # type: ignore[arg-type]
    client = _client(make_user())
    for url in (f"/dsat/{case.pk}/", "/dsat/", f"/tasks/{task.pk}/", "/dsat/?search=lasagne", "/search/?q=lasagne"):
        page = client.get(url).content.decode()
        for secret in ("a figure of speech", "food", "trace-7", "praise of pasta", "murder"):
            assert secret not in page, url
    assert case.number in client.get("/dsat/").content.decode()
    assert case.number not in client.get("/dsat/?search=lasagne").content.decode()
    assert client.post(f"/dsat/{case.pk}/open/").status_code == 403
    assert not AuditEvent.objects.filter(action="dsat_case.opened").exists()


def test_a_text_case_is_added_by_the_form(task: Task) -> None:
    client = _client(make_user("submitter"))
    assert "Next" in client.get("/add-dsat/").content.decode()
    form = {"text": TEXT, "expected_label": "0", "kind": "falsePositive", "tags": "food, idiom", "service": "AACS"}
    refused = client.post(f"/add-dsat/?task={task.pk}", {**form, "text": ""})
    assert refused.status_code == 422
    added = client.post(f"/add-dsat/?task={task.pk}", form)
    case = Case.objects.get()
    assert added["Location"] == f"/dsat/{case.pk}/"
    assert (case.tags, case.service, case.submitter) == (
        ["food", "idiom"],
        "AACS",
        User.objects.get(username="submitter"),
    )


def test_an_image_case_is_added_and_stays_blurred(owner: User) -> None:
    import base64  # noqa: PLC0415 - beside its only use

    task = make_task("image", modality="Image", owners=[owner])
    file = SimpleUploadedFile("a.png", base64.b64decode(picture()))
    client = _client(owner)
    assert client.post(f"/add-dsat/?task={task.pk}", {"images": file, "expected_label": "0"}).status_code == 302
    page = client.post(f"/dsat/{Case.objects.get().pk}/open/").content.decode()
    assert "data:image/png;base64," in page
    assert 'class="dsat-image"' in page


def test_a_case_goes_its_way_on_pages(task: Task, owner: User) -> None:
    submitter = make_user("submitter")
    case = make_case(task, submitter=submitter)
    by_owner, by_submitter = _client(owner), _client(submitter)
    by_owner.post(f"/dsat/{case.pk}/assign/", {"username": "owner"})
    assert "is assigned to you" in by_owner.get("/home/").content.decode()
    by_owner.post(f"/dsat/{case.pk}/confirm/")
    by_owner.post(f"/dsat/{case.pk}/fix/", {"model": "", "version": ""})
    assert case.number in by_submitter.get("/home/").content.decode()
    by_submitter.post(f"/dsat/{case.pk}/comment/", {"text": "thank you"})
    by_submitter.post(f"/dsat/{case.pk}/close/")
    case.refresh_from_db()
    assert case.state == "closed"
    assert "thank you" in by_owner.get(f"/dsat/{case.pk}/").content.decode()
    by_submitter.post(f"/dsat/{case.pk}/restrict/")
    assert by_owner.post(f"/dsat/{case.pk}/open/").status_code == 200  # the owner is its assignee
    by_submitter.post(f"/dsat/{case.pk}/delete/")
    assert not Case.objects.exists()


def test_a_file_is_imported_and_its_report_shows_refused_rows(task: Task, owner: User) -> None:
    client = _client(owner)
    file = SimpleUploadedFile("cases.csv", b"text,expected_label\nfine,0\nsecret,9\n")
    sent = client.post("/dsat-imports/", {"task": task.pk, "file": file})
    row = Import.objects.get()
    assert sent["Location"] == f"/dsat-imports/{row.pk}/"
    import_now(row.pk)
    for url in (f"/dsat-imports/{row.pk}/", f"/live/dsat-imports/{row.pk}/", f"/dsat-imports/{row.pk}/faults.csv"):
        page = client.get(url).content.decode()
        assert "no label of hate" in page
        assert "secret" not in page
    bad = SimpleUploadedFile("cases.csv", b"wrong\n")
    assert client.post("/dsat-imports/", {"task": task.pk, "file": bad}).status_code == 422


def test_an_owner_lets_a_team_read_and_takes_it_back(task: Task, owner: User) -> None:
    case = make_case(task)
    member = make_user("member", teams=(team := make_team("readers"),))
    owner.teams.add(team)
    by_owner, by_member = _client(owner), _client(member)
    by_owner.post(f"/tasks/{task.pk}/dsat-access/", {"team": "readers"})
    assert "Members of readers" in by_owner.get(f"/tasks/{task.pk}/").content.decode()
    assert by_member.post(f"/dsat/{case.pk}/open/").status_code == 200
    by_owner.post(f"/tasks/{task.pk}/dsat-access/{task.dsat_grants.get().pk}/withdraw/")
    assert by_member.post(f"/dsat/{case.pk}/open/").status_code == 403


def test_the_list_asks_the_same_number_of_queries_for_more_cases(task: Task, owner: User) -> None:
    from django.db import connection  # noqa: PLC0415 - beside its only use
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - as above

    client = _client(owner)
    counts = []
    for number in (2, 10):
        for place in range(number):
            make_case(task, text=f"text {number} {place}")
        client.get("/dsat/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/dsat/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_selected_cases_are_closed_assigned_and_deleted_after_a_question_and_others_stay(
    task: Task, owner: User
) -> None:
    own = make_case(task, submitter=owner)
    fixed = services.mark_fixed(actor=ACTOR, case=make_case(task, submitter=owner, text="another"), revision=None)
    foreign = make_case(make_task("violence"), text="of somebody else")
    every = f"?case={own.pk}&case={fixed.pk}&case={foreign.pk}&case=nonsense&back=state%3Dwaiting"
    client = _client(owner)
    assert f'value="{own.pk}" id="select-{own.pk}"' in client.get("/dsat/").content.decode()

    asked = client.get(f"/dsat-selection/close/{every}").content.decode()
    assert f"Close {fixed.number}?" in asked
    assert f"<strong>{own.number}</strong>: it is open" in asked
    assert f"<strong>{foreign.number}</strong>: you may not close it" in asked
    done = client.post(f"/dsat-selection/close/{every}", follow=True)
    assert done.redirect_chain == [("/dsat/?state=waiting", 302)]
    assert "1 case is closed." in done.content.decode()

    assert client.post(f"/dsat-selection/assign/{every}", {"username": "nobody"}).status_code == 422
    client.post(f"/dsat-selection/assign/{every}", {"username": make_user("helper").username})
    assert dict(Case.objects.values_list("pk", "state")) == {
        own.pk: "assigned",
        fixed.pk: "closed",
        foreign.pk: "open",
    }
    assert "2 cases are deleted." in client.post(f"/dsat-selection/delete/{every}", follow=True).content.decode()
    assert Case.objects.get() == foreign
    nothing = client.get(f"/dsat-selection/delete/{every}").content.decode()
    assert "None of the selected cases can be deleted" in nothing
    assert client.post(f"/dsat-selection/delete/{every}").status_code == 200
    assert Case.objects.exists()


def test_tabs_count_their_cases_and_a_trace_id_is_a_filter(task: Task, owner: User) -> None:
    case = make_case(task, trace_id="trace-7")
    services.assign(actor=ACTOR, case=make_case(task, text="another"), to=owner)
    page = _client(owner).get("/dsat/").content.decode()
    for label, count in (("Open work", 2), ("Mine", 1), ("Unassigned", 1), ("Fixed, to close", 0), ("All", 2)):
        assert f'{label} <span class="q">{count}</span>' in page
    found = _client(owner).get("/dsat/?trace_id=trace-7").content.decode()
    assert found.count('name="case"') == 1
    assert f"{case.number}</a>" in found
    assert 'name="trace_id" value="trace-7"' in found


def test_what_somebody_else_changed_while_a_case_was_edited_stays(task: Task, owner: User) -> None:
    case = make_case(task, description="It is a joke.", tags=["irony"], expected_label="0")
    client, address = _client(owner), f"/dsat/{case.pk}/edit/"
    page = client.get(address).content.decode()
    assert 'name="initial-expected_label" value="0"' in page
    services.change_case(actor=ACTOR, case=case, change=services.CaseChange(expected_label="1", tags=["satire"]))
    shown = {"expected_label": "0", "description": "It is a joke.", "tags": "irony"}
    sent = {**shown, **{f"initial-{name}": value for name, value in shown.items()}, "description": "It is a quote."}
    assert client.post(address, sent).status_code == 302
    case.refresh_from_db()
    assert (case.expected_label, case.tags, case.description) == ("1", ["satire"], "It is a quote.")
