"""Releases that tests need: versions that may be released, services, and releases on every step of their way."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.evaluation.case_runs.states import CaseRunState
from mop.onboarding.proofs import record_proofs
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision
from mop.registry.statuses import PublishStatus, RevisionStatus
from mop.regression.advance import REGRESSION
from mop.regression.selectors import find_run
from mop.regression.services import start
from mop.releases.models import Policy, Service, ServiceKind
from mop.releases.release_models import Release
from mop.releases.release_states import WentLive
from mop.releases.requests.deciding import approve_release, request_release
from mop.releases.requests.switching import mark_released
from mop.releases.services import create_service
from support.case_runs import finished
from support.contract_runs import prove
from support.factories import ACTOR, make_model, make_revision_input, make_user, put
from support.scans import keep_scan


def make_service(
    name: str = "Content Safety",
    *,
    admins: Sequence[User] = (),
    kind: ServiceKind = ServiceKind.AACS,
    policy: Policy = Policy.WARN,
) -> Service:
    """A service that an administrator defined."""
    return create_service(
        actor=ACTOR,
        user=make_user(is_administrator=True),
        name=name,
        kind=kind,
        admins=list(admins) or [make_user()],
        policy=policy,
    )


@transaction.atomic
def releasable(revision: Revision, *, modalities: Sequence[str] = ("Text",)) -> Revision:
    """The version as it must be to be released: verified, public, proved, scanned without findings, tested."""
    put(Revision.objects.filter(pk=revision.pk), status=RevisionStatus.VERIFIED, publish_status=PublishStatus.PUBLIC)
    revision.refresh_from_db()
    prove(revision)
    record_proofs(revision.pk, (), dict.fromkeys(modalities, ""))
    keep_scan(revision)
    run = find_run(revision) or start(actor=ACTOR, revision=revision)
    assert run is not None
    if run.get_state() != CaseRunState.FINISHED:
        finished(REGRESSION, run, lambda _item: "0")
    return revision


def make_releasable(*tasks: Task, owner: User | None = None) -> Revision:
    """The first version of a new model, ready to be released."""
    model = make_model(owner=owner, tasks=tasks, load_test_option="off")
    return releasable(model.revisions.get())


def next_version(model: Model, version: str = "v1.0.1") -> Revision:
    """A further version of a model, ready to be released."""
    owner = model.owners.first()
    assert owner is not None
    made = create_revision(
        actor=actor_of(owner), user=owner, model=model, revision=make_revision_input(version, load_test_option="off")
    )
    return releasable(made)


def requested(revision: Revision, service: Service, *taxonomies: str) -> Release:
    """A release that an owner of the model requested."""
    owner = revision.model.owners.first()
    assert owner is not None
    return request_release(
        actor=actor_of(owner),
        user=owner,
        revision=revision,
        service=service,
        taxonomies=taxonomies or None,
        comment="It is better.",
    )


def approved(revision: Revision, service: Service, *taxonomies: str, canary_share: int | None = None) -> Release:
    """A release that an admin of the service approved."""
    admin = admin_of(service)
    return approve_release(
        actor=actor_of(admin),
        user=admin,
        release=requested(revision, service, *taxonomies),
        comment="Good enough.",
        canary_share=canary_share,
    )


def live(revision: Revision, service: Service, *taxonomies: str) -> Release:
    """A release that the service acknowledged."""
    return mark_released(actor=ACTOR, release=approved(revision, service, *taxonomies), how=WentLive.ACKNOWLEDGED)


def admin_of(service: Service) -> User:
    """One of the admins of a service."""
    admin = service.admins.order_by("pk").first()
    assert admin is not None
    return admin
