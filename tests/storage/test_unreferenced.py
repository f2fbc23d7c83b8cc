from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mop.errors import PlatformFault
from mop.storage import ArtifactStore, Manifest, SnapshotLimits, folder_in_use, materialise, store_folder, unpack
from mop.storage.marker import locked_marker
from mop.storage.unpacked import remove_unpacked, unpacked_folders
from mop.storage.unreferenced import REMOVING, remove_object, unreferenced_objects

WriteTree = Callable[[Path, dict[str, bytes]], Path]
LONG_AGO = time.time() - 10 * 24 * 3600
HOUR_AGO = time.time() - 3600
ALWAYS = float("inf")


def quiet(_line: str) -> None:
    """Nobody reads the log."""


async def keep(folder: Path, store: ArtifactStore) -> Manifest:
    return await store_folder(folder, store, limits=SnapshotLimits(), log=quiet)


def root_of(store: ArtifactStore) -> Path:
    assert store.folder is not None
    return store.folder


def age_all(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def collect(store: ArtifactStore, *live: str) -> int:
    root = root_of(store)
    found = unreferenced_objects(root, live, before=HOUR_AGO)
    return sum(remove_object(root, one.path, before=HOUR_AGO) for one in found)


@pytest.fixture
async def two(tmp_path: Path, store: ArtifactStore, write_tree: WriteTree) -> tuple[Manifest, Manifest]:
    """Two old snapshots that share a file."""
    first = await keep(write_tree(tmp_path / "a", {"shared": b"both", "own": b"first"}), store)
    second = await keep(write_tree(tmp_path / "b", {"shared": b"both", "own": b"second"}), store)
    age_all(root_of(store))
    return first, second


# The store -------------------------------------------------------------------------------------------------


async def test_objects_of_no_revision_go_and_shared_ones_stay(
    tmp_path: Path, store: ArtifactStore, two: tuple[Manifest, Manifest]
) -> None:
    first, second = two
    assert collect(store, first.digest) == 2  # a manifest and a blob
    await materialise(first.digest, store, tmp_path / "out", log=quiet)
    with pytest.raises(PlatformFault):
        await store.get_manifest(second.digest)
    assert collect(store, first.digest) == 0


async def test_what_is_younger_than_the_grace_time_stays_with_all_it_names(
    tmp_path: Path, store: ArtifactStore, two: tuple[Manifest, Manifest]
) -> None:
    _, second = two
    await store.put_manifest(second)  # a snapshot that ends now; its revision is not written yet
    assert collect(store) == 2
    await materialise(second.digest, store, tmp_path / "out", log=quiet)


async def test_a_snapshot_in_progress_keeps_what_it_found_already_stored(
    store: ArtifactStore, two: tuple[Manifest, Manifest]
) -> None:
    async def shared() -> AsyncIterator[bytes]:
        yield b"both"

    assert two
    planned = unreferenced_objects(root_of(store), (), before=HOUR_AGO)
    blob = await store.put_file(shared())  # between planning and removing
    removed = {one.path for one in planned if remove_object(root_of(store), one.path, before=HOUR_AGO)}
    assert len(removed) == len(planned) - 1
    assert await store.exists(blob.sha256, size=4)


async def test_snapshots_taken_while_everything_is_collected_are_whole(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    files = {f"file{number}": bytes([number]) * 100 for number in range(30)}
    folder = write_tree(tmp_path / "m", files)
    manifest = await keep(folder, store)
    for attempt in range(5):
        age_all(root_of(store))
        collecting = asyncio.create_task(asyncio.to_thread(collect, store))
        assert await keep(folder, store) == manifest
        await collecting
        await materialise(manifest.digest, store, tmp_path / f"out{attempt}", log=quiet)


async def test_what_a_killed_collection_had_moved_aside_is_put_back(
    tmp_path: Path, store: ArtifactStore, two: tuple[Manifest, Manifest]
) -> None:
    first, second = two
    root = root_of(store)
    sha256 = hashlib.sha256(b"first").hexdigest()
    path = f"blobs/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    (root / REMOVING).mkdir()
    (root / path).rename(root / REMOVING / path.replace("/", "+"))
    assert unreferenced_objects(root, (first.digest, second.digest), before=HOUR_AGO) == []
    await materialise(first.digest, store, tmp_path / "out", log=quiet)


@pytest.mark.parametrize("damage", [b"", b"{", None])
async def test_a_store_with_a_damaged_manifest_is_left_alone(
    store: ArtifactStore, two: tuple[Manifest, Manifest], damage: bytes | None
) -> None:
    first, second = two
    path = next(root_of(store).glob(f"manifests/*/{first.digest}.json"))
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    with pytest.raises(PlatformFault):
        collect(store, first.digest, second.digest)
    assert len(list(root_of(store).glob("blobs/*/*/*"))) == 3


# Unpacked folders ------------------------------------------------------------------------------------------


@pytest.fixture
async def unpacked(tmp_path: Path, store: ArtifactStore, two: tuple[Manifest, Manifest]) -> Path:
    """A folder that was unpacked and used long ago."""
    first, _ = two
    folder = tmp_path / "models" / first.digest
    await unpack(first.digest, store, folder, log=quiet)
    age_marker(folder)
    return folder


def half_written(folder: Path) -> None:
    folder.rename(folder.with_name(f".{folder.name}.partial"))


def age_marker(folder: Path) -> None:
    os.utime(folder.with_name(f"{folder.name}.digest"), (LONG_AGO, LONG_AGO))


async def test_a_folder_that_nobody_used_since_is_removed_with_its_marker(unpacked: Path) -> None:
    [found] = unpacked_folders(unpacked.parent)
    assert (found.folder, found.is_whole) == (unpacked, True)
    assert found.bytes > 0
    assert remove_unpacked(unpacked, unused_since=HOUR_AGO)
    assert list(unpacked.parent.iterdir()) == []


async def test_a_folder_in_use_stays_however_old(unpacked: Path) -> None:
    with folder_in_use(unpacked):
        assert not remove_unpacked(unpacked, unused_since=ALWAYS)
    assert (unpacked / "shared").read_bytes() == b"both"
    assert not remove_unpacked(unpacked, unused_since=HOUR_AGO)  # its use ended just now
    assert remove_unpacked(unpacked, unused_since=ALWAYS)


async def test_unpacking_again_counts_as_a_use(store: ArtifactStore, unpacked: Path) -> None:
    await unpack(unpacked.name, store, unpacked, log=quiet)
    assert not remove_unpacked(unpacked, unused_since=HOUR_AGO)


async def test_a_folder_that_is_being_written_stays(unpacked: Path) -> None:
    async with locked_marker(unpacked):
        assert not remove_unpacked(unpacked, unused_since=ALWAYS)
    assert remove_unpacked(unpacked, unused_since=ALWAYS)


async def test_what_a_killed_unpacking_left_is_found_and_removed(unpacked: Path) -> None:
    half_written(unpacked)
    age_marker(unpacked)
    [left] = unpacked_folders(unpacked.parent)
    assert not left.is_whole
    assert remove_unpacked(unpacked, unused_since=HOUR_AGO)
    assert list(unpacked.parent.iterdir()) == []


async def test_unpacking_and_removal_in_a_race_end_with_a_whole_folder(store: ArtifactStore, unpacked: Path) -> None:
    for _ in range(10):
        removing = asyncio.create_task(asyncio.to_thread(remove_unpacked, unpacked, unused_since=HOUR_AGO))
        await unpack(unpacked.name, store, unpacked, log=quiet)
        await removing
        with folder_in_use(unpacked):
            assert (unpacked / "shared").read_bytes() == b"both"
            assert not remove_unpacked(unpacked, unused_since=ALWAYS)
        age_marker(unpacked)
