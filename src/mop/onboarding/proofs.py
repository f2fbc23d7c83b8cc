"""Which tasks a version was proved with, and how its converters for Azure AI Content Safety came out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from mop.engine.fence import hold_fence
from mop.errors import StaleAttemptError
from mop.onboarding.models import ConverterProof, TaskProof
from mop.registry.models import Revision, TaskConnection


def is_proved(revision: Revision, connection: TaskConnection) -> bool:
    """Whether a version answered by the contract of a connected task, under the name that the connection has."""
    proofs = TaskProof.objects.filter(revision=revision, task=connection.task_id)
    return proofs.filter(customized_name=connection.customized_name).exists()


@transaction.atomic
def record_proofs(
    revision_id: uuid.UUID, proved: Iterable[tuple[int, str]], converters: Mapping[str, str] | None = None
) -> None:
    """Keep that a version answered by the contracts of tasks, and how its converters came out.

    Args:
        revision_id: the version.
        proved: each task by its id and the taxonomy's customized name.
        converters: as `prove_converters` gives it.

    Raises:
        StaleAttemptError: the version is gone.
        WorkerLostError: this worker's work was given to another.
    """
    hold_fence()
    if not Revision.objects.select_for_update(of=("self",)).filter(pk=revision_id).exists():
        raise StaleAttemptError(f"revision {revision_id} is gone")
    for task_id, customized_name in proved:
        TaskProof.objects.get_or_create(revision_id=revision_id, task_id=task_id, customized_name=customized_name)
    for modality, reason in (converters or {}).items():
        ConverterProof.objects.update_or_create(
            revision_id=revision_id,
            modality=modality,
            defaults={"is_proved": not reason, "reason": reason, "at": timezone.now()},
        )
