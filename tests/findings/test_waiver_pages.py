"""Pages of a model's waivers: administrators give and end them, owners see who answers for what."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from mop.accounts.models import User
from mop.findings.models import Waiver
from mop.findings.waivers import end_waiver
from mop.registry.models import Model, Revision
from support.browsing import client_of, send
from support.factories import ACTOR
from support.scans import BLOCKS, EVERY_ACTION, keep_scan, waive

from .pages import FINDINGS, WAIVERS, page

pytestmark = pytest.mark.django_db


def test_waivers_are_listed_with_their_state(model: Model, owner: User, administrator: User):
    assert "No finding of this model is waived." in page(owner, WAIVERS)
    for path in ("model/holds.pkl", "model/ended.pkl", "model/over.pkl"):
        waive(model, administrator, path=path, reason=f"of {path}")
    end_waiver(actor=ACTOR, waiver=Waiver.objects.get(path="model/ended.pkl"))
    Waiver.objects.filter(path="model/over.pkl").update(until=timezone.localdate() - dt.timedelta(days=1))
    html = page(owner, WAIVERS)
    for text in ("of model/holds.pkl", ">active</span>", ">ended</span>", ">expired</span>"):
        assert text in html
    assert "/end/" not in html
    assert "Waive a finding" not in html
    assert page(administrator, WAIVERS).count("/end/") == 1


def test_an_administrator_is_led_from_a_finding_to_its_waiver(revision: Revision, owner: User, administrator: User):
    keep_scan(revision, BLOCKS)
    assert "waivers/add/" not in page(owner, FINDINGS)
    link = f"{WAIVERS}add/?scanner=model-files&amp;rule=code-execution&amp;path=model%2Fweights.pkl&amp;identifier="
    assert link in page(administrator, FINDINGS)
    keep_scan(revision, *EVERY_ACTION)
    assert page(administrator, FINDINGS).count("waivers/add/?") == 1  # what does not block needs none
    client = client_of(administrator)
    form = client.get(link.replace("&amp;", "&")).content.decode()
    for value in ("model-files", "code-execution", "model/weights.pkl", "ada"):
        assert f'value="{value}"' in form
    given = {
        "scanner": "model-files",
        "rule": "code-execution",
        "path": "model/weights.pkl",
        "owner": "olivia",
        "reason": "It is ours.",
        "until": (timezone.localdate() + dt.timedelta(days=30)).isoformat(),
    }
    answer = send(client, f"{WAIVERS}add/", given)
    assert answer.headers["Location"] == WAIVERS
    waiver = Waiver.objects.get()
    assert (waiver.owner, waiver.created_by) == (owner, administrator)
    keep_scan(revision, BLOCKS)
    html = page(owner, FINDINGS)
    assert "waived until" in html
    assert ">blocks</span>" not in html


def test_an_owner_may_not_waive(model: Model, owner: User):
    assert client_of(owner).get(f"{WAIVERS}add/").status_code == 403
    assert send(client_of(owner), f"{WAIVERS}add/", {}, form=WAIVERS).status_code == 403


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"until": "2020-01-01"}, "until", "Choose a day from today to"),
        ({"until": ""}, "until", "Fill this in."),
        ({"path": "*"}, "path", "a * alone would waive the rule for every file"),
        ({"rule": "*"}, "rule", "neither may hold a *"),
        ({"owner": "nobody"}, "owner", "There is no user &#x27;nobody&#x27;."),
        ({"reason": ""}, "reason", "Fill this in."),
    ],
)
def test_faults_of_a_waiver_stand_beside_their_fields(
    model: Model, administrator: User, changes: dict[str, str], field: str, message: str
):
    given = {
        "scanner": "model-files",
        "rule": "code-execution",
        "path": "model/weights.pkl",
        "owner": "ada",
        "reason": "It is ours.",
        "until": (timezone.localdate() + dt.timedelta(days=30)).isoformat(),
    }
    answer = send(client_of(administrator), f"{WAIVERS}add/", given | changes)
    assert answer.status_code == 422
    html = answer.content.decode()
    beside = html.partition(f'id="id_{field}_error"')[2].partition("</ul>")[0]
    assert message in beside
    assert not Waiver.objects.exists()


def test_ending_a_waiver_asks_first_and_is_done_once(model: Model, owner: User, administrator: User):
    waiver = waive(model, administrator)
    url = f"{WAIVERS}{waiver.pk}/end/"
    assert client_of(owner).get(url).status_code == 403
    client = client_of(administrator)
    asked = client.get(url).content.decode()
    assert "model-files/code-execution at model/weights.pkl until" in asked
    assert "It is ours." in asked
    assert Waiver.objects.get().ended_at is None
    assert send(client, url).headers["Location"] == WAIVERS
    assert Waiver.objects.get().ended_at is not None
    assert send(client, url).status_code == 409
    assert client.get(f"{WAIVERS}4711/end/").status_code == 404
