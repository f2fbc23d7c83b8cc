"""Whole runs over cases in this process: a real service in the cage, without portal and worker."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from mop.catalog.models import InstanceType
from mop.environments import Environment
from mop.hosting import this_host
from mop.hosting.tools import HostTools
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision
from mop.registry.statuses import RevisionStatus
from mop.serving_options import LoadTestOption
from mop.storage import SnapshotLimits, store_folder
from support.contract_runs import prove
from support.evaluation_runs import evaluation_host  # noqa: F401 - a fixture
from support.factories import ACTOR, make_model, make_revision_input, make_task
from support.scans import keep_scan


@dataclass(frozen=True)
class CaseHost:
    """Makes verified versions of model folders, and does what a worker does with runs."""

    tools: HostTools
    environment: Environment

    def revision(self, folder: Path, *, labels: list[str]) -> Revision:
        """A verified version of a new model; the model's output calls the taxonomy `bad words`."""
        model = make_model(tasks=(make_task(labels=labels),))
        model.connections.update(customized_name="bad words")
        return self._verified(model.revisions.get(), folder)

    def next_revision(self, model: Model, folder: Path, version: str) -> Revision:
        """A further verified version."""
        given = make_revision_input(version)
        return self._verified(create_revision(actor=ACTOR, user=model.created_by, model=model, revision=given), folder)

    def run(self, workflows: str, run: Any) -> str:
        """The steps of a workflow, to the end; gives the state."""
        async_to_sync(_steps)(workflows, str(run.pk), run.attempt)
        run.refresh_from_db()
        return str(run.state)

    def _verified(self, revision: Revision, folder: Path) -> Revision:
        manifest = async_to_sync(store_folder)(folder, self.tools.artifacts, limits=SnapshotLimits(), log=_quiet)
        small, _ = InstanceType.objects.get_or_create(name="small", defaults={"vcpus": 1, "memory_gib": 0.25})
        prove(revision)
        Revision.objects.filter(pk=revision.pk).update(
            status=RevisionStatus.VERIFIED,
            artifact_digest=manifest.digest,
            environment_key="ee" * 32,
            instance_type=small,
            load_test_option=LoadTestOption.OFF,  # runs over cases wait for the load test that would follow
        )
        revision.refresh_from_db()
        keep_scan(revision, environment_digest=self.environment.files)
        return revision


@pytest.fixture
def case_host(
    db: None,
    evaluation_host: tuple[HostTools, Environment],  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> CaseHost:
    """This host, with folders of its own."""
    tools, environment = evaluation_host
    monkeypatch.setattr(this_host, "_tools", tools)
    return CaseHost(tools, environment)


async def _steps(workflows: str, run_id: str, attempt: int) -> str:
    steps = import_module(workflows)
    outcome = await steps.measure_step(run_id, attempt)
    return "finished" if outcome is None else str(await steps.conclude_step(run_id, attempt, outcome))


def _quiet(_line: str) -> None:
    """Drop it."""
