"""Requesting a release, and deciding about it."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mop.accounts.models import User, UserEmail
from mop.audit.services import Actor
from mop.errors import ConflictError, NotAllowedError, ValidationFailedError
from mop.registry.models import Model, Revision, TaskConnection
from mop.releases.actions import Action
from mop.releases.bundles.services import begin_release_bundle
from mop.releases.models import Policy, Service
from mop.releases.presentation import failing_text
from mop.releases.release_models import COMMENT_MAX, Release, ReleaseTask
from mop.releases.release_states import OPEN, ReleaseState
from mop.releases.requests.evidence import Evidence, changes_between, evidence_of
from mop.releases.requests.moving import begin, end_canary_of, enter, lock_release, lock_service, require_admin
from mop.releases.requests.preconditions import takes
from mop.releases.requests.selectors import releases, version_of
from mop.releases.requests.switching import start_canary_of

CHANGES_SHOWN = 20


def connections_for(model: Model, service: Service, taxonomies: Sequence[str] | None = None) -> list[TaskConnection]:
    """The connected tasks that a release covers.

    Args:
        model: whose.
        service: which takes them.
        taxonomies: by name; None: every one that this kind of service takes.

    Raises:
        ValidationFailedError: a name is of no connected task, or no task is left.
    """
    connected = list(model.connections.select_related("taxonomy", "task__taxonomy").order_by("taxonomy__name"))
    if taxonomies is None:
        found = [one for one in connected if takes(service, one)]
        if not found:
            message = f"{service.name} takes none of the connected tasks of {model.name}."
            raise ValidationFailedError(message, fields={"taxonomies": [message]})
        return found
    names = [one.taxonomy.name for one in connected]
    if unknown := sorted(set(taxonomies) - set(names)):
        message = f"{model.name} resolves no task of {', '.join(unknown)}. It resolves {', '.join(names)}."
        raise ValidationFailedError(message, fields={"taxonomies": [message]})
    if not taxonomies:
        message = "Choose at least one taxonomy."
        raise ValidationFailedError(message, fields={"taxonomies": [message]})
    return [one for one in connected if one.taxonomy.name in set(taxonomies)]


@transaction.atomic
def request_release(
    *,
    actor: Actor,
    user: User,
    revision: Revision,
    service: Service,
    taxonomies: Sequence[str] | None = None,
    comment: str = "",
) -> Release:
    """Offer a version to a service for some of its tasks, with the evidence as it stands.

    Args:
        actor: who is recorded.
        user: the requester, an owner of the model.
        revision: the version.
        service: to which.
        taxonomies: by name; None: every connected one that the service takes.
        comment: for the admin who decides; required where a gate does not pass and the service's policy warns.

    Raises:
        NotAllowedError: the person owns the model no more.
        ConflictError: a precondition does not hold, a gate blocks it, or it is requested or live already; or the
            version was deleted meanwhile.
        ValidationFailedError: no task fits, or the comment is missing or too long.
    """
    service = lock_service(service, revision.pk)  # and its policy as it is by then
    row = Revision.objects.select_related("model").filter(pk=revision.pk).first()
    if row is None:
        raise ConflictError(f"{revision} was deleted a moment ago.")
    if not row.model.owners.filter(pk=user.pk).exists():
        raise NotAllowedError(f"{user.username} is no owner of {row.model.name}.", hint="Ask an owner to request it.")
    connections = connections_for(row.model, service, taxonomies)
    refuse_repeated(row, service, connections)
    evidence = evidence_of(row, service, connections)
    refuse_unmet(evidence)
    refuse_gates(evidence, service)
    comment = _checked(comment, needed=evidence.failing_text())
    release = Release.objects.create(
        service=service,
        revision=row,
        model_name=row.model.name,
        version=row.version,
        artifact_digest=row.artifact_digest,
        requested_by=user,
        comment=comment,
        owners_at_request=list(row.model.owners.order_by("pk").values_list("pk", flat=True)),
        evidence_at_request=evidence.document,
        evidence_digest=evidence.digest,
    )
    add_tasks(release, connections)
    found = releases().get(pk=release.pk)
    begin(found, actor=actor, detail=comment)
    return found


def add_tasks(release: Release, connections: Sequence[TaskConnection]) -> None:
    """Write which tasks a new release is for."""
    ReleaseTask.objects.bulk_create(
        ReleaseTask(
            release=release,
            taxonomy=one.taxonomy,
            task=one.task,
            modality=one.task.modality,
            customized_name=one.customized_name,
        )
        for one in connections
    )


@transaction.atomic
def approve_release(
    *,
    actor: Actor,
    user: User,
    release: Release,
    comment: str,
    evidence: str | None = None,
    canary_share: int | None = None,
) -> Release:
    """Let the service take a release.

    Args:
        actor: who is recorded.
        user: an admin of the service, neither the requester nor an owner of the model.
        release: a requested one.
        comment: why.
        evidence: digest of the evidence that was read; None: that of the request.
        canary_share: per cent of the requests that it answers before it is live; None: without a canary.

    Raises:
        NotAllowedError: the person may not decide about it.
        ConflictError: it was decided, the evidence changed, a precondition does not hold any more, or a gate blocks.
        NotFoundError: the version was deleted.
        ValidationFailedError: the comment is missing or too long, or the share is not 1 to 99.
    """
    row = lock_release(release)
    require_admin(row.service, user)
    if obstacle := approval_obstacle(row, user):
        raise NotAllowedError(obstacle, hint="Another admin of the service must decide.")
    if row.get_state() == ReleaseState.REQUESTED:  # otherwise `enter` says who decided
        now = current_evidence(row)
        if now.digest != (evidence or row.evidence_digest):
            raise ConflictError(_changed(row, now), hint="Read the evidence as it is now, then decide.")
        refuse_unmet(now)
        refuse_gates(now, row.service)
        comment = _checked(comment, needed="An approval has a comment")
        row.evidence_at_decision = dict(now.document)
        row.evidence_digest = now.digest
    enter(
        row,
        ReleaseState.APPROVED,
        action=Action.RELEASE_APPROVED,
        actor=actor,
        detail=comment,
        decided_at=timezone.now(),
        decided_by=user,
        decision_comment=comment,
        is_self_approved=is_own(row, user),
        evidence_at_decision=row.evidence_at_decision,
        evidence_digest=row.evidence_digest,
    )
    begin_release_bundle(actor=actor, release=row)
    if canary_share is not None:
        start_canary_of(row, share=canary_share, actor=actor)
    return row


@transaction.atomic
def reject_release(*, actor: Actor, user: User, release: Release, comment: str) -> Release:
    """Refuse a release.

    Raises:
        NotAllowedError: the person is no admin of the service.
        ConflictError: it was decided.
        ValidationFailedError: the comment is missing or too long.
    """
    row = lock_release(release)
    require_admin(row.service, user)
    comment = _checked(comment, needed="A rejection has a comment")
    enter(
        row,
        ReleaseState.REJECTED,
        action=Action.RELEASE_REJECTED,
        actor=actor,
        detail=comment,
        decided_at=timezone.now(),
        decided_by=user,
        decision_comment=comment,
        evidence_at_decision=dict(current_evidence(row).document) if row.revision else None,
    )
    return row


@transaction.atomic
def withdraw_release(*, actor: Actor, release: Release, comment: str = "") -> Release:
    """Take a release back before it is live; a canary of it ends.

    Raises:
        ConflictError: it was live, or is over.
        ValidationFailedError: the comment is too long.
    """
    row = lock_release(release)
    comment = _checked(comment)
    end_canary_of(row, actor=actor, detail="the release was withdrawn", is_held=True)
    row.is_held = False
    enter(
        row,
        ReleaseState.WITHDRAWN,
        action=Action.RELEASE_WITHDRAWN,
        actor=actor,
        detail=comment,
        end_comment=comment,
        is_held=False,
    )
    return row


def current_evidence(release: Release) -> Evidence:
    """The evidence of a release as it stands now, for the tasks that it was requested for.

    A model may have another task of a taxonomy by now, or call the taxonomy otherwise: what is known of that is no
    evidence for this release.

    Raises:
        NotFoundError: the version was deleted.
    """
    revision = version_of(release)
    wanted = {(one.task_id, one.customized_name): one for one in release.tasks.select_related("task")}
    found = {
        (one.task_id, one.customized_name): one
        for one in revision.model.connections.select_related("taxonomy", "task__taxonomy")
    }
    lacking = sorted(one.task.name for key, one in wanted.items() if key not in found)
    connections = [one for key, one in found.items() if key in wanted]
    return evidence_of(revision, release.service, connections, lacking=lacking)


def approval_obstacle(release: Release, user: User) -> str:
    """Why an admin of the service may not approve a release; empty where they may."""
    if not is_own(release, user):
        return ""
    if settings.MOP_SINGLE_ADMIN_APPROVES and release.service.admins.count() == 1:
        return ""
    if release.requested_by_id == user.pk:
        return "Somebody else than the requester must approve a release."
    return "Somebody who is no owner of the model must approve a release."


def is_own(release: Release, user: User) -> bool:
    """Whether a person requested the release or owns the model, or did when it was requested, by any of their accounts.

    Accounts that share an e-mail address, or did, are one person's.
    """
    owners = release.revision.model.owners.values_list("pk", flat=True) if release.revision else ()
    people = {release.requested_by_id, *release.owners_at_request, *owners}
    if user.pk in people:
        return True
    mine = UserEmail.objects.filter(user=user).values("email")
    return UserEmail.objects.filter(user__in=people, email__in=mine).exists()


def refuse_unmet(evidence: Evidence) -> None:
    """Refuse a release of which a precondition does not hold.

    Raises:
        ConflictError: which, and why.
    """
    if unmet := evidence.unmet:
        raise ConflictError(
            " ".join(f"{one.title}: no. {one.reason}" for one in unmet),
            hint=" ".join(one.hint for one in unmet),
        )


def refuse_gates(evidence: Evidence, service: Service) -> None:
    """Refuse a release whose gates do not pass where the service's policy blocks.

    Raises:
        ConflictError: which conditions do not hold, and what was measured.
    """
    if service.policy == Policy.BLOCK and evidence.failing:
        raise ConflictError(
            f"{_sentence(evidence.failing_text())}; {service.name} takes only what passes. "
            f"{failing_text(evidence.gates)}",
            hint="Measure what is missing, offer a better version, or ask who owns the conditions to change them.",
        )


def refuse_repeated(revision: Revision, service: Service, connections: Sequence[TaskConnection]) -> None:
    """Refuse to offer what is offered or live already.

    Raises:
        ConflictError: which release it is.
    """
    taxonomies = [one.taxonomy_id for one in connections]
    same = Release.objects.filter(service=service, revision=revision, tasks__taxonomy__in=taxonomies)
    if found := same.filter(state__in=OPEN).first():
        raise ConflictError(
            f"{revision} is offered to {service.name} already: release {found.pk} is {found.state}.",
            hint="Wait for the decision, or withdraw that release first.",
        )
    live = set(same.filter(live_slots__isnull=False).values_list("live_slots__taxonomy", flat=True))
    if set(taxonomies) <= live:
        raise ConflictError(f"{revision} is live in {service.name} already.")


def _changed(release: Release, now: Evidence) -> str:
    changes = changes_between(release.evidence_at_request, now.document)
    shown = " ".join(changes[:CHANGES_SHOWN])
    more = f" And {len(changes) - CHANGES_SHOWN} more." if len(changes) > CHANGES_SHOWN else ""
    if not changes:  # the caller read another state, and what changed since then changed back
        return "The evidence is not what you read; it is again what it was at the request."
    return f"The evidence changed since the request: {shown}{more}"


def _checked(comment: str, *, needed: str = "") -> str:
    """A comment without blanks around it; `needed` says why there must be one."""
    text = comment.strip()
    if len(text) > COMMENT_MAX:
        message = f"The comment has {len(text):,} characters; {COMMENT_MAX:,} are allowed."
        raise ValidationFailedError(message, fields={"comment": [message]})
    if needed and not text:
        message = f"{_sentence(needed)}: give a reason."
        raise ValidationFailedError(message, fields={"comment": [message]})
    return text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
