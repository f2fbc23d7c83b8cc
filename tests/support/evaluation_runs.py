"""Whole evaluations in this process: a real reader and a real service in the cage, without portal and worker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from mop.accounts.services import actor_of
from mop.catalog.models import InstanceType
from mop.datasets.bindings import approve
from mop.datasets.models import Binding, Dataset
from mop.environments import Environment
from mop.evaluation.models import Evaluation
from mop.evaluation.services import start_missing
from mop.hosting import this_host
from mop.hosting.tools import HostTools
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.storage import SnapshotLimits, store_folder
from support.contract_runs import prove
from support.datasets import dataset_folder, dataset_input, make_datasets, read
from support.factories import ACTOR, make_model, make_task
from support.scans import keep_scan
from support.small_host import tools_in, with_environment

Evaluate = Callable[..., Evaluation]


@pytest.fixture(scope="session")
def evaluation_host() -> Iterator[tuple[HostTools, Environment]]:
    """Tools with folders of their own, and the environment of models of `write_model`, built there."""
    folder = Path(tempfile.mkdtemp(prefix="mop-e-", dir="/tmp"))
    yield with_environment(tools_in(folder))
    shutil.rmtree(folder)


@pytest.fixture
def evaluate(db: None, evaluation_host: tuple[HostTools, Environment], monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Evaluates a model folder on the content of a dataset; gives the evaluation as it stands at the end."""
    tools, environment = evaluation_host
    monkeypatch.setattr(this_host, "_tools", tools)

    def run(folder: Path, content: bytes, **file: object) -> Evaluation:
        evaluation = prepared(folder, content, tools, environment, **file)
        run_again(evaluation)
        return evaluation

    return run


def prepared(folder: Path, content: bytes, tools: HostTools, environment: Environment, **file: object) -> Evaluation:
    """An evaluation that waits: the version is verified with its snapshot, the dataset read and approved."""
    task = make_task(labels=["no", "yes"])
    model = make_model(tasks=(task,))
    model.connections.update(customized_name="bad words")
    revision = model.revisions.get()
    manifest = async_to_sync(store_folder)(folder, tools.artifacts, limits=SnapshotLimits(), log=_quiet)
    prove(revision)
    small, _ = InstanceType.objects.get_or_create(name="small", defaults={"vcpus": 1, "memory_gib": 0.25})
    Revision.objects.filter(pk=revision.pk).update(
        status=RevisionStatus.VERIFIED,
        artifact_digest=manifest.digest,
        environment_key="ee" * 32,
        instance_type=small,
        load_test_option="off",  # else it is evaluated after its load test
    )
    keep_scan(revision, environment_digest=environment.files)
    dataset = approved(task, content, **file)
    start_missing(actor=ACTOR)
    return Evaluation.objects.get(revision=revision, dataset=dataset)


def approved(task: object, content: bytes, **file: object) -> Dataset:
    """A dataset of the column `hate`, read by the real reader and approved."""
    given = dataset_input(tasks=[task], label_type="Multi-label")
    (dataset,) = make_datasets(given, folder=dataset_folder(content), **file)
    read(dataset)
    assert dataset.status == "verified", dataset.faults
    owner = task.owners.get()
    approve(actor=actor_of(owner), binding=Binding.objects.get(dataset=dataset))
    return dataset


def run_again(evaluation: Evaluation) -> None:
    """Do what a worker does, to the end."""
    async_to_sync(_steps)(str(evaluation.pk), evaluation.attempt)
    evaluation.refresh_from_db()


async def _steps(evaluation_id: str, attempt: int) -> str:
    from mop.evaluation import workflows  # noqa: PLC0415 - the engine, which who runs nothing does without

    outcome = await workflows.measure_step(evaluation_id, attempt)
    return "finished" if outcome is None else await workflows.conclude_step(evaluation_id, attempt, outcome)


def _quiet(_line: str) -> None:
    """Drop it."""
