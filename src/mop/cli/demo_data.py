"""Who and what the demonstration's installation holds: an administrator, a contributor, a team, the sample's task."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mop.cli.failures import SamplesMissingError

SAMPLE = "text-moderation"
MODEL_NAME = "text-moderation"
DATASET_NAME = "profanity-sample"
TASK_NAME = "Profanity in text"
TEAM_NAME = "Demonstration"
USER, ADMINISTRATOR = "demo", "admin"
KEPT = "people.json"


@dataclass(frozen=True)
class DemoPeople:
    """Names and passwords to sign in with, and the contributor's token."""

    user: str
    user_password: str
    administrator: str
    administrator_password: str
    token: str


def find_samples(given: Path | None) -> Path:
    """The folder of the samples: the given one, else that of the source checkout.

    Raises:
        SamplesMissingError: the sample is not there.
    """
    folder = given.resolve() if given else Path(__file__).resolve().parents[3] / "samples"
    if not (folder / SAMPLE / "src" / "inference.py").is_file():
        raise SamplesMissingError(f"{folder} holds no sample {SAMPLE!r}.")
    return folder


def make_demo_data(samples: Path) -> DemoPeople:
    """Make people, team and task once per installation; a later call gives the same people back.

    The passwords are random and kept beside the database, readable by this user alone.
    """
    from django.conf import settings
    from django.db import transaction

    path: Path = settings.MOP_HOME / KEPT
    if path.exists():
        return DemoPeople(**json.loads(path.read_text(encoding="utf-8")))
    with transaction.atomic():
        people = _make_people()
        _make_task(samples)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(people), file)
    return people


def revision_request(samples: Path) -> dict[str, Any]:
    """The body that adds the sample as a model: what a contributor fills in."""
    (task,) = _tasks(samples)
    return {
        "name": MODEL_NAME,
        "model_url": (samples / SAMPLE).as_uri(),
        "connections": [{"task": TASK_NAME, "customized_name": task["customized_name"]}],
        "sample_post_data": json.loads((samples / f"{SAMPLE}.sample.json").read_text(encoding="utf-8")),
        "load_test_option": "off",  # the evaluation, whose scores are shown, would wait for it
    }


def dataset_request(samples: Path) -> dict[str, Any]:
    """The body that adds the sample dataset: what a contributor fills in."""
    return {
        "modality": "Text",
        "url": (samples / "datasets" / "text").as_uri(),
        "language": "en",
        "group_columns": ["source"],
        "datasets": [
            {
                "label_header": "profanity",
                "name": DATASET_NAME,
                "label_type": "Ordinal",
                "tasks": [TASK_NAME],
                "description": "Invented posts in four levels of profanity.",
            }
        ],
    }


def approve_dataset() -> None:
    """Let the task's owner, the administrator, approve the sample dataset, unless they did."""
    from django.db import connection

    from mop.accounts.models import User
    from mop.accounts.services import actor_of
    from mop.catalog.selectors import get_task
    from mop.datasets.bindings import approve
    from mop.datasets.selectors import get_binding
    from mop.datasets.states import BindingState

    try:
        binding = get_binding(get_task(TASK_NAME), DATASET_NAME)
        if binding.state == BindingState.REQUESTED:
            approve(actor=actor_of(User.objects.get(username=ADMINISTRATOR)), binding=binding)
    finally:
        connection.close()  # that of this thread


def _make_people() -> DemoPeople:
    from mop.accounts.services import add_member, create_team, create_user
    from mop.accounts.token_services import create_token
    from mop.audit.services import Actor

    actor = Actor.system("demo")
    passwords = {name: secrets.token_urlsafe(9) for name in (USER, ADMINISTRATOR)}
    user = create_user(actor=actor, username=USER, password=passwords[USER])
    create_user(actor=actor, username=ADMINISTRATOR, password=passwords[ADMINISTRATOR], is_administrator=True)
    add_member(actor=actor, team=create_team(actor=actor, name=TEAM_NAME), user=user)
    _, token = create_token(actor=actor, user=user, name="demonstration")
    return DemoPeople(USER, passwords[USER], ADMINISTRATOR, passwords[ADMINISTRATOR], token)


def _make_task(samples: Path) -> None:
    from mop.accounts.models import Team, User
    from mop.accounts.services import actor_of
    from mop.catalog.models import Taxonomy
    from mop.catalog.services import create_task

    (task,) = _tasks(samples)
    administrator = User.objects.get(username=ADMINISTRATOR)
    create_task(
        actor=actor_of(administrator),
        user=administrator,
        name=TASK_NAME,
        description="How profane a text is, from 0 to 3.",
        team=Team.objects.get(name=TEAM_NAME),
        owners=[administrator],
        modality=task["modality"],
        taxonomy=Taxonomy.objects.get(name=task["taxonomy"]),
        label_type=task["label_type"],
        labels=task["labels"],
    )


def _tasks(samples: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads((samples / f"{SAMPLE}.task.json").read_text(encoding="utf-8"))
    return tasks
