"""Model cards of measured versions: the same evidence gives the same bytes, and a reader sees what they may see."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from mop.registry.editing import change_model
from mop.registry.models import Model, Revision
from mop.releases.cards.collecting import SERVICE, Reader, card_of
from mop.releases.cards.document import Card
from mop.releases.cards.formats import FORMATS
from mop.releases.cards.html import to_html
from mop.releases.cards.markdown import to_markdown
from support.browsing import client_of
from support.evaluation_results import add_version
from support.factories import ACTOR, make_task, make_user, put
from support.released import evidence_version, published

pytestmark = pytest.mark.django_db

USE = "Filters <forum> posts | in English"
LIMITS = "Not for:\n- other languages\n# nor for `code`"


def _with_texts(revision: Revision) -> Revision:
    change_model(actor=ACTOR, model=revision.model, intended_use=USE, limits=LIMITS)
    return Revision.objects.select_related("model__team", "created_by").get(pk=revision.pk)


def _card(revision: Revision, kind: str = "json", *, reader: Reader = SERVICE) -> str:
    return FORMATS[kind].write(card_of(revision, reader))


def test_the_same_evidence_gives_the_same_bytes_and_the_card_reads_back() -> None:
    revision = _with_texts(evidence_version())
    first = {kind: _card(revision, kind) for kind in FORMATS}
    again = Revision.objects.select_related("model__team", "created_by").get(pk=revision.pk)
    assert {kind: _card(again, kind) for kind in FORMATS} == first
    card = Card.from_dict(json.loads(first["json"]))
    assert card.to_json() == first["json"]
    assert (to_markdown(card), to_html(card)) == (first["md"], first["html"])
    put(Revision.objects.filter(pk=revision.pk), note="another note")
    again.refresh_from_db()
    assert _card(again) != first["json"]


def test_numbers_are_those_of_the_evaluations_with_their_intervals_and_no_withheld_slice() -> None:
    revision = evidence_version()
    card = card_of(revision, SERVICE)
    rows = {row.dataset.name: row for row in revision.evaluations.select_related("dataset")}
    assert {one.dataset: one.headline.value for one in card.results} == {
        name: row.headline for name, row in rows.items()
    }
    for one in card.results:
        assert one.headline.low is not None
        assert one.headline.low < one.headline.value < one.headline.high
        withheld = [slice_ for slice_ in one.slices if slice_.withheld]
        assert ("source", "voice") in {(slice_.column, slice_.value) for slice_ in withheld}
        assert all(slice_.rows is None and slice_.number is None for slice_ in withheld)
        assert any(slice_.rows == 300 for slice_ in one.slices)
    assert {one.partition != "" for one in card.results} == {True, False}
    assert [one.name for one in card.datasets] == sorted(rows)
    (test,) = card.load_tests
    assert [(step.target, step.failed) for step in test.steps] == [(1, 0), (10, 0), (20, 3)]


def test_a_disconnected_tasks_results_are_hidden() -> None:
    revision = evidence_version(make_task("first task"), make_task("second task", taxonomy="Sexual"))
    assert len(card_of(revision, SERVICE).results) == 2
    revision.model.connections.filter(task__name="second task").delete()
    card = card_of(revision, SERVICE)
    assert [one.task for one in card.results] == ["first task"]
    assert len(card.datasets) == 1


def test_texts_of_people_stay_texts_in_markdown_and_html() -> None:
    revision = _with_texts(evidence_version())
    markdown, page = _card(revision, "md"), _card(revision, "html")
    assert r"Filters \<forum\> posts \| in English" in markdown
    assert "\\- other languages\n\\# nor for \\`code\\`" in markdown
    assert "<forum>" not in page
    assert html.escape(USE) in page
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"<script|\son\w+=|style=", page)


def test_a_stranger_reads_counts_of_findings_and_no_private_version() -> None:
    revision = evidence_version()
    model = published(revision)
    add_version(model, "v9.9.9")
    stranger, owner = make_user(), model.owners.get()
    private = json.loads(_card(revision, reader=Reader(owner)))
    public = json.loads(_card(revision, reader=Reader(stranger)))
    assert [one["path"] for one in private["findings"]["items"]] == ["privatepkgs/fast.whl"]
    assert public["findings"]["items"] is None
    assert dict(map(tuple, public["findings"]["severities"]))["low"] == 1
    assert "fast.whl" not in _card(revision, "html", reader=Reader(stranger))
    assert [one["version"] for one in private["versions"]] == ["v9.9.9", "v1.0.0"]
    assert [one["version"] for one in public["versions"]] == ["v1.0.0"]
    service = json.loads(_card(revision))
    assert "v9.9.9" not in json.dumps(service)
    assert len(service["findings"]["items"]) == 1


def test_the_page_shows_the_card_and_its_files_to_whoever_sees_the_version() -> None:
    revision = _with_texts(evidence_version())
    name, version = revision.model.name, revision.version
    address = reverse("cards:card", args=[name, version])
    stranger, owner = client_of(make_user()), client_of(revision.model.owners.get())
    assert stranger.get(address).status_code == 404
    page = owner.get(address).content.decode()
    for text in ("Intended use", "Filters &lt;forum&gt;", "Slices of", "fast.whl", "withheld: under 10 rows"):
        assert text in page
    assert reverse("registry:intended_use", args=[name]) in page
    assert address in owner.get(reverse("registry:revision", args=[name, version])).content.decode()
    published(revision)
    page = stranger.get(address).content.decode()
    assert "fast.whl" not in page
    assert reverse("registry:intended_use", args=[name]) not in page
    for kind, chosen in FORMATS.items():
        answer = stranger.get(reverse("cards:download", args=[name, version, kind]))
        assert answer["Content-Type"] == chosen.media_type
        assert answer["Content-Disposition"] == f'attachment; filename="{name}-{version}-card.{kind}"'
    assert stranger.get(reverse("cards:download", args=[name, version, "pdf"])).status_code == 404


def test_a_version_that_nothing_was_measured_of_has_a_card_too() -> None:
    from support.factories import make_model  # noqa: PLC0415 - as the other factories

    model = make_model()
    page = client_of(model.owners.get()).get(reverse("cards:card", args=[model.name, "v1.0.0"])).content.decode()
    assert "It was not measured on any dataset yet." in page
    assert "It was not scanned yet." in page
    assert "Not stated." in page


def test_owners_edit_intended_use_and_limits_in_place_and_the_second_editor_is_told() -> None:
    revision = evidence_version()
    model = revision.model
    owner = Client()
    owner.force_login(model.owners.get())
    address, htmx = reverse("registry:intended_use", args=[model.name]), {"HX-Request": "true"}
    form = owner.get(address, headers=htmx).content.decode()
    assert f'name="edition" value="{model.edition}"' in form
    shown = owner.post(address, {"intended_use": USE, "edition": model.edition}, headers=htmx).content.decode()
    assert "Filters &lt;forum&gt;" in shown
    late = owner.post(address, {"intended_use": "mine", "edition": model.edition}, headers=htmx).content.decode()
    assert "Somebody changed this while you edited it" in late
    assert Model.objects.get(pk=model.pk).intended_use == USE
    assert owner.post(reverse("registry:limits", args=[model.name]), {"limits": "x" * 5001}).status_code == 422


def test_the_card_asks_a_fixed_number_of_questions(django_assert_max_num_queries) -> None:
    tasks = [make_task(taxonomy=name) for name in ("Hate", "Sexual", "Violence", "Self-harm")]
    revision = evidence_version(*tasks)
    with django_assert_max_num_queries(22):
        card_of(revision, SERVICE)
