"""Every kind of hostile file."""

from __future__ import annotations

from security.hostile import Hostile, calls, containers, others, writings
from security.hostile_functions import combinations, functions
from security.hostile_structures import modules, structures, texts

ALL: tuple[Hostile, ...] = (
    *(*calls(), *writings(), *containers(), *others()),
    *(*functions(), *combinations(), *structures(), *texts(), *modules()),
)
