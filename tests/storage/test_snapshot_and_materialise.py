from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.errors import ArtifactDamagedError, PlatformFault
from mop.storage import (
    ArtifactStore,
    Manifest,
    ManifestFile,
    SnapshotLimits,
    SnapshotProgress,
    SourceFile,
    materialise,
    remove_folder,
    store_folder,
    take_snapshot,
)
from mop.storage.names import check_names

WriteTree = Callable[[Path, dict[str, bytes]], Path]
TREE = {"model/weights.bin": b"w" * 5_000_000, "src/inference.py": b"code", "src/copy.py": b"code", "src/empty": b""}


def quiet(_line: str) -> None:
    """Nobody reads the log."""


async def store_tree(folder: Path, store: ArtifactStore) -> Manifest:
    return await store_folder(folder, store, limits=SnapshotLimits(), log=quiet)


def blob_path(store: ArtifactStore, content: bytes) -> Path:
    assert store.folder is not None
    sha256 = hashlib.sha256(content).hexdigest()
    return store.folder / "blobs" / sha256[:2] / sha256[2:4] / sha256


async def test_a_snapshot_is_materialised_read_only_with_the_same_bytes(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    target = tmp_path / "deep/out"
    assert await materialise(manifest.digest, store, target, log=quiet) == manifest
    for name, content in TREE.items():
        assert (target / name).read_bytes() == content
        assert stat.S_IMODE((target / name).stat().st_mode) == 0o444
    folders = [target, *(path for path in target.rglob("*") if path.is_dir())]
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o555 for folder in folders)
    assert sorted(path.name for path in target.parent.iterdir()) == ["out", "out.digest"]
    remove_folder(target)
    assert list(target.parent.iterdir()) == []


async def test_equal_contents_are_stored_once(tmp_path: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    first = await store_tree(write_tree(tmp_path / "m", TREE), store)
    kept = blob_path(store, b"code").stat()
    second = await store_tree(write_tree(tmp_path / "n", TREE), store)
    assert first.digest == second.digest
    again = blob_path(store, b"code").stat()
    assert again.st_mtime_ns > kept.st_mtime_ns  # garbage collection sees that it is wanted
    assert store.folder is not None
    assert len([path for path in (store.folder / "blobs").rglob("*") if path.is_file()]) == 3
    assert list((store.folder / "incoming").iterdir()) == []


async def test_materialising_again_does_not_write(tmp_path: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    await materialise(manifest.digest, store, tmp_path / "out", log=quiet)
    before = (tmp_path / "out").stat().st_ino
    lines: list[str] = []
    await materialise(manifest.digest, store, tmp_path / "out", log=lines.append)
    assert (tmp_path / "out").stat().st_ino == before
    assert "already" in lines[0]


async def test_many_at_once_materialise_one_folder(tmp_path: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    await asyncio.gather(*(materialise(manifest.digest, store, tmp_path / "o/out", log=quiet) for _ in range(5)))
    assert (await store_tree(tmp_path / "o/out", store)).digest == manifest.digest
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["out", "out.digest"]


async def test_another_snapshot_replaces_the_folder(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    one = await store_tree(write_tree(tmp_path / "m", {"a": b"1"}), store)
    two = await store_tree(write_tree(tmp_path / "n", {"b": b"2"}), store)
    for manifest in (one, two):
        await materialise(manifest.digest, store, tmp_path / "out", log=quiet)
        assert (await store_tree(tmp_path / "out", store)).digest == manifest.digest


@pytest.mark.parametrize("damage", ["gone", "extra", "shorter"])
async def test_a_folder_that_lost_its_shape_is_written_again(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree, damage: str
) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    target = tmp_path / "out"
    await materialise(manifest.digest, store, target, log=quiet)
    (target / "src").chmod(0o755)
    if damage == "extra":
        (target / "src/sitecustomize.py").write_text("evil")
    else:
        (target / "src/inference.py").unlink()
    if damage == "shorter":
        (target / "src/inference.py").write_text("c")
    await materialise(manifest.digest, store, target, log=quiet)
    assert (await store_tree(target, store)).digest == manifest.digest


async def test_a_folder_of_somebody_else_is_not_touched(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    theirs = write_tree(tmp_path / "theirs", {"precious": b"1"})
    with pytest.raises(FileExistsError):
        await materialise(manifest.digest, store, theirs, log=quiet)
    assert not (tmp_path / "theirs.digest").exists()
    assert (theirs / "precious").read_bytes() == b"1"


async def test_a_write_that_was_killed_is_done_again(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    target = write_tree(tmp_path / "o/out", {"src/half": b"1"})
    write_tree(tmp_path / "o/.out.partial", {"src/half": b"1"})
    (tmp_path / "o/out.digest").write_text("writing")
    await materialise(manifest.digest, store, target, log=quiet)
    assert (await store_tree(target, store)).digest == manifest.digest
    assert sorted(path.name for path in target.parent.iterdir()) == ["out", "out.digest"]


class StallingStore(ArtifactStore):
    """A store that stalls when it is asked for a second blob."""

    def stall(self) -> asyncio.Event:
        self._asked, self._stalled = 0, asyncio.Event()
        return self._stalled

    async def get(self, sha256: str) -> AsyncGenerator[bytes, None]:
        self._asked += 1
        if self._asked > 1:
            self._stalled.set()
            await asyncio.Event().wait()
        async for chunk in super().get(sha256):
            yield chunk


async def test_a_cancelled_write_leaves_no_folder(tmp_path: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    target = tmp_path / "o/out"
    stalling = StallingStore.local(tmp_path / "store")
    assert isinstance(stalling, StallingStore)
    stalled = stalling.stall()
    task = asyncio.create_task(materialise(manifest.digest, stalling, target, log=quiet))
    await stalled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path.name for path in target.parent.iterdir()] == ["out.digest"]
    await materialise(manifest.digest, store, target, log=quiet)
    assert (await store_tree(target, store)).digest == manifest.digest


async def test_a_damaged_blob_is_repaired_by_the_next_snapshot_of_the_same_content(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    folder = write_tree(tmp_path / "m", TREE)
    manifest = await store_tree(folder, store)
    blob_path(store, b"code").write_bytes(b"evil")
    with pytest.raises(ArtifactDamagedError):
        await materialise(manifest.digest, store, tmp_path / "out", log=quiet)
    await store_tree(folder, store)
    await materialise(manifest.digest, store, tmp_path / "out", log=quiet)


@pytest.mark.parametrize("damage", ["changed", "shorter", "gone", "manifest changed", "manifest gone"])
async def test_a_damaged_store_is_noticed_and_nothing_appears(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree, damage: str
) -> None:
    manifest = await store_tree(write_tree(tmp_path / "m", TREE), store)
    blob = blob_path(store, TREE["model/weights.bin"])
    assert store.folder is not None
    [document] = (store.folder / "manifests").rglob("*.json")
    if damage == "changed":
        blob.write_bytes(b"v" + TREE["model/weights.bin"][1:])
    elif damage == "shorter":
        blob.write_bytes(b"w")
    elif damage == "gone":
        blob.unlink()
    elif damage == "manifest changed":
        document.write_bytes(document.read_bytes().replace(b"inference.py", b"../../etc/x1"))
    else:
        document.unlink()
    with pytest.raises(ArtifactDamagedError, match="artifact store is damaged") as caught:
        await materialise(manifest.digest, store, tmp_path / "o/out", log=quiet)
    assert isinstance(caught.value, PlatformFault)
    assert "backup" in caught.value.hint
    assert not (tmp_path / "o/out").exists()
    assert not (tmp_path / "o/.out.partial").exists()


async def test_a_blob_cut_short_by_a_power_loss_is_written_again(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    folder = write_tree(tmp_path / "m", TREE)
    manifest = await store_tree(folder, store)
    blob_path(store, b"code").write_bytes(b"")
    assert (await store_tree(folder, store)).digest == manifest.digest
    assert blob_path(store, b"code").read_bytes() == b"code"


async def test_a_killed_writer_s_leftovers_are_swept_and_fresh_ones_left(tmp_path: Path, store: ArtifactStore) -> None:
    incoming = tmp_path / "store/incoming"
    incoming.mkdir()
    for name in ("old", "fresh"):
        (incoming / name).write_bytes(b"x")
    os.utime(incoming / "old", (1, 1))
    ArtifactStore.local(tmp_path / "store")
    assert [path.name for path in incoming.iterdir()] == ["fresh"]


async def test_a_manifest_is_refused_unless_it_is_canonical(store: ArtifactStore) -> None:
    manifest = Manifest.of([ManifestFile("a", 1, "0" * 64)])
    assert Manifest.from_json(manifest.to_json()) == manifest
    for broken in (
        manifest.to_json() + b" ",
        manifest.to_json().replace(b'"size":1', b'"size":-1'),
        manifest.to_json().replace(b'"size":1', b'"size":true'),
        manifest.to_json().replace(b"000", b"0x0"),
        manifest.to_json().replace(b'"format":1', b'"format":2'),
        b'{"files":[{}],"format":1}',
        b"[]",
    ):
        with pytest.raises(ValueError):
            Manifest.from_json(broken)


async def test_a_blob_key_is_never_a_path(store: ArtifactStore) -> None:
    for digest in ("../../etc/passwd", "A" * 64, "0" * 63, ""):
        with pytest.raises(ValueError):
            await store.exists(digest)
        with pytest.raises(ValueError):
            await store.get_manifest(digest)


class MemorySource:
    """A source whose listing comes in the given order."""

    def __init__(self, files: dict[str, bytes], order: Sequence[str]) -> None:
        self._files, self._order = files, order

    async def list(self, *, at_most: int) -> Sequence[SourceFile]:
        assert len(self._order) <= at_most
        return [SourceFile(path=path, size=len(self._files[path]), etag="1") for path in self._order]

    async def read(self, file: SourceFile, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        yield self._files[file.path][start:]

    async def close(self) -> None:
        """Nothing is open."""


segment = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"), min_size=1, max_size=12
).filter(lambda text: text not in {".", ".."})
paths = st.lists(segment, min_size=1, max_size=3).map("/".join)


def _no_collision(files: dict[str, bytes]) -> bool:
    return not any(other.startswith(f"{path}/") for path in files for other in files)


trees = st.dictionaries(paths, st.binary(max_size=40), min_size=1, max_size=6).filter(_no_collision)


@given(files=trees, order=st.randoms(use_true_random=False))
@settings(max_examples=25)
async def test_the_digest_depends_on_content_only_and_survives_materialising(
    files: dict[str, bytes], order: st.random.Random
) -> None:
    check_names(list(files))
    shuffled = list(files)
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        store = ArtifactStore.local(Path(folder, "store"))
        limits = SnapshotLimits()
        first = await take_snapshot(MemorySource(files, sorted(files)), store, limits=limits, log=quiet)
        second = await take_snapshot(MemorySource(files, shuffled), store, limits=limits, log=quiet)
        target = Path(folder, "out")
        await materialise(first.digest, store, target, log=quiet)
        third = await store_tree(target, store)
        changed = await take_snapshot(
            MemorySource({**files, shuffled[0]: files[shuffled[0]] + b"!"}, shuffled), store, limits=limits, log=quiet
        )
        remove_folder(target)
    assert first.digest == second.digest == third.digest
    assert changed.digest != first.digest


async def test_progress_ends_at_the_whole(tmp_path: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    told: list[SnapshotProgress] = []
    total = sum(map(len, TREE.values()))
    folder = write_tree(tmp_path / "m", TREE)
    await store_folder(folder, store, limits=SnapshotLimits(), log=quiet, progress=told.append)
    assert told[-1] == SnapshotProgress(files_done=4, files_total=4, bytes_done=total, bytes_total=total)


async def test_what_systems_and_tools_leave_behind_is_left_out_and_named_once(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    left = {
        "privatepkgs/._tonewords-1.0-py3-none-any.whl": b"\0\5\x16\7",
        "__MACOSX/model/._words.txt": b"x",
        "model/.DS_Store": b"x",
        "src/Thumbs.db": b"x",
        "src/.ipynb_checkpoints/inference-checkpoint.py": b"x",
    }
    lines: list[str] = []
    folder = write_tree(tmp_path / "m", TREE | left)
    manifest = await store_folder(folder, store, limits=SnapshotLimits(), log=lines.append)
    assert {file.path for file in manifest.files} == set(TREE)
    (named,) = [line for line in lines if line.startswith("Left out")]
    assert all(repr(path) in named for path in left)


async def test_an_ordinary_folder_is_not_told_what_is_left_out(
    tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    lines: list[str] = []
    tree = {"model/a._b": b"", "model/macosx": b"", "src/.hidden": b""}
    manifest = await store_folder(write_tree(tmp_path / "m", tree), store, limits=SnapshotLimits(), log=lines.append)
    assert {file.path for file in manifest.files} == set(tree)
    assert not any("Left out" in line for line in lines)
