"""Environments, package caches and leftovers of builds: what stands, its size, and removal of what nobody uses."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mop.environments.config import BuildCommand, Environment, EnvironmentConfig
from mop.environments.locks import free_key, shared_use, unused_key, use_path
from mop.environments.marker import NAME as MARKER
from mop.environments.marker import last_used, read_marker, touch_marker
from mop.environments.trees import Inodes, inodes_of, remove

TRASH = "trash"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A folder below the root of environments.

    Attributes:
        key: what it is of; for a cache the name of its folder.
        folder: where it stands.
        title: what it is, for people.
        last_used: seconds since the epoch; 0 where that says nothing.
        inodes: what it holds, so that files shared by links are counted once.
    """

    key: str
    folder: Path
    title: str
    last_used: float
    inodes: Inodes = field(repr=False)


@contextmanager
def environment_in_use(environment: Environment) -> Iterator[None]:
    """Nobody removes the environment while the block runs."""
    folder = environment.path.parent
    with shared_use(_lock(folder.parents[1], environment.key)):
        try:
            yield
        finally:
            touch_marker(folder)


def standing_environments(root: Path) -> list[Standing]:
    found = []
    for folder in sorted(root.glob("envs/*")):
        marker = read_marker(folder)
        if marker is not None:
            title = f"Python {marker.python_version}, {len(marker.packages)} packages"
            found.append(
                Standing(
                    key=folder.name,
                    folder=folder,
                    title=title,
                    last_used=last_used(folder),
                    inodes=inodes_of(folder),
                )
            )
    return found


def standing_caches(root: Path) -> list[Standing]:
    """The package caches, one of each uid that builds."""
    return [
        Standing(key=area.name, folder=area / "uv", title="package cache", last_used=0.0, inodes=inodes_of(area / "uv"))
        for area in sorted(root.glob("cache-*"))
        if (area / "uv").is_dir()
    ]


def leftovers(root: Path) -> list[Standing]:
    """What killed builds and removals left; what is being built now is none."""
    return [
        Standing(
            key=leftover_key(folder),
            folder=folder,
            title=folder.relative_to(root).parts[0],
            last_used=0.0,
            inodes=inodes_of(folder),
        )
        for folder in leftover_folders(root)
        if _is_idle(_lock(root, leftover_key(folder)))
    ]


def leftover_folders(root: Path) -> list[Path]:
    """The folders of `leftovers`, and those of builds that run now."""
    parts = [*root.glob("builds/*"), *root.glob("cache-*/building/*"), *root.glob(f"{TRASH}/*")]
    return sorted([*parts, *(folder for folder in root.glob("envs/*") if read_marker(folder) is None)])


def leftover_key(folder: Path) -> str:
    return folder.name.partition(".")[0]


def remove_environment(root: Path, key: str, *, unused_since: float) -> bool:
    """Remove an environment that nobody builds or uses and nobody used since; tells whether it is gone."""
    lock, folder = _lock(root, key), root / "envs" / key
    with free_key(lock) as free, unused_key(lock) as unused:
        if not (free and unused) or last_used(folder) >= unused_since or not folder.exists():
            return False
        aside = put_aside(folder, root)
        use_path(lock).unlink()
        lock.unlink()
    # the locks are given back before the long part: a build of this key need not wait for it
    remove(aside)
    return True


def remove_leftover(root: Path, part: Path) -> bool:
    """Remove one of `leftover_folders` unless its key is built or used now; tells whether it is gone."""
    lock = _lock(root, leftover_key(part))
    with free_key(lock) as free, unused_key(lock) as unused:
        # asked again under the lock: it may have been finished meanwhile
        if not (free and unused) or read_marker(part) is not None:
            return False
        remove(part)
    return True


def put_aside(folder: Path, root: Path) -> Path:
    """Move a folder to the trash in one step; who has it mounted keeps it until it is removed there."""
    (folder / MARKER).unlink(missing_ok=True)
    trash = root / TRASH
    trash.mkdir(parents=True, exist_ok=True)
    return folder.rename(trash / f"{folder.name}.{secrets.token_hex(4)}")


def clean_command(config: EnvironmentConfig, area: Path, *, everything: bool) -> BuildCommand:
    """Let uv remove from its cache what nothing refers to, or everything. uv waits for installs that use the cache."""
    return BuildCommand(
        argv=(str(config.uv), "cache", "clean" if everything else "prune"),
        env={"PATH": "/usr/bin:/bin", "HOME": str(area), "UV_CACHE_DIR": str(area / "uv"), "UV_NO_CONFIG": "1"},
        cwd=area,
        interpreter=config.interpreters[0].path if config.interpreters else config.uv,
        readable=(config.uv,),
        writable=(area,),
        network=False,
    )


def bytes_freed(going: Iterable[Standing], everything: Iterable[Standing]) -> int:
    """Bytes that come free when some of all these go: a file that another one links to stays."""
    removed = {one.folder for one in going}
    kept: set[int] = set()
    sizes: dict[int, int] = {}
    for one in everything:
        if one.folder in removed:
            sizes |= one.inodes
        else:
            kept |= one.inodes.keys()
    return sum(size for inode, size in sizes.items() if inode not in kept)


def _is_idle(lock: Path) -> bool:
    with free_key(lock) as free, unused_key(lock) as unused:
        return free and unused


def _lock(root: Path, key: str) -> Path:
    return root / "locks" / key
