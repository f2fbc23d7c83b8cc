"""Contract runs on Home: those of a person's own models that failed or run."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse

from mop.accounts.models import User
from mop.contract_runs.models import ContractRun, Subject
from mop.contract_runs.states import CONTRACT_RUN_LIFECYCLE, ContractRunState
from mop.registry.models import TaskConnection
from mop.registry.statuses import RevisionStatus
from mop.ui.extensions import HOME_ITEMS_MAX, HomeItem, HomeList
from mop.ui.newest import newest_of_kinds

FAILED = (ContractRunState.FAILED, ContractRunState.UNDECIDED)


def contract_runs(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """Runs of verified versions: the newest of its task or sample where it failed, and those that run."""
    of_subject = Q(task=OuterRef("task")) | Q(task__isnull=True, subject=OuterRef("subject"))
    newer = ContractRun.objects.filter(
        of_subject, revision=OuterRef("revision"), subject=OuterRef("subject"), created_at__gt=OuterRef("created_at")
    )
    own = (
        ContractRun.objects.filter(revision__model__owners=user, revision__status=RevisionStatus.VERIFIED)
        .select_related("revision__model", "task")
        .defer("sample", "revision__sample_post_data")
    )
    # a task that was disconnected since needs nobody
    connected = Q(task__isnull=True) | Exists(
        TaskConnection.objects.filter(model=OuterRef("revision__model"), task=OuterRef("task"))
    )
    failed = Q(~Exists(newer), connected, state__in=FAILED)
    running = Q(state__in=sorted(CONTRACT_RUN_LIFECYCLE.live))
    return [_item(run) for run in newest_of_kinds(own, (failed, running), by="created_at", most=HOME_ITEMS_MAX)]


def _item(run: ContractRun) -> HomeItem:
    revision = run.revision
    model = {"name": revision.model.name}
    is_task = run.subject == Subject.TASK
    subject = f"task {run.task.name}" if run.task else "its new sample post data"
    url = reverse("registry:revision", kwargs={**model, "version": revision.version})
    if run.get_state() in FAILED:
        failed = run.get_state() == ContractRunState.FAILED
        return HomeItem(
            place=HomeList.NEEDS,
            what=f"{revision.model.name} {revision.version}",
            url=url,
            text=f"{'broke the contract' if failed else 'could not be checked'} with {subject}",
            reason=str((run.error or {}).get("message", "")),
            at=run.ended_at or run.created_at,
            action="See connected tasks" if is_task else "See details",
            action_url=f"{reverse('registry:model', kwargs=model)}#connected-tasks" if is_task else "",
            is_fault=failed,
            icon="bad" if failed else "warn",
        )
    return HomeItem(
        place=HomeList.RUNS,
        what=f"{revision.model.name} {revision.version}",
        url=url,
        text=f"is checked with {subject}",
        reason=run.get_state().meaning,
        at=run.created_at,
        action="See details",
        icon="busy",
    )
