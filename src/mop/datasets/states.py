"""The lifecycle of a dataset, and the states of a binding."""

from __future__ import annotations

from django.db import models

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class DatasetStatus(State):
    """Where a dataset stands."""

    CREATED = live("created", "The file is being read and verified.")
    VERIFIED = final("verified", "The file follows the format; task owners can approve the dataset.", tone=Tone.OK)
    VERIFY_FAILED = final("verifyFailed", "The verification failed: the file breaks rules.", tone=Tone.BAD)
    OUTDATED = final("outdated", "An owner set the dataset aside; nothing is measured on it.", tone=Tone.QUIET)


S = DatasetStatus

DATASET_LIFECYCLE = Lifecycle(
    path=(S.CREATED, S.VERIFIED),
    exits={S.VERIFY_FAILED},
    further={S.VERIFIED: {S.OUTDATED}, S.VERIFY_FAILED: {S.OUTDATED}},
    restarts={S.VERIFY_FAILED},
)

HIDDEN_BY_DEFAULT = (S.OUTDATED, S.VERIFY_FAILED)


class BindingState(models.TextChoices):
    """What a task's owner decided about a dataset."""

    REQUESTED = "requested", "waiting for approval"
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"

    @property
    def tone(self) -> str:
        """The colour of its badge."""
        return {"requested": "warn", "approved": "ok", "rejected": "quiet"}[self.value]

    @property
    def meaning(self) -> str:
        """One sentence about the word."""
        return {
            "requested": "An owner of the task has not decided yet.",
            "approved": "Models of the task are measured on the dataset.",
            "rejected": "An owner of the task refused the dataset; it is not used for the task.",
        }[self.value]
