"""A case of the owner's for a task that the owner owns, one that is fixed, and an import."""

from __future__ import annotations

import base64
from typing import Any

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.areas.permissions import Row
from mop.catalog.models import Task
from mop.dsat.access import grant_team
from mop.dsat.importing import begin_import, put_part
from mop.dsat.models import Case, Import
from mop.dsat.services import mark_fixed
from support.dsat import make_case
from support.factories import ACTOR, make_task, make_team
from support.permission_world import Part, World

TASK = "task with cases"
FILE = b"text,kind\nhello,falsePositive\n"


def _prepare(world: World) -> None:
    task = make_task(TASK, owners=[world.owner])
    make_case(task, submitter=world.owner)
    mark_fixed(actor=ACTOR, case=make_case(task, submitter=world.owner), revision=None)
    row = begin_import(actor=actor_of(world.owner), user=world.owner, task=task, file_name="cases.csv", size=len(FILE))
    put_part(row=row, number=0, data=FILE)
    grant_team(actor=ACTOR, task=task, team=make_team("readers of cases"))  # it has no members


def _names(_world: World, row: Row) -> dict[str, object]:
    last = row.path.rstrip("/").rpartition("/")[2]
    cases = Case.objects.filter(task__name=TASK)
    if "dsat-access" in row.path:
        task = Task.objects.get(name=TASK)
        return {"task": TASK, "task_id": task.pk, **dict.fromkeys(("access_id", "grant_id"), task.dsat_grants.get().pk)}
    if "dsat-imports" in row.path:
        return {"import_id": Import.objects.get().pk, "part": 0}
    if "/dsat/" in row.path:
        case = cases.filter(state="fixed" if last in {"close", "reopen"} else "open").first()
        return {"number": f"DSAT-{case.pk}", "case_id": case.pk} if case else {}
    return {}


def _bodies(world: World, _row: Row) -> dict[tuple[str, str], Any]:
    return {
        ("POST", "/dsat"): {"task": TASK, "content": {"text": "hello"}, "expected_label": "0"},
        ("PATCH", "/dsat/{number}"): {"description": "new"},
        ("POST", "/dsat/{number}/assign"): {"username": world.coowner.username},
        ("POST", "/dsat/{number}/fix"): {},
        ("POST", "/dsat/{number}/restrict"): {"restricted": True},
        ("POST", "/dsat/{number}/comments"): {"text": "why"},
        ("POST", "/dsat-imports"): {"task": TASK, "file_name": "a.csv", "size": 5},
        ("PUT", "/dsat-imports/{import_id}/parts/{part}"): {"data": base64.b64encode(FILE).decode()},
        ("POST", "/tasks/{task}/dsat-access"): {"team": world.team.name},
    }


def _become_submitter(user: User) -> None:
    Case.objects.update(submitter=user)
    Import.objects.update(submitter=user)


PART = Part(
    becoming={"DSAT submitter": _become_submitter},
    prepare=_prepare,
    names=_names,
    bodies=_bodies,
    forms={
        "/tasks/<int:task_id>/dsat-access/": {"team": "the team"},
        "/dsat/<int:case_id>/fix/": {"model": ""},
    },
)
