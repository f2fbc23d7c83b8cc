"""What a version needs before it can be released, each with its reason. Gates come on top: see `evidence`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mop.catalog.models import Modality
from mop.evaluation.case_runs.states import CaseRunState
from mop.findings.models import ScanDecision
from mop.findings.selectors import current_scan, lapsed_findings
from mop.onboarding.models import ConverterProof, TaskProof
from mop.registry.models import Revision, TaskConnection
from mop.registry.statuses import PublishStatus, RevisionStatus
from mop.regression.selectors import find_run
from mop.releases.models import Service, ServiceKind

AACS_TAXONOMIES = frozenset({"Hate", "Self-harm", "Sexual", "Violence"})
AACS_MODALITIES = frozenset({Modality.TEXT.value, Modality.IMAGE.value})


@dataclass(frozen=True)
class Precondition:
    """One precondition.

    Attributes:
        name: a word for programs.
        title: what must hold, for people.
        holds: whether it does.
        reason: why not, or on what it stands.
        hint: what to do about it; empty where it holds.
    """

    name: str
    title: str
    holds: bool
    reason: str
    hint: str = ""


def preconditions(
    revision: Revision, service: Service, connections: Sequence[TaskConnection]
) -> tuple[Precondition, ...]:
    """Every precondition of a release of these tasks, in the order in which a requester meets them."""
    found = [
        *standing(revision),
        _contract(revision, connections),
        _regression(revision),
    ]
    if service.kind == ServiceKind.AACS:
        found += [_fits(service, connections), _converters(revision, connections)]
    return tuple(found)


def disconnected(revision: Revision, tasks: Sequence[str]) -> Precondition:
    """What does not hold where tasks of a release were disconnected since it was requested, or are named otherwise."""
    return Precondition(
        "connected",
        "The tasks of the release are connected as they were",
        holds=False,
        reason=f"{revision.model.name} is not connected to {', '.join(tasks)} as it was at the request.",
        hint="Connect the tasks again under their former names, or reject the release and request another.",
    )


def standing(revision: Revision) -> tuple[Precondition, ...]:
    """What a version needs whenever it goes live, roll back included."""
    return _verified(revision), _public(revision), _findings(revision)


def takes(service: Service, connection: TaskConnection) -> bool:
    """Whether a service of this kind has a use for a task."""
    if service.kind != ServiceKind.AACS:
        return True
    return connection.taxonomy.name in AACS_TAXONOMIES and connection.task.modality in AACS_MODALITIES


def _verified(revision: Revision) -> Precondition:
    status = revision.get_status()
    holds = status == RevisionStatus.VERIFIED
    hint = "" if holds else "Offer a verified version."
    return Precondition("verified", "The version is verified", holds, f"It is {status}.", hint)


def _public(revision: Revision) -> Precondition:
    holds = revision.publish_status == PublishStatus.PUBLIC
    hint = "" if holds else "Publish it: the service's people must be able to see it."
    return Precondition("public", "The version is public", holds, f"It is {revision.publish_status}.", hint)


def _findings(revision: Revision) -> Precondition:
    title = "No finding blocks the version"
    scan = current_scan(revision)
    if scan is None:
        return Precondition("findings", title, holds=False, reason="It was not scanned yet.", hint="Scan it again.")
    if scan.decision == ScanDecision.VULNERABLE:
        reason = f"{scan.blocking} of its findings block."
        hint = "Offer a version without them, or ask an administrator for a waiver."
        return Precondition("findings", title, holds=False, reason=reason, hint=hint)
    if lapsed := lapsed_findings(scan).count():  # it is decided about again within minutes: nothing goes live till then
        reason = f"{lapsed} of its findings block since their waiver ended."
        hint = "Offer a version without them, or ask an administrator for another waiver."
        return Precondition("findings", title, holds=False, reason=reason, hint=hint)
    return Precondition("findings", title, holds=True, reason=f"Scanned on {scan.finished_at:%Y-%m-%d}.")


def _contract(revision: Revision, connections: Sequence[TaskConnection]) -> Precondition:
    title = "The version answers by the contract of each task"
    proved = set(TaskProof.objects.filter(revision=revision).values_list("task_id", "customized_name"))
    lacking = [one.task.name for one in connections if (one.task_id, one.customized_name) not in proved]
    if lacking:
        reason = f"It was not proved with {', '.join(lacking)}."
        hint = "Wait for the contract check of the task, or see why it failed on the model's page."
        return Precondition("contract", title, holds=False, reason=reason, hint=hint)
    names = ", ".join(one.task.name for one in connections)
    return Precondition("contract", title, holds=True, reason=f"Proved with {names}.")


def _regression(revision: Revision) -> Precondition:
    title = "The regression test is finished"
    run = find_run(revision)
    if run is None:
        off = "" if revision.regression_enabled else " Regression is off for it."
        hint = "Run the regression test on the model's page."
        return Precondition("regression", title, holds=False, reason=f"There is none.{off}", hint=hint)
    state = run.get_state()
    if state != CaseRunState.FINISHED:
        hint = "Wait for it." if state.is_live else "See why on the model's page, and run it again."
        return Precondition("regression", title, holds=False, reason=f"It is {state}.", hint=hint)
    return Precondition("regression", title, holds=True, reason="It is finished.")


def _fits(service: Service, connections: Sequence[TaskConnection]) -> Precondition:
    title = "Azure AI Content Safety has these categories"
    lacking = [f"{one.taxonomy.name}, {one.task.modality}" for one in connections if not takes(service, one)]
    if lacking:
        reason = f"It has none for {'; '.join(lacking)}."
        hint = f"Offer {', '.join(sorted(AACS_TAXONOMIES))} on {' or '.join(sorted(AACS_MODALITIES))} alone."
        return Precondition("categories", title, holds=False, reason=reason, hint=hint)
    return Precondition("categories", title, holds=True, reason=", ".join(one.taxonomy.name for one in connections))


def _converters(revision: Revision, connections: Sequence[TaskConnection]) -> Precondition:
    title = "The converters for Azure AI Content Safety answered a real request"
    wanted = sorted({one.task.modality for one in connections} & AACS_MODALITIES)
    proofs = {proof.modality: proof for proof in ConverterProof.objects.filter(revision=revision)}
    faults = []
    for modality in wanted:
        proof = proofs.get(modality)
        if proof is None:
            faults.append(f"{modality}: not tried yet.")
        elif not proof.is_proved:
            faults.append(f"{modality}: {proof.reason}")
    if faults:
        hint = "Implement both converters of the modality in src/inference.py and upgrade the version, or, where they "
        hint += "were not tried yet, check the task again on the model's page."
        return Precondition("converters", title, holds=False, reason=" ".join(faults), hint=hint)
    return Precondition("converters", title, holds=True, reason=f"Proved on {' and '.join(wanted)}.")
