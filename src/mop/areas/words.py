"""Words that areas add to the product's vocabulary: audit actions and notification kinds, as one enum each per area."""

from __future__ import annotations

import enum
from typing import Self


class AuditAction(enum.StrEnum):
    """What happened, in the audit log: `<object type>.<what>`. An area's actions are a subclass."""


class NotificationKind(enum.StrEnum):
    """Why somebody is told; people choose by kind. An area's kinds are a subclass.

    A member is written as its value, its label ("A version of my models is verified") and the badge's tone: ok, bad,
    warn or quiet. A fourth element says that it concerns administrators alone.
    """

    label: str
    tone: str
    for_administrators: bool

    def __new__(cls, value: str, label: str, tone: str, for_administrators: bool = False) -> Self:  # noqa: FBT001, FBT002 - members are written as tuples
        """A member from its tuple."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.tone = tone
        member.for_administrators = for_administrators
        return member

    @property
    def meaning(self) -> str:
        """One sentence for people who meet the word for the first time."""
        return f"{self.label}."
