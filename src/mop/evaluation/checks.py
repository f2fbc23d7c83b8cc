"""What a verification says of one number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One number, or one property.

    Attributes:
        name: what it is.
        kept: as MOP shows it; None is undefined.
        computed: as it was computed again.
        holds: whether they are the same.
    """

    name: str
    kept: float | None
    computed: float | None
    holds: bool
