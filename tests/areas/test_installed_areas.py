"""The areas that are installed, and what their descriptions promise."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbos._dbos import _get_or_create_dbos_registry

import mop
from mop.areas.area import Area
from mop.areas.installed import AREAS
from mop.areas.references import Ref
from mop.areas.registry import area_of, register, registered
from mop.areas.work import Queue, Stage, StagePosition, Workflow
from mop.notifications.kinds import all_kinds
from mop.notifications.models import Notification
from mop.pipeline.stages import stages
from mop.worker.areas import load_workflows
from support.areas import also_registered


def references(thing: Any) -> Iterator[Ref[Any]]:
    """Every reference in a description."""
    if isinstance(thing, Ref):
        yield thing
    elif isinstance(thing, tuple):
        for part in thing:
            yield from references(part)
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield from references(getattr(thing, field.name))


def test_every_folder_with_an_area_is_installed():
    folders = {f"mop.{path.parent.name}" for path in Path(mop.__file__).parent.glob("*/area.py")}
    assert folders == set(AREAS) | {"mop.areas"}  # which holds the class


@pytest.mark.parametrize("package", AREAS)
def test_what_an_area_refers_to_is_there(package: str):
    area = area_of(package)
    assert area in registered()
    assert area.name == package.rpartition(".")[2]
    for reference in references(area):
        assert reference.load() is not None, reference.name


def test_the_command_line_knows_every_area_without_django():
    code = (
        "import sys; from mop.areas.registry import register_installed, registered; register_installed();"
        "print(len(registered()), sorted({'django', 'dbos', 'ninja', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(AREAS)} []\n"


def test_an_area_is_registered_once_and_its_name_is_its_own():
    before = registered()
    register(before[0])
    assert registered() == before
    with pytest.raises(ValueError, match="two areas are named"):
        register(Area(name=before[0].name))


def test_the_worker_knows_every_workflow_under_its_declared_name():
    load_workflows()
    known = {name for name in _get_or_create_dbos_registry().workflow_info_map if not name.startswith("<")}
    assert known == {workflow.name for area in registered() for workflow in area.workflows}


def test_a_workflow_that_is_declared_under_another_name_is_refused():
    wrong = Workflow("wrong.name", Ref("mop.loadtest.workflows:run"), Queue("wrong", 1))
    with (
        also_registered(Area(name="wrong", workflows=(wrong,))),
        pytest.raises(ValueError, match=r"is the workflow 'loadtest\.run', not 'wrong\.name'"),
    ):
        load_workflows()


def test_two_stages_in_one_place_of_the_order_are_refused():
    taken = stages()[-1]
    twin = dataclasses.replace(taken, name="twin")
    assert isinstance(twin, Stage)
    with also_registered(Area(name="twin", stages=(twin,))), pytest.raises(ValueError, match="one position"):
        stages()


def test_the_stages_stand_in_the_products_order():
    assert [stage.position for stage in stages()] == [
        StagePosition.ONBOARDING,
        StagePosition.CONTRACT_RUNS,
        StagePosition.LOAD_TEST,
        StagePosition.EVALUATION,
        StagePosition.GOLDEN_SETS,
        StagePosition.REGRESSION,
        StagePosition.GATES,
    ]


def test_every_kind_of_notification_is_of_one_area_and_fits_its_column():
    values = [kind.value for kind in all_kinds()]
    assert len(set(values)) == len(values)
    assert max(map(len, values)) <= Notification._meta.get_field("kind").max_length
