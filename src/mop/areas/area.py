"""What an area adds to the product, said once.

Each area has a file `area.py` with one `AREA`. API, portal, worker, command line, pipeline, audit log and the table of
permissions are assembled from these objects; docs/adding-an-area.md shows how. The file imports nothing but
`mop.areas`, the standard library and other such light files of its area: see `references`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mop.areas.navigation import NavEntry
from mop.areas.permissions import Permissions
from mop.areas.portal_extensions import PortalExtension
from mop.areas.references import Ref
from mop.areas.words import AuditAction, NotificationKind
from mop.areas.work import Schedule, Stage, Workflow

if TYPE_CHECKING:
    import uuid

    import typer
    from ninja import Router


@dataclass(frozen=True)
class Urls:
    """A module of addresses, and what stands before them."""

    module: str
    prefix: str = ""


@dataclass(frozen=True)
class Commands:
    """Commands of `mop` from one file, their place in its help, and the group whose commands they are, if any."""

    app: Ref[typer.Typer]
    order: int
    group: str = ""


@dataclass(frozen=True)
class ArtifactColumn:
    """A column of digests of artifacts, empty where a row has none. Garbage collection and backups keep these."""

    table: str
    column: str


@dataclass(frozen=True, kw_only=True)
class Area:
    """An area of the product.

    Attributes:
        name: the last part of its package's name.
        routers: its operations, below /api/v1.
        urls: its pages.
        permissions: the rows for all of them.
        navigation: its entries in side bar and user menu.
        portal_extensions: what it adds to pages of other areas.
        workflows: its durable work.
        jobs: what the sweep of lost enqueues looks after; each is a `Job` of `mop.engine.job`.
        schedules: its periodic work.
        stages: its stages of the pipeline.
        audit_actions: what it records; an action that no area declares is refused.
        notification_kinds: what it tells people.
        work_on_revisions: functions that give the ids of revisions that its work waits for or runs on, so that their
            status may change though their pipeline is done; best as a queryset, which becomes part of a page's query.
        deletion_guards: functions that give the reason why a revision may not be deleted, or None.
        unpublishing_guards: functions that give the reason why a revision may not become private, or None.
        disconnection_guards: functions that are given connections of one model, and give by the ids of their tasks the
            reasons why they may not be disconnected. Asked once for a page.
        connection_changes: functions that are told, in its transaction, of a model whose connected tasks changed.
        artifacts: columns of its tables that refer to artifacts.
        commands: its commands of `mop`.
        departures: functions that end what the area does in the name of a person who is disabled, each given the actor
            and the user, in the transaction of that; sessions and tokens end anyway.
        belongings: functions that give what a person is responsible for, each given the user; each thing is a
            `Belonging` of `mop.accounts.belongings`.
        searches: what the portal's search finds of it; each is a `Search` of `mop.ui.search`.
        team_quotas: what it counts for each team; each is a `Quota` of `mop.accounts.quotas`.
        team_bonds: functions that say which teams must stay, or keep their names; each gives `Bond`s of
            `mop.accounts.teams`.
    """

    name: str
    routers: tuple[Ref[Router], ...] = ()
    urls: tuple[Urls, ...] = ()
    permissions: Ref[Permissions] | None = None
    navigation: tuple[NavEntry, ...] = ()
    portal_extensions: tuple[PortalExtension, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    jobs: tuple[Ref[Any], ...] = ()
    schedules: tuple[Schedule, ...] = ()
    stages: tuple[Stage, ...] = ()
    audit_actions: type[AuditAction] | None = None
    notification_kinds: type[NotificationKind] | None = None
    work_on_revisions: tuple[Ref[Callable[[], Iterable[uuid.UUID]]], ...] = ()
    deletion_guards: tuple[Ref[Callable[[Any], str | None]], ...] = ()
    unpublishing_guards: tuple[Ref[Callable[[Any], str | None]], ...] = ()
    disconnection_guards: tuple[Ref[Callable[[Any], Mapping[int, str]]], ...] = ()
    connection_changes: tuple[Ref[Callable[[Any], None]], ...] = ()
    artifacts: tuple[ArtifactColumn, ...] = ()
    commands: tuple[Commands, ...] = ()
    departures: tuple[Ref[Callable[[Any, Any], None]], ...] = ()
    belongings: tuple[Ref[Callable[[Any], Any]], ...] = ()
    searches: tuple[Ref[Any], ...] = ()
    team_quotas: tuple[Ref[Any], ...] = ()
    team_bonds: tuple[Ref[Callable[[], Iterable[Any]]], ...] = ()
