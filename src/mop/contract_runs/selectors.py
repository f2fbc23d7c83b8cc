"""Reads of contract runs, and where versions stand with the connected tasks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet

from mop.catalog.models import Task
from mop.catalog.selectors import tasks_for_list
from mop.contract_runs.models import ContractRun, Subject
from mop.contract_runs.states import ContractRunState
from mop.errors import NotFoundError
from mop.onboarding.models import TaskProof
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.statuses import RevisionStatus


@dataclass(frozen=True)
class VersionState:
    """Where one version stands with one connected task.

    Attributes:
        revision: the version.
        state: passed where it was proved, otherwise the state of its newest contract run.
        run: its newest contract run with the task, if there is one.
    """

    revision: Revision
    state: ContractRunState
    run: ContractRun | None

    @property
    def error(self) -> dict[str, Any] | None:
        """Why it failed or could not be decided."""
        return self.run.error if self.run is not None and self.state == self.run.get_state() else None


@dataclass(frozen=True)
class ConnectedTask:
    """A connected task and where each version of the model stands with it, newest first."""

    connection: TaskConnection
    versions: tuple[VersionState, ...]


@dataclass(frozen=True)
class ConnectedTasks:
    """The connected tasks of a model, the versions that were asked for, and whether another task can be added."""

    tasks: list[ConnectedTask]
    revisions: list[Revision]
    can_add: bool


def connected_tasks(model: Model, seen: QuerySet[Revision], limit: int) -> ConnectedTasks:
    """The connected tasks of a model with the states of its newest versions. Two queries, however many there are.

    Args:
        model: whose.
        seen: revisions that the reader may see.
        limit: how many versions.
    """
    shown = seen.filter(model=model).order_by("-created_at", "-id").values("pk")[:limit]
    proof = TaskProof.objects.filter(
        revision=OuterRef("seen__pk"), task=OuterRef("task"), customized_name=OuterRef("customized_name")
    )
    # one row for each connection and version; people who see a model see a version of it
    rows = (
        TaskConnection.objects.filter(model=model)
        .annotate(seen=FilteredRelation("model__revisions"))
        .filter(seen__in=shown)
        .select_related("task", "taxonomy", "seen")  # type: ignore[misc] # a filtered relation
        .annotate(is_proved=Exists(proof), can_add=Exists(tasks_to_add(model)))
    )
    connections: dict[int, TaskConnection] = {}
    revisions: dict[uuid.UUID, Revision] = {}
    proved: set[tuple[int, uuid.UUID]] = set()
    for row in rows:
        connections.setdefault(row.pk, row)
        row.seen.model = model
        revisions.setdefault(row.seen.pk, row.seen)
        if row.is_proved:
            proved.add((row.pk, row.seen.pk))
    newest = _newest_runs(revisions)
    ordered = sorted(revisions.values(), key=lambda revision: (revision.created_at, revision.pk), reverse=True)
    tasks = [
        ConnectedTask(
            connection,
            tuple(
                _state(
                    revision,
                    newest.get((revision.pk, connection.task_id, connection.customized_name)),
                    is_proved=(connection.pk, revision.pk) in proved,
                )
                for revision in ordered
            ),
        )
        for connection in connections.values()
    ]
    return ConnectedTasks(tasks, ordered, any(getattr(row, "can_add") for row in connections.values()))  # noqa: B009 - annotated


def _newest_runs(revisions: Iterable[uuid.UUID]) -> dict[tuple[uuid.UUID, int | None, str], ContractRun]:
    runs = ContractRun.objects.filter(revision__in=list(revisions), subject=Subject.TASK).defer("sample")
    return {(run.revision_id, run.task_id, run.customized_name): run for run in runs.order_by("created_at", "id")}


def _state(revision: Revision, run: ContractRun | None, *, is_proved: bool) -> VersionState:
    if is_proved:
        return VersionState(revision, ContractRunState.PASSED, run)
    if run is not None:
        return VersionState(revision, run.get_state(), run)
    checked = revision.get_status() == RevisionStatus.VERIFIED
    return VersionState(revision, ContractRunState.NOT_CHECKED if checked else ContractRunState.NOT_AVAILABLE, None)


def unproved_connections(revision: Revision) -> list[TaskConnection]:
    """The connected tasks that a version was not proved with."""
    proof = TaskProof.objects.filter(
        revision=revision, task=OuterRef("task"), customized_name=OuterRef("customized_name")
    )
    connections = TaskConnection.objects.filter(model=revision.model_id).select_related("task", "taxonomy")
    return list(connections.filter(~Exists(proof)))


def tasks_to_add(model: Model) -> QuerySet[Task]:
    """The tasks that a model may connect: of the taxonomies of which it has none."""
    return tasks_for_list().exclude(taxonomy__in=model.connections.values("taxonomy"))


def unproved_tasks(model: Model) -> QuerySet[TaskConnection]:
    """The connections of a model that no version was proved with: their name may still be corrected."""
    proof = TaskProof.objects.filter(
        revision__model=model, task=OuterRef("task"), customized_name=OuterRef("customized_name")
    )
    return TaskConnection.objects.filter(~Exists(proof), model=model)


def tasks_to_connect(model: Model) -> QuerySet[Task]:
    """Tasks to add, and connected ones whose name may still be corrected."""
    misnamed = unproved_tasks(model).values("task")
    return tasks_for_list().filter(Q(pk__in=tasks_to_add(model).order_by().values("pk")) | Q(pk__in=misnamed))


def runs_of(revision: Revision) -> QuerySet[ContractRun]:
    """The contract runs of a version, newest first."""
    return ContractRun.objects.filter(revision=revision).select_related("task", "revision__model")


def sample_runs(revision: Revision) -> QuerySet[ContractRun]:
    """The contract runs of a version about its sample post data, newest first."""
    return runs_of(revision).filter(subject=Subject.SAMPLE)


def newest_sample_run(revision: Revision) -> ContractRun | None:
    """The newest of these runs."""
    return sample_runs(revision).first()


def get_run(revision: Revision, run_id: uuid.UUID) -> ContractRun:
    """A contract run of a version by its id.

    Raises:
        NotFoundError: there is none.
    """
    run = runs_of(revision).filter(pk=run_id).first()
    if run is None:
        raise NotFoundError(f"There is no contract run {run_id} of {revision}.")
    return run
