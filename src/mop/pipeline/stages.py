"""The stages that areas registered, in their order."""

from __future__ import annotations

from mop.areas.registry import registered
from mop.areas.work import Stage
from mop.registry.models import Revision


def stages() -> tuple[Stage, ...]:
    """Every stage, the first to start first.

    Raises:
        ValueError: a bug: two stages have one position, so that their order would be by chance.
    """
    found = sorted((stage for area in registered() for stage in area.stages), key=lambda stage: stage.position)
    positions = [stage.position for stage in found]
    if len(set(positions)) != len(positions):
        raise ValueError(f"two stages of the pipeline have one position: {[stage.name for stage in found]}")
    return tuple(found)


def begin_stage(stage: Stage, revision_id: str, attempt: int) -> tuple[str, int] | None:
    """Start a stage for an attempt, if it applies.

    Returns:
        Queue and priority when the pipeline is to enqueue the stage's workflow and to wait for it.
    """
    revision = Revision.objects.filter(pk=revision_id, attempt=attempt).first()
    if revision is None or not stage.applies.load()(revision):
        return None
    return stage.begin.load()(revision)
