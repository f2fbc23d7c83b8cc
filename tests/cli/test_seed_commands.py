"""Commands for what the portal's pages of guides, notes and datasets do."""

from __future__ import annotations

import pytest

from cli.conftest import Mop
from mop.accounts.models import User
from mop.datasets.models import Dataset
from mop.help.guides import get_guide
from mop.registry.models import Model
from support.datasets import dataset_input, make_datasets
from support.factories import make_task, make_team

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("engine_database")]


def test_guides_are_listed_and_printed(mop: Mop):
    listed = mop("guide", "list")
    assert listed.code == 0
    [line] = [line for line in listed.out.splitlines() if line.startswith("gates ")]
    assert line.split()[-2:] == ["Use", "MOP"]
    row = {"name": "gates", "title": get_guide("gates").title, "group": "Use MOP"}
    assert row in mop("guide", "list", "--json").json
    shown = mop("guide", "show", "gates")
    assert (shown.code, shown.out) == (0, get_guide("gates").text)
    assert mop("guide", "show", "gates", "--json").json["text"] == shown.out
    assert mop("guide", "show", "no-such-guide").code == 64


def test_the_note_of_a_version_is_edited(model: Model, mop: Mop):
    assert mop("model", "edit", "toxicity", "--note", "n").code == 64
    done = mop("model", "edit", "toxicity", "--version", "v1.0.0", "--note", "More slang.", "--json")
    assert (done.code, done.json["revision"]["note"]) == (0, "More slang.")
    assert model.revisions.get().note == "More slang."
    assert done.json["model"]["description"] == model.description
    assert "More slang." in mop("model", "edit", "toxicity", "--version", "v1.0.0", "--note", "More slang.").out


def test_a_dataset_is_edited(user: User, mop: Mop):
    tasks = [make_task(name, owners=[user]) for name in ("hate one", "hate two")]
    team = make_team()
    make_datasets(dataset_input("hate-en", tasks=tasks[:1]), owner=user, team=team)
    Dataset.objects.update(status="verified", rows=150)
    assert mop("dataset", "edit", "hate-en").code == 64
    done = mop("dataset", "edit", "hate-en", "--description", "Of forums.", "--json").json
    assert (done["description"], [one["task"] for one in done["tasks"]]) == ("Of forums.", ["hate one"])
    done = mop("dataset", "edit", "hate-en", "--task", "hate two")
    assert (done.code, "hate two" in done.out, "Of forums." in done.out) == (0, True, True)
