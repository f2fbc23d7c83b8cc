"""Writes to bundles: begun, made, failed."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Sequence
from importlib.metadata import version as version_of_package

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from mop import failpoints
from mop.accounts.models import User
from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.engine.job import Job
from mop.engine.watch import Run
from mop.errors import ConflictError, MopError, StaleAttemptError
from mop.hosting.this_host import WORKER
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.releases.actions import Action
from mop.releases.bundles.collecting import documents_of
from mop.releases.bundles.making import BundleSource, MadeBundle
from mop.releases.bundles.manifest import ReleaseNamed
from mop.releases.bundles.models import Bundle
from mop.releases.bundles.names import QUEUE, WORKFLOW
from mop.releases.gates.report import GateDocument
from mop.releases.judging import gate_document
from mop.releases.release_models import Release, ReleaseEvent
from mop.releases.release_states import BUNDLE_READY
from mop.releases.requests.notices import tell
from mop.releases.requests.selectors import version_of


@transaction.atomic
def begin_release_bundle(*, actor: Actor, release: Release) -> Bundle:
    """Fix the evidence of an approved release for its bundle, and have it made. Doing it again changes nothing.

    Call it in the transaction of the decision, whose evidence says how the gates came out.
    """
    standing = Bundle.objects.filter(release=release).first()
    if standing is not None:
        return standing
    revision = version_of(release)
    tasks = [one.task for one in release.tasks.select_related("task__taxonomy")]
    frozen = GateDocument.from_dict((release.evidence_at_decision or release.evidence_at_request)["gates"])
    documents = documents_of(revision, gates=frozen, tasks=tasks, service=release.service.name)
    return _begin(actor, revision, documents, release=release)


@transaction.atomic
def begin_version_bundle(*, actor: Actor, user: User, revision: Revision) -> Bundle:
    """Make a bundle of a version without a release, with its evidence as it stands, in the place of one that stands.

    Raises:
        ConflictError: the version is not verified, or its bundle is being made.
    """
    row = (
        Revision.objects.select_for_update(of=("self",)).select_related("model__team", "created_by").get(pk=revision.pk)
    )
    if row.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{row} is {row.status}; only verified versions have bundles.", hint="Wait until it is verified."
        )
    standing = Bundle.objects.filter(revision=row).first()
    if standing is not None and standing.state == "making":
        raise ConflictError(f"The bundle of {row} is being made.", hint="Wait for its end.")
    if standing is not None:
        standing.delete()
    tasks = _connected(row)
    documents = documents_of(row, gates=gate_document(row), tasks=tasks, service=None)
    return _begin(actor, row, documents, user=user)


@transaction.atomic
def make_again(*, actor: Actor, bundle: Bundle) -> Bundle:
    """Make a bundle anew from the same documents: after a failure, or to sign it with a new key.

    Raises:
        ConflictError: it is being made.
    """
    row = Bundle.objects.select_for_update(of=("self",)).get(pk=bundle.pk)
    if row.state == "making":
        raise ConflictError(f"The {row} is being made.", hint="Wait for its end.")
    Bundle.objects.filter(pk=row.pk).update(
        attempt=F("attempt") + 1, error=None, made_at=None, digest="", sha256="", size=None, key="", host=""
    )
    row.refresh_from_db()
    _record(actor, row)
    BUNDLE_JOB.start(row)
    return row


def source_of(bundle_id: int, attempt: int) -> BundleSource:
    """What a bundle is made of.

    Raises:
        StaleAttemptError: nobody waits for this attempt.
    """
    row = _waiting(bundle_id, attempt).select_related("release__service").first()
    if row is None:
        raise StaleAttemptError(f"Nobody waits for bundle {bundle_id}, attempt {attempt}.")
    release = None
    if row.release is not None:
        names = row.release.tasks.order_by("taxonomy__name").values_list("taxonomy__name", flat=True)
        release = ReleaseNamed(row.release.pk, row.release.service.name, tuple(names))
    return BundleSource(
        model=row.model_name,
        version=row.version,
        revision_id=str(row.revision_uuid),
        artifact_digest=row.artifact_digest,
        environment_key=row.environment_key,
        made_by=row.made_by,
        documents=row.documents,
        release=release,
    )


@transaction.atomic
def finish(bundle_id: int, attempt: int, made: MadeBundle) -> None:
    """Write that a bundle is made.

    Raises:
        StaleAttemptError: nobody waits for this attempt.
    """
    changed = _waiting(bundle_id, attempt).update(
        made_at=timezone.now(), digest=made.digest, sha256=made.sha256, size=made.size, key=made.key, error=None
    )
    if not changed:
        raise StaleAttemptError(f"Nobody waits for bundle {bundle_id}, attempt {attempt}.")
    release = Release.objects.select_related("service").filter(bundle=bundle_id).first()
    if release is not None:
        tell(ReleaseEvent.objects.create(release=release, what=BUNDLE_READY, actor_label=WORKER.label), actor=WORKER)
    failpoints.hit("before bundle made")
    transaction.on_commit(functools.partial(failpoints.hit, "after bundle made"))


def fail(bundle_id: int, attempt: int, error: MopError) -> str:
    """Write that a bundle could not be made; gives how that is called."""
    _waiting(bundle_id, attempt).update(error=error.to_dict())
    return "failed"


def wanted_bundles(runs: Collection[Run]) -> set[Run]:
    """Of these runs, those that somebody still waits for."""
    rows = Bundle.objects.filter(pk__in={int(run.id) for run in runs}, made_at=None, error__isnull=True)
    return {Run(str(pk), attempt) for pk, attempt in rows.values_list("pk", "attempt")} & set(runs)


def waiting_bundles(before: dt.datetime) -> QuerySet[Bundle]:
    """Bundles that wait, or are made, since before a moment."""
    return Bundle.objects.filter(made_at=None, error__isnull=True, created_at__lt=before)


def _waiting(bundle_id: int, attempt: int) -> QuerySet[Bundle]:
    return Bundle.objects.filter(pk=bundle_id, attempt=attempt, made_at=None, error__isnull=True)


def _connected(revision: Revision) -> Sequence[Task]:
    connections = revision.model.connections.select_related("task__taxonomy").order_by("task__name")
    return [connection.task for connection in connections]


def _begin(
    actor: Actor,
    revision: Revision,
    documents: dict[str, str],
    *,
    release: Release | None = None,
    user: User | None = None,
) -> Bundle:
    row = Bundle.objects.create(
        revision=None if release else revision,
        release=release,
        model_name=revision.model.name,
        version=revision.version,
        revision_uuid=revision.pk,
        artifact_digest=revision.artifact_digest,
        environment_key=revision.environment_key,
        made_by=version_of_package("mop"),
        documents=documents,
        created_by=user,
        created_by_label=actor.label,
    )
    _record(actor, row)
    BUNDLE_JOB.start(row)
    return row


def _record(actor: Actor, bundle: Bundle) -> None:
    record(
        actor=actor,
        action=Action.BUNDLE_ASKED,
        object_type="revision",
        object_id=bundle.revision_uuid,
        object_label=f"{bundle.model_name} {bundle.version}",
        data={"release": bundle.release_id, "attempt": bundle.attempt},
    )


BUNDLE_JOB: Job[Bundle] = Job(
    workflow=WORKFLOW,
    workflow_id=lambda bundle: bundle.workflow_id,
    queue=lambda _bundle: QUEUE,
    args=lambda bundle: (bundle.pk, bundle.attempt),
    waiting=waiting_bundles,
)
