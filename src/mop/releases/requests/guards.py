"""What a release keeps from being taken away: its version, its being public, and its connected tasks."""

from __future__ import annotations

from django.db.models import QuerySet

from mop.registry.models import Revision, TaskConnection
from mop.releases.release_models import Release, ReleaseTask
from mop.releases.release_states import HOLDING, ReleaseState


def held_by_release(revision: Revision) -> str | None:
    """Why a version may not be deleted: it is live, or a service may take it."""
    return _why(_holding(revision).first(), "can not be deleted")


def kept_public(revision: Revision) -> str | None:
    """Why a version may not become private: who runs it must be able to see it."""
    return _why(_holding(revision).first(), "can not be made private")


def held_connection(connection: TaskConnection) -> str | None:
    """Why a task may not be disconnected: a release of the model uses it."""
    used = ReleaseTask.objects.filter(
        task=connection.task_id, release__revision__model=connection.model_id, release__state__in=HOLDING
    )
    found = used.select_related("release__service", "release__revision__model").first()
    return _why(found.release if found else None, f"needs {connection.task.name}: it can not be disconnected")


def _holding(revision: Revision) -> QuerySet[Release]:
    return Release.objects.filter(revision=revision, state__in=HOLDING).select_related("service")


def _why(release: Release | None, what: str) -> str | None:
    if release is None:
        return None
    is_live = release.state == ReleaseState.RELEASED
    state = "is live in" if is_live else "is approved for"
    undo = "retires it or takes another release" if is_live else "withdraws it"
    return (
        f"{release.model_name} {release.version} {state} {release.service.name} (release {release.pk}), so it {what} "
        f"until an admin of the service {undo}."
    )
