"""What of the store and of the unpacked folders nobody needs, and its removal while others read and write.

A writer writes a blob anew even where it stands already, or renews its time of change (`ArtifactStore.renew`); a
manifest is always written anew. So the time alone tells whether a snapshot in progress counts on a file: what is older
than the grace time and stands in no manifest that is kept can go. It is moved aside first and looked at once more; what
was renewed in between goes back to its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mop.errors import MopError
from mop.storage.artifact_store import damaged
from mop.storage.manifest import Manifest, is_sha256

REMOVING = "removing"
_BLOBS, _MANIFESTS, _SIGNATURES = "blobs", "manifests", "signatures"


@dataclass(frozen=True)
class StoredObject:
    """A blob or manifest of a store; `path` is relative to the store's folder."""

    path: str
    bytes: int


def unreferenced_objects(store: Path, live: Collection[str], *, before: float) -> list[StoredObject]:
    """Manifests that are not `live`, signatures and blobs of no remaining one, last written or found before `before`.

    Args:
        store: the folder of a local artifact store.
        live: digests that must be kept.
        before: seconds since the epoch.

    Raises:
        ArtifactDamagedError: a live manifest is missing or damaged: what its blobs are nobody knows, so nothing may go.
    """
    put_back(store)
    found = {path.stem: path for path in store.glob(f"{_MANIFESTS}/*/*.json") if is_sha256(path.stem)}
    if missing := sorted(set(live) - found.keys()):
        raise damaged(f"manifest {missing[0]} is missing")
    objects = [
        one for digest, path in found.items() if digest not in live and (one := _older(path, store, before)) is not None
    ]
    going = {one.path for one in objects}
    kept = [path for path in found.values() if path.relative_to(store).as_posix() not in going]
    needed = {blob for path in kept for blob in _blobs_of(path)}
    objects += [
        one
        for path in store.glob(f"{_BLOBS}/*/*/*")
        if path.name not in needed and (one := _older(path, store, before)) is not None
    ]
    remaining = {path.stem for path in kept}
    objects += [
        one
        for path in store.glob(f"{_SIGNATURES}/*/*.json")
        if is_sha256(path.stem) and path.stem not in remaining and (one := _older(path, store, before)) is not None
    ]
    return objects


def remove_object(store: Path, path: str, *, before: float) -> bool:
    """Remove one of `unreferenced_objects`, unless somebody wrote or found it meanwhile; tells whether it is gone."""
    aside = store / REMOVING / path.replace("/", "+")
    aside.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        (store / path).rename(aside)
        if aside.stat().st_mtime >= before:
            _return(aside, store)
            return False
        aside.unlink()
    except FileNotFoundError:  # another collection removed it, or put it back
        return False
    return True


def put_back(store: Path) -> None:
    """Put back what a killed collection had moved aside and not yet looked at."""
    for aside in store.glob(f"{REMOVING}/*"):
        with suppress(FileNotFoundError):
            _return(aside, store)


def _return(aside: Path, store: Path) -> None:
    # if it was written anew meanwhile, the same bytes stand there already
    place = store / aside.name.replace("+", "/")
    place.parent.mkdir(parents=True, exist_ok=True)
    aside.replace(place)


def _older(path: Path, store: Path, before: float) -> StoredObject | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if status.st_mtime >= before:
        return None
    return StoredObject(path.relative_to(store).as_posix(), status.st_size)


def _blobs_of(path: Path) -> Iterator[str]:
    try:
        manifest = Manifest.from_json(path.read_bytes())
    except FileNotFoundError:
        return
    except (ValueError, MopError) as error:
        raise damaged(f"manifest {path.stem} cannot be read: {error}") from error
    for file in manifest.files:
        yield file.sha256
