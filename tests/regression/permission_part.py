"""A DSAT case that each model's v4.0.0 passes, in the world of the permission tests."""

from __future__ import annotations

from django.db.models import Q

from mop.areas.permissions import Row
from mop.registry.models import Revision
from mop.regression.advance import REGRESSION
from mop.regression.services import start
from regression.made import knows, made_case
from support.case_runs import finished
from support.contract_runs import prove
from support.factories import ACTOR
from support.permission_world import Part, World


def _prepare(world: World) -> None:
    made_case(world.task, "a bad text")
    for revision in Revision.objects.filter(Q(version="v4.0.0") & Q(model__connections__task=world.task)):
        prove(revision)
        run = start(actor=ACTOR, revision=revision)
        assert run is not None
        finished(REGRESSION, run, knows("bad"))


def _names(_world: World, row: Row) -> dict[str, object]:
    return {"version": "v4.0.0"} if "/regression" in row.path else {}


def _bodies(_world: World, row: Row) -> dict[tuple[str, str], object]:
    is_settled = row.path.endswith(("/regression/fixed", "/regression/closed"))
    return {("POST", row.path): {"cases": None}} if is_settled else {}


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
