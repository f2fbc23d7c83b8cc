"""Garbage collection of one host: what nobody used for long, what does not fit, what nothing refers to, leftovers.

Everything that goes can be made again from the artifact store and the package index, but for store objects that no
revision refers to. What is in use is locked, or was used a moment ago (see docs/environments.md).
"""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import connection

from mop.areas.registry import registered
from mop.environments.removal import (
    Standing,
    bytes_freed,
    clean_command,
    leftovers,
    remove_environment,
    remove_leftover,
    standing_caches,
    standing_environments,
)
from mop.environments.trees import inodes_of
from mop.hosting.tools import HostTools, open_host_tools
from mop.registry.models import Revision
from mop.registry.statuses import REVISION_LIFECYCLE
from mop.storage.unpacked import UnpackedFolder, remove_unpacked, unpacked_folders
from mop.storage.unreferenced import remove_object, unreferenced_objects

DAY = 24 * 3600.0
RECENT_SECONDS = 2 * 3600.0
"""Longer than an onboarding takes from finding an environment to holding it; it waits half an hour for room at most."""

CACHE_CLEAN_SECONDS = 600.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What may stay: at most so many days unused, at most so many bytes in all."""

    days: float
    bytes: float


@dataclass(frozen=True)
class Removal:
    """One thing that can go.

    Attributes:
        kind: environment, package cache, model, leftover or artifact.
        name: what it is, for people.
        why: the reason.
        bytes: what comes free; None where that is known only afterwards.
        remove: does it, unless somebody uses it by now; tells whether it is gone.
    """

    kind: str
    name: str
    why: str
    bytes: int | None
    remove: Callable[[], bool] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Plan:
    """What can go; `kept` says what is left alone for a reason that people should know."""

    removals: tuple[Removal, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """What revisions that are on their way refer to, and every digest that any row refers to."""

    environments: frozenset[str]
    digests: frozenset[str]
    all_digests: frozenset[str]


def configured_limits() -> Limits:
    """The installation's limits."""
    return Limits(settings.MOP_ENVIRONMENTS_MAX_DAYS, settings.MOP_ENVIRONMENTS_MAX_BYTES)


def collect_garbage() -> None:
    """What a worker does every few hours: everything of the plan; idempotent, any number may run at once."""
    tools = open_host_tools()
    tools.host.sweep()
    for removal in make_plan(tools, configured_limits(), read_wanted()).removals:
        if removal.remove():
            logger.info("garbage collection removed %s %s: %s", removal.kind, removal.name, removal.why)


def read_wanted() -> Wanted:
    """What the database refers to.

    Raises:
        django.db.DatabaseError: it does not answer, or has no tables.
    """
    on_their_way = Revision.objects.exclude(status__in=REVISION_LIFECYCLE.final)
    return Wanted(
        environments=frozenset(on_their_way.exclude(environment_key="").values_list("environment_key", flat=True)),
        digests=frozenset(on_their_way.exclude(artifact_digest="").values_list("artifact_digest", flat=True)),
        all_digests=frozenset(_referred_artifacts()),
    )


def _referred_artifacts() -> Iterator[str]:
    """Every digest that a row of any area refers to."""
    columns = [one for area in registered() for one in area.artifacts]
    with connection.cursor() as cursor:
        for one in columns:
            cursor.execute(f"SELECT DISTINCT {one.column} FROM {one.table} WHERE {one.column} <> ''")  # noqa: S608 - our own names
            yield from (digest for (digest,) in cursor.fetchall())


def make_plan(tools: HostTools, limits: Limits, wanted: Wanted | None) -> Plan:
    """What can go now. Nothing is removed yet; every removal looks again whether somebody uses the thing.

    Args:
        tools: the host's tools.
        limits: how long and how much may stay.
        wanted: by `read_wanted`; None without a database: then the artifact store is left alone.
    """
    now = time.time()
    chosen = _Chosen(tools, wanted, before=min(now - limits.days * DAY, now - RECENT_SECONDS))
    removals = [*chosen.by_age(), *chosen.leftovers(now), *chosen.by_size(limits.bytes, now)]
    kept = []
    if wanted is None:
        kept.append("the artifact store: there is no database that says which artifacts revisions refer to")
    else:
        removals += _artifacts(tools.artifact_folder, wanted, now)
    return Plan(tuple(removals), tuple(kept))


def bytes_on_disk(tools: HostTools) -> int:
    """Bytes of everything that garbage collection looks at; a file with several names counts once."""
    folders = (tools.environments.root, tools.folder, tools.artifact_folder)
    return sum(sum(inodes_of(folder).values()) for folder in folders)


class _Chosen:
    """Environments, caches and unpacked models of a host, and which of them go."""

    def __init__(self, tools: HostTools, wanted: Wanted | None, *, before: float) -> None:
        self._tools = tools
        self._root = tools.environments.root
        self._before = before
        self._wanted = wanted or Wanted(frozenset(), frozenset(), frozenset())
        self._environments = standing_environments(self._root)
        self._caches = standing_caches(self._root)
        self._models = [one for one in unpacked_folders(tools.folder) if one.is_whole]
        self._halves = [one for one in unpacked_folders(tools.folder) if not one.is_whole]
        self._going: list[Standing] = []
        self._models_going: list[UnpackedFolder] = []

    def by_age(self) -> Iterator[Removal]:
        """What nobody used for too long."""
        for one in self._free_environments(self._before):
            yield self._environment(one, f"unused for {_age(one.last_used)}")
        for model in self._free_models(self._before):
            yield self._model(model, f"unused for {_age(model.last_used)}")

    def leftovers(self, now: float) -> Iterator[Removal]:
        """What killed builds and removals left."""
        for one in leftovers(self._root):
            yield Removal(
                "leftover",
                f"{one.title} {one.key[:12]}",
                "its build ended",
                sum(one.inodes.values()),
                partial(remove_leftover, self._root, one.folder),
            )
        for half in self._halves:
            if half.last_used < now - RECENT_SECONDS:
                yield Removal(
                    "leftover",
                    f"model {half.folder.name[:12]}",
                    "its copy was not finished",
                    half.bytes,
                    partial(remove_unpacked, half.folder, unused_since=now - RECENT_SECONDS),
                )

    def by_size(self, bytes_max: float, now: float) -> Iterator[Removal]:
        """Package caches are cleaned; while all together is too large they are emptied, then the longest unused go."""
        over = self._bytes_kept() > bytes_max
        for cache in self._caches:
            yield self._cache(cache, everything=over)
        recent = now - RECENT_SECONDS
        by_use: list[Standing | UnpackedFolder] = [*self._free_environments(recent), *self._free_models(recent)]
        for one in sorted(by_use, key=lambda each: each.last_used):
            if self._bytes_kept() <= bytes_max:
                return
            why = f"over the size; unused for {_age(one.last_used)}"
            yield self._environment(one, why) if isinstance(one, Standing) else self._model(one, why)

    def _bytes_kept(self) -> int:
        """Bytes of all that stays, as far as it is known."""
        parts = [*self._environments, *self._caches]
        models = sum(one.bytes for one in self._models) - sum(one.bytes for one in self._models_going)
        return bytes_freed(parts, parts) - bytes_freed(self._going, parts) + models

    def _free_environments(self, before: float) -> list[Standing]:
        return [
            one
            for one in self._environments
            if one.last_used < before and one.key not in self._wanted.environments and one not in self._going
        ]

    def _free_models(self, before: float) -> list[UnpackedFolder]:
        return [
            one
            for one in self._models
            if one.last_used < before and one.folder.name not in self._wanted.digests and one not in self._models_going
        ]

    def _environment(self, one: Standing, why: str) -> Removal:
        parts = [*self._environments, *self._caches]
        before = bytes_freed(self._going, parts)
        self._going.append(one)
        return Removal(
            "environment",
            f"{one.key[:12]} ({one.title})",
            why,
            bytes_freed(self._going, parts) - before,
            lambda: remove_environment(self._root, one.key, unused_since=time.time() - RECENT_SECONDS),
        )

    def _model(self, one: UnpackedFolder, why: str) -> Removal:
        self._models_going.append(one)
        return Removal(
            "model",
            one.folder.name[:12],
            why,
            one.bytes,
            lambda: remove_unpacked(one.folder, unused_since=time.time() - RECENT_SECONDS),
        )

    def _cache(self, one: Standing, *, everything: bool) -> Removal:
        size = None
        if everything:
            parts = [*self._environments, *self._caches]
            before = bytes_freed(self._going, parts)
            self._going.append(one)
            size = bytes_freed(self._going, parts) - before
        return Removal(
            "package cache",
            one.key,
            "over the size" if everything else "what nothing refers to",
            size,
            lambda: _clean(self._tools, one.folder.parent, everything=everything),
        )


def _clean(tools: HostTools, area: Path, *, everything: bool) -> bool:
    """Run uv in the cage, as the user that owns the cache."""
    command = clean_command(tools.environments, area, everything=everything)
    try:
        finished = subprocess.run(
            tools.cage(command),
            env=dict(command.env),
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CACHE_CLEAN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False  # a build uses the cache all the while; the next collection tries again
    if finished.returncode:
        logger.warning("uv could not clean its cache: %s", finished.stderr.decode(errors="replace")[-500:])
    return finished.returncode == 0


def _artifacts(store: Path, wanted: Wanted, now: float) -> Iterator[Removal]:
    """Store objects that nothing refers to, older than any snapshot in progress can be."""
    before = now - max(DAY, 2 * settings.MOP_FETCH_DEADLINE)
    for one in unreferenced_objects(store, wanted.all_digests, before=before):
        kind, _, name = one.path.partition("/")
        yield Removal(
            "artifact",
            f"{kind.removesuffix('s')} {name.rpartition('/')[2][:12]}",
            "nothing refers to it",
            one.bytes,
            partial(remove_object, store, one.path, before=before),
        )


def _age(moment: float) -> str:
    days = max(time.time() - moment, 0.0) / DAY
    return f"{days:.0f} days" if days >= 1 else f"{days * 24:.0f} hours"
