from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from mop.errors import ModelStructureError, ModelUrlForbiddenError, ModelUrlNotFoundError, SourceChangedError
from mop.storage import ArtifactStore, Manifest, SnapshotLimits, SourceFile, StorageConfig, open_source, take_snapshot
from mop.storage.file_source import FileSource

WriteTree = Callable[[Path, dict[str, bytes]], Path]
TREE = {"model/weights.bin": b"w" * 3_000_000, "src/inference.py": b"code", "src/empty": b""}


async def snapshot(root: Path, folder: Path | str, store: ArtifactStore) -> Manifest:
    source = open_source(f"file://{folder}", StorageConfig(file_roots=(root,)))
    try:
        return await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None)
    finally:
        await source.close()


def stored_files(store: ArtifactStore) -> list[Path]:
    assert store.folder is not None
    return [path for path in store.folder.rglob("*") if path.is_file()]


async def test_a_folder_is_read_whole(root: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    manifest = await snapshot(root, write_tree(root / "m", TREE), store)
    assert {file.path: file.size for file in manifest.files} == {name: len(data) for name, data in TREE.items()}


async def test_names_with_spaces_percent_signs_and_unicode_are_read(
    root: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    write_tree(root / "my mödel", {"a b%20c": b"1", "модель/x": b"2"})
    manifest = await snapshot(root, f"{root}/my%20m%C3%B6del", store)
    assert [file.path for file in manifest.files] == ["a b%20c", "модель/x"]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(path.parent, os.O_RDONLY)  # a socket's path holds 107 bytes, tmp_path may be longer
        server.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.symlink_to("inference.py"), "a symbolic link"),
        (lambda path: path.symlink_to("/etc/passwd"), "a symbolic link"),
        (lambda path: path.symlink_to(".."), "a symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "a symbolic link"),
        (_fifo, "a named pipe"),
        (_socket, "a socket"),
    ],
)
async def test_what_is_not_a_regular_file_is_refused_by_name_before_anything_is_stored(
    root: Path,
    store: ArtifactStore,
    write_tree: WriteTree,
    make: Callable[[Path], None],
    kind: str,
) -> None:
    write_tree(root / "m", TREE)
    make(root / "m/src/odd")
    with pytest.raises(ModelStructureError, match=f"'src/odd' is {kind}"):
        await snapshot(root, root / "m", store)
    assert stored_files(store) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
async def test_a_device_is_refused(root: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    write_tree(root / "m", TREE)
    try:
        os.mknod(root / "m/zero", 0o020666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this container makes no device nodes")
    with pytest.raises(ModelStructureError, match="'zero' is a character device"):
        await snapshot(root, root / "m", store)


async def test_a_hostile_name_on_disk_is_refused(root: Path, store: ArtifactStore, write_tree: WriteTree) -> None:
    write_tree(root / "m", {"a\\..\\b": b"x", "src/c\nd": b"x"})
    (root / "m" / os.fsdecode(b"bad\xff")).write_bytes(b"x")
    with pytest.raises(ModelStructureError) as caught:
        await snapshot(root, root / "m", store)
    told = " ".join([caught.value.message, *caught.value.also])
    assert all(fault in told for fault in ("backslash", "U+000A", "UTF-8"))
    assert stored_files(store) == []


async def test_a_symbolic_link_in_the_url_does_not_lead_out_of_the_root(
    root: Path, tmp_path: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    write_tree(tmp_path / "secret/m", TREE)
    (root / "out").symlink_to(tmp_path / "secret")
    for url in (root / "out", root / "out/m"):
        with pytest.raises(ModelUrlForbiddenError, match="symbolic link"):
            await snapshot(root, url, store)


@pytest.mark.parametrize("kind", ["missing", "file", "empty", "folders only"])
async def test_a_url_without_files_is_not_found(root: Path, store: ArtifactStore, kind: str) -> None:
    folder = root / "m"
    if kind == "file":
        folder.write_bytes(b"")
    elif kind == "empty":
        folder.mkdir()
    elif kind == "folders only":
        (folder / "model").mkdir(parents=True)
    with pytest.raises(ModelUrlNotFoundError):
        await snapshot(root, folder, store)


async def _read(source: FileSource, file: SourceFile) -> bytes:
    return b"".join([chunk async for chunk in source.read(file)])


@pytest.mark.parametrize("change", ["longer", "same size", "replaced", "deleted", "link", "fifo"])
async def test_a_file_that_changed_since_the_listing_is_noticed(root: Path, write_tree: WriteTree, change: str) -> None:
    path = write_tree(root, {"m/a": b"before"}) / "m/a"
    source = FileSource.of_folder(root)
    [file] = await source.list(at_most=10)
    if change == "longer":
        path.write_bytes(b"before and after")
    elif change == "same size":
        path.write_bytes(b"behind")
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    if change == "replaced":
        path.write_bytes(b"before")
    elif change == "link":
        path.symlink_to("/etc/passwd")
    elif change == "fifo":
        os.mkfifo(path)
    with pytest.raises(SourceChangedError, match="m/a"):
        await _read(source, file)
    await source.close()


async def test_a_file_that_changes_while_it_is_read_is_noticed(root: Path, write_tree: WriteTree) -> None:
    path = write_tree(root, {"a": b"x" * 3_000_000}) / "a"
    source = FileSource.of_folder(root)
    [file] = await source.list(at_most=10)
    chunks = source.read(file)
    await anext(chunks)
    with path.open("ab") as output:
        output.write(b"more")
    with pytest.raises(SourceChangedError):
        async for _ in chunks:
            pass
    await source.close()


async def test_a_folder_that_is_swapped_for_a_link_after_the_listing_is_not_followed(
    root: Path, tmp_path: Path, write_tree: WriteTree
) -> None:
    write_tree(root, {"m/a": b"inside"})
    write_tree(tmp_path / "outside", {"a": b"secret"})
    source = FileSource.of_folder(root)
    [file] = await source.list(at_most=10)
    (root / "m").rename(root / "moved")
    (root / "m").symlink_to(tmp_path / "outside")
    with pytest.raises(SourceChangedError):
        await _read(source, file)
    await source.close()


async def test_a_tree_that_is_removed_while_it_is_listed_is_a_change_not_a_missing_url(
    root: Path, write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(root, {"a": b"1", "m/b": b"2"})
    scan = os.scandir

    @contextmanager
    def scan_then_remove(descriptor: int) -> Iterator[list[os.DirEntry[str]]]:
        with scan(descriptor) as entries:
            listed = list(entries)
        (root / "a").unlink(missing_ok=True)
        yield listed

    monkeypatch.setattr(os, "scandir", scan_then_remove)
    source = FileSource.of_folder(root)
    with pytest.raises(SourceChangedError, match="'a'"):
        await source.list(at_most=10)
    await source.close()


async def test_the_caps_refuse_before_anything_is_stored(
    root: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    write_tree(root, {f"f{number}": b"12345" for number in range(4)})
    for limits, said in (
        (SnapshotLimits(files=3), "more than 3 files"),
        (SnapshotLimits(total_bytes=19), "20 bytes in all, more than 19"),
        (SnapshotLimits(file_bytes=4), "has 5 bytes, more than 4"),
    ):
        source = FileSource.of_folder(root)
        with pytest.raises(ModelStructureError, match=said):
            await take_snapshot(source, store, limits=limits, log=lambda _line: None)
        await source.close()
    assert stored_files(store) == []


class ChangingSource(FileSource):
    """A real folder that somebody else writes to after each listing, so many times."""

    def touch_after_listings(self, path: Path, times: int) -> None:
        self._path, self._times = path, times

    async def list(self, *, at_most: int) -> Sequence[SourceFile]:
        files = await super().list(at_most=at_most)
        if self._times > 0:
            self._times -= 1
            self._path.write_bytes(b"content " * (self._times + 1))
        return files


@pytest.mark.parametrize("changes", [1, 2])
async def test_a_folder_that_changed_while_it_was_read_is_read_again(
    root: Path, store: ArtifactStore, write_tree: WriteTree, changes: int
) -> None:
    write_tree(root, {"steady": b"steady", "busy": b"0"})
    source = ChangingSource.of_folder(root)
    assert isinstance(source, ChangingSource)
    source.touch_after_listings(root / "busy", changes)
    lines: list[str] = []
    manifest = await take_snapshot(source, store, limits=SnapshotLimits(), log=lines.append)
    await source.close()
    [busy, _] = manifest.files
    assert busy.size == len(b"content ")
    assert sum("changed while it was read" in line for line in lines) == changes


async def test_a_folder_that_never_stands_still_is_given_up(
    root: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    write_tree(root, {"busy": b"0"})
    source = ChangingSource.of_folder(root)
    assert isinstance(source, ChangingSource)
    source.touch_after_listings(root / "busy", 100)
    with pytest.raises(SourceChangedError, match="3 readings"):
        await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None)
    await source.close()


async def test_a_file_that_appears_while_the_folder_is_read_is_part_of_the_snapshot(
    root: Path, store: ArtifactStore, write_tree: WriteTree
) -> None:
    write_tree(root, {"a": b"a"})
    source = ChangingSource.of_folder(root)
    assert isinstance(source, ChangingSource)
    source.touch_after_listings(root / "b", 1)
    manifest = await take_snapshot(source, store, limits=SnapshotLimits(), log=lambda _line: None)
    await source.close()
    assert [file.path for file in manifest.files] == ["a", "b"]
