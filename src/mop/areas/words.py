"""Words that areas add to the product's vocabulary: audit actions and notification kinds, as one enum each per area."""

from __future__ import annotations

import enum
from typing import Self

OBJECT_TYPES = {
    "advisory_import": "import of advisories",
    "alert": "alert",
    "contract_run": "contract run",
    "dataset": "dataset",
    "dsat case": "DSAT case",
    "dsat import": "DSAT import",
    "evaluation": "evaluation",
    "golden_set": "golden set",
    "golden_set_run": "golden set run",
    "group": "group",
    "instance_type": "instance type",
    "invitation": "invitation",
    "loadtest": "load test",
    "model": "model",
    "regression_test": "regression test",
    "release": "release",
    "revision": "version",
    "service": "service",
    "source_prefix": "source prefix",
    "task": "task",
    "taxonomy": "taxonomy",
    "team": "team",
    "token": "access token",
    "trial": "try",
    "user": "person",
    "verification": "verification of results",
    "waiver": "waiver",
    "webhook": "webhook",
}
"""The types of objects in the audit log, and what pages call them."""

# the first part of an action where pages say it otherwise than with a blank for each underscore
_SUBJECTS = OBJECT_TYPES | {
    "dsat_access": "DSAT access",
    "dsat_case": "DSAT case",
    "dsat_import": "DSAT import",
    "service_token": "service token",
    "regression": "regression test",
}
_HAPPENINGS = {
    "asked": "requested",
    "last_administrator_kept": "kept as the last administrator",
    "rescan_asked": "new scan requested",
    "run_state": "status of a run changed",
    "sign_in_refused": "sign-in refused",
    "stale": "result became stale",
    "state": "status changed",
    "status": "status changed",
    "verification_state": "status of a verification changed",
}


class AuditAction(enum.StrEnum):
    """What happened, in the audit log: `<object type>.<what>`. An area's actions are a subclass."""

    @property
    def label(self) -> str:
        """The action as pages write it: `model.tags_changed` is "Model: tags changed"."""
        return action_label(self.value)


def action_label(action: str) -> str:
    """The action as pages write it; also for one that an earlier MOP recorded and no area declares any more."""
    subject, _, happened = action.partition(".")
    words = _SUBJECTS.get(subject) or subject.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}: {_HAPPENINGS.get(happened) or happened.replace('_', ' ')}"


def object_type_label(object_type: str) -> str:
    """What pages call a type of object."""
    return OBJECT_TYPES.get(object_type) or object_type.replace("_", " ")


class NotificationKind(enum.StrEnum):
    """Why somebody is told; people choose by kind. An area's kinds are a subclass.

    A member is written as its value, its short name ("load test failed", on a badge), its label ("A load test of my
    models failed", in settings) and the badge's tone: ok, bad, warn or quiet. A further element says that it concerns
    administrators alone.
    """

    short: str
    label: str
    tone: str
    for_administrators: bool

    def __new__(cls, value: str, short: str, label: str, tone: str, for_administrators: bool = False) -> Self:  # noqa: FBT001, FBT002 - members are written as tuples
        """A member from its tuple."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.short = short
        member.label = label
        member.tone = tone
        member.for_administrators = for_administrators
        return member

    @property
    def meaning(self) -> str:
        """One sentence for people who meet the word for the first time."""
        return f"{self.label}."
