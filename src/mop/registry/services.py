"""Writes to models and revisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from mop.accounts.models import Team, User
from mop.accounts.owners import Ownership
from mop.accounts.quotas import use
from mop.areas.registry import registered
from mop.audit.services import Actor, record
from mop.catalog.models import InstanceType, Task
from mop.errors import ConflictError, MopError, NotFoundError, ValidationFailedError
from mop.registry.actions import Action
from mop.registry.advance import REVISION
from mop.registry.models import CUSTOMIZED_NAME_MAX, Model, Revision, TaskConnection
from mop.registry.notices import forget_model, forget_revision, notify_owners_changed
from mop.registry.quotas import STORED, VERSIONS
from mop.registry.samples import sample_problem
from mop.registry.start import PIPELINE_JOB, start_pipeline
from mop.registry.statuses import REVISION_LIFECYCLE, RevisionStatus
from mop.registry.summaries import refresh_summary
from mop.registry.versions import default_description, default_note
from mop.serving_options import ServingOptions, values_of
from mop.sources.prefixes import allowed
from mop.sources.purposes import Purpose


@dataclass(frozen=True)
class ConnectionInput:
    """A task to connect, and the name that the model's output gives its taxonomy."""

    task: Task
    customized_name: str


@dataclass(frozen=True, kw_only=True)
class RevisionInput(ServingOptions):
    """What a contributor gives for one version."""

    version: str
    model_url: str
    instance_type: InstanceType
    note: str = ""
    sample_post_data: Any = None


@transaction.atomic
def create_model(
    *,
    actor: Actor,
    user: User,
    name: str,
    description: str,
    intended_use: str = "",
    limits: str = "",
    team: Team,
    connections: Sequence[ConnectionInput],
    revision: RevisionInput,
) -> Revision:
    """Add a model with its connected tasks and first revision, owned by its creator, and start the pipeline.

    Raises:
        ValidationFailedError: a field breaks its rule; `fields` names it as the form does.
        QuotaExceededError: the team has too many versions on their way, or no room for snapshots left.
    """
    model = _new_model(user, name, description, team)
    model.intended_use, model.limits = intended_use, limits
    problems = Problems()
    _check_model(model, user, revision, problems)
    _check_connections(connections, problems)
    problems.raise_any()
    with _unless_taken("name"):
        model.save()
    model.owners.add(user)
    TaskConnection.objects.bulk_create(
        TaskConnection(
            model=model, taxonomy=item.task.taxonomy, task=item.task, customized_name=item.customized_name.strip()
        )
        for item in connections
    )
    record(
        actor=actor,
        action=Action.MODEL_CREATED,
        object_type="model",
        object_id=model.pk,
        object_label=name,
        data={"team": team.name, "tasks": [item.task.name for item in connections]},
    )
    return create_revision(actor=actor, user=user, model=model, revision=revision)


def check_model(*, user: User, name: str, description: str, team: Team, revision: RevisionInput) -> None:
    """Check what the first step of the form gives, before any task is connected. Saves nothing.

    Raises:
        ValidationFailedError: a field breaks its rule; `fields` names it as the form does.
    """
    problems = Problems()
    _check_model(_new_model(user, name, description, team), user, revision, problems)
    problems.raise_any()


@transaction.atomic
def create_revision(*, actor: Actor, user: User, model: Model, revision: RevisionInput) -> Revision:
    """Add a version to a model and start the pipeline.

    Raises:
        ValidationFailedError: a field breaks its rule.
        NotFoundError: the model was deleted a moment ago.
        QuotaExceededError: its team has too many versions on their way, or no room for snapshots left.
    """
    if not list(Model.objects.select_for_update(no_key=True).filter(pk=model.pk).values_list("pk")):
        raise NotFoundError(f"There is no model {model.name!r} any more.")
    row = _draft(model, user, revision)
    problems = Problems()
    problems.check(row)
    _check_instance_type(revision.instance_type, problems)
    _check_sample(revision.sample_post_data, problems)
    _check_url(model.team, revision.model_url, problems)
    problems.raise_any()
    use(VERSIONS, model.team)
    use(STORED, model.team)  # how much it is shows when its folder is read
    record(
        actor=actor,
        action=Action.REVISION_CREATED,
        object_type="revision",
        object_id=row.pk,
        object_label=str(row),
        data={"model_url": row.model_url, **row.configuration()},
    )
    with _unless_taken("version"):
        REVISION.begin(row, actor=actor)
    start_pipeline(row)
    return row


@transaction.atomic
def retry_revision(*, actor: Actor, revision: Revision) -> Revision:
    """Run the pipeline again on the version's snapshot, in a new attempt.

    Raises:
        ConflictError: the revision is not verifyFailed, cancelled or toBeRetried.
        QuotaExceededError: its team has too many versions on their way.
    """
    row = REVISION.lock(revision.pk)
    if row.get_status() not in REVISION_LIFECYCLE.restarts:
        raise ConflictError(
            f"{row} is {row.status}; only verifyFailed, cancelled and toBeRetried versions can be retried.",
            hint="A changed folder is a new version: use Upgrade version.",
        )
    if row.get_status().is_final:  # one that waits for its next try is on its way already
        use(VERSIONS, row.model.team)
    PIPELINE_JOB.stop(row)
    begin_attempt(row, actor=actor, detail="retried")
    start_pipeline(row)
    return row


def begin_attempt(revision: Revision, *, actor: Actor, detail: str) -> None:
    """Enter `created` again in a new attempt; what the last attempt found is cleared."""
    revision.warnings = []
    REVISION.restart(revision, actor=actor, detail=detail)


@transaction.atomic
def cancel_revision(*, actor: Actor, revision: Revision) -> Revision:
    """Stop the pipeline of a revision.

    Raises:
        ConflictError: nothing runs.
    """
    row = REVISION.lock(revision.pk)
    if row.get_status().is_final:
        raise ConflictError(f"{row} is {row.status}; there is nothing to cancel.")
    REVISION.move(row, RevisionStatus.CANCELLED, actor=actor, detail=f"cancelled by {actor.label}")
    PIPELINE_JOB.stop(row)
    return row


@transaction.atomic
def delete_revision(*, actor: Actor, revision: Revision) -> None:
    """Remove a version with all its results; stops what runs.

    Raises:
        ConflictError: something above holds it, or it is the model's only version.
    """
    row = Revision.objects.select_for_update(of=("self",)).select_related("model").get(pk=revision.pk)
    _refuse_held([row])
    # of two people who delete the last two versions, the second waits here and then sees that its own is the only one
    list(Model.objects.select_for_update(no_key=True).filter(pk=row.model_id).values_list("pk"))
    if not Revision.objects.filter(model=row.model_id).exclude(pk=row.pk).exists():
        raise ConflictError(f"{row} is the only version of {row.model}.", hint="Delete the model instead.")
    _remove(row, actor)
    refresh_summary(row.model_id)


@transaction.atomic
def delete_model(*, actor: Actor, model: Model) -> None:
    """Remove a model with all its versions and their results; stops what runs.

    Raises:
        ConflictError: something above holds a version.
    """
    rows = _all_locked(model)
    _refuse_held(rows)
    for row in rows:
        _remove(row, actor)
    record(actor=actor, action=Action.MODEL_DELETED, object_type="model", object_id=model.pk, object_label=model.name)
    forget_model(model)
    model.delete()


def _all_locked(model: Model) -> list[Revision]:
    """Every version of a model that goes; none can be added any more.

    Versions are locked before their model, as everywhere. One that was added in between is found by the second look.
    """
    found = Revision.objects.select_for_update(of=("self",)).select_related("model").filter(model=model).order_by("pk")
    list(found.all())
    list(Model.objects.select_for_update().filter(pk=model.pk).values_list("pk"))
    return list(found.all())


OWNERSHIP = Ownership("model", Action.MODEL_OWNER_ADDED, Action.MODEL_OWNER_REMOVED, notify_owners_changed)


def add_owner(*, actor: Actor, model: Model, user: User) -> None:
    """Make a user an owner of a model; does nothing if they are one."""
    OWNERSHIP.add(actor=actor, thing=model, user=user)


def remove_owner(*, actor: Actor, model: Model, user: User) -> None:
    """Take a user off a model's owners; does nothing if they are none.

    Raises:
        ConflictError: they are the last owner.
    """
    OWNERSHIP.remove(actor=actor, thing=model, user=user)


class Problems:
    """Collects field errors of several rows, so that a form shows them all at once."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}

    def add(self, name: str, message: str) -> None:
        """Note one message at a field."""
        self.fields.setdefault(name, []).append(message)

    def check(self, row: models.Model, *, leave_out: Sequence[str] = ()) -> None:
        """Note what a row's own validation finds."""
        try:
            row.full_clean(exclude=set(leave_out), validate_constraints=not leave_out)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                for message in messages:
                    self.add("version" if name == "__all__" and isinstance(row, Revision) else name, message)

    def raise_any(self) -> None:
        """Raise what was noted.

        Raises:
            ValidationFailedError: there is at least one message.
        """
        if self.fields:
            raise ValidationFailedError(
                "; ".join(f"{name}: {' '.join(messages)}" for name, messages in self.fields.items()), fields=self.fields
            )


@contextmanager
def _unless_taken(name: str) -> Iterator[None]:
    """A name that was free when the form was checked and is taken now."""
    try:
        yield
    except IntegrityError as error:
        message = f"This {name} was taken a moment ago."
        raise ValidationFailedError(f"{name}: {message}", fields={name: [message]}) from error


def _new_model(user: User, name: str, description: str, team: Team) -> Model:
    return Model(
        name=name,
        description=description or default_description(user.username, timezone.localdate()),
        team=team,
        created_by=user,
    )


def _check_model(model: Model, user: User, revision: RevisionInput, problems: Problems) -> None:
    problems.check(model)
    problems.check(_draft(model, user, revision), leave_out=("model",))
    _check_instance_type(revision.instance_type, problems)
    _check_sample(revision.sample_post_data, problems)
    _check_url(model.team, revision.model_url, problems)


def _draft(model: Model, user: User, given: RevisionInput) -> Revision:
    return Revision(
        model=model,
        created_by=user,
        version=given.version,
        note=given.note or default_note(model.name, user.username, timezone.localdate()),
        model_url=given.model_url.strip(),
        sample_post_data=given.sample_post_data,
        instance_type=given.instance_type,
        **values_of(given),
    )


def _check_connections(connections: Sequence[ConnectionInput], problems: Problems) -> None:
    if not connections:
        problems.add("connections", "Connect at least one task.")
    taxonomies = [item.task.taxonomy_id for item in connections]
    if len(set(taxonomies)) != len(taxonomies):
        problems.add("connections", "Connect at most one task of each taxonomy.")
    names = [item.customized_name.strip() for item in connections]
    if not all(names):
        problems.add("connections", "Give each taxonomy its name in the model's output.")
    if any(len(name) > CUSTOMIZED_NAME_MAX for name in names):
        problems.add("connections", f"A name in the model's output has {CUSTOMIZED_NAME_MAX} characters at most.")
    if len(set(names)) != len(names):
        problems.add("connections", "The names in the model's output must differ.")


def _check_instance_type(instance_type: InstanceType, problems: Problems) -> None:
    """A further version proposes the newest one's, which may be retired since."""
    if not instance_type.is_enabled:
        problems.add("instance_type", f"{instance_type} is retired. Choose one that is offered.")


def _check_sample(sample: Any, problems: Problems) -> None:
    if problem := sample_problem(sample):
        problems.add("sample_post_data", problem)


def _check_url(team: Team, url: str, problems: Problems) -> None:
    if not url.strip():
        return  # the row's own validation says that it is required
    try:
        allowed(team, Purpose.MODELS, url.strip())
    except MopError as error:
        problems.add("model_url", f"{error.message} {error.hint}".strip())


def held_reasons(revisions: Sequence[Revision]) -> list[str]:
    """Why these versions may not be deleted, in the words of the areas that hold them."""
    guards = [guard.load() for area in registered() for guard in area.deletion_guards]
    return [reason for row in revisions for guard in guards if (reason := guard(row))]


def _refuse_held(revisions: Sequence[Revision]) -> None:
    if reasons := held_reasons(revisions):
        raise ConflictError(" ".join(reasons))


def _remove(revision: Revision, actor: Actor) -> None:
    PIPELINE_JOB.stop(revision)
    record(
        actor=actor,
        action=Action.REVISION_DELETED,
        object_type="revision",
        object_id=revision.pk,
        object_label=str(revision),
        data={"status": revision.status, "artifact_digest": revision.artifact_digest},
    )
    forget_revision(revision)
    revision.delete()
