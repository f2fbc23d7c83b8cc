"""What a release keeps from being taken away: its version, its being public, and its connected tasks."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from mop.registry.models import Revision, TaskConnection
from mop.releases.release_models import Release, ReleaseTask
from mop.releases.release_states import HOLDING, ReleaseState


def held_by_release(revision: Revision) -> str | None:
    """Why a version may not be deleted: it is live, or a service may take it."""
    release = _holding(revision).first()
    return _why(release, "cannot be deleted") if release else None


def kept_public(revision: Revision) -> str | None:
    """Why a version may not become private: who runs it must be able to see it."""
    release = _holding(revision).first()
    return _why(release, "cannot be made private") if release else None


def held_connections(connections: Sequence[TaskConnection]) -> dict[int, str]:
    """Which tasks of a model may not be disconnected, by their ids: a release of the model uses them. One query."""
    names = {one.task_id: one.task.name for one in connections}
    used = ReleaseTask.objects.filter(
        task__in=names,
        release__revision__model__in={one.model_id for one in connections},
        release__state__in=HOLDING,
    ).select_related("release__service")
    held = {one.task_id: one.release for one in used.order_by("-release_id") if one.task_id is not None}
    return {
        task_id: _why(release, f"needs {names[task_id]}: it cannot be disconnected")
        for task_id, release in held.items()
    }


def _holding(revision: Revision) -> QuerySet[Release]:
    return Release.objects.filter(revision=revision, state__in=HOLDING).select_related("service")


def _why(release: Release, what: str) -> str:
    is_live = release.state == ReleaseState.RELEASED
    state = "is live in" if is_live else "is approved for"
    undo = "retires it or takes another release" if is_live else "withdraws it"
    return (
        f"{release.model_name} {release.version} {state} {release.service.name} (release {release.pk}), so it {what} "
        f"until an admin of the service {undo}."
    )
