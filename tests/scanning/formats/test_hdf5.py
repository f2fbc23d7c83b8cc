"""HDF5 by its tree: what h5py writes is followed to every attribute and chunk."""

from __future__ import annotations

import io
import json
import random
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mop.scanning.findings import FileVerdict, Verdict
from mop.scanning.formats.hdf5_tree import NotFollowedError, Seen, Tree
from mop.scanning.scanners.model_files import ModelFiles
from scanning.looking import scanned, write
from security.hostile import called, text, zipped

SYSTEM = called("os", "system", text("true"))
LAMBDA = json.dumps({"config": {"layers": [{"class_name": "Lambda", "config": {}}]}})


def made(fill: Callable[[h5py.File], object], **options: Any) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w", **options) as file:
        fill(file)
    return content.getvalue()


def said(tmp_path: Path, content: bytes, name: str = "model.h5") -> FileVerdict:
    (file,) = scanned(ModelFiles(), write(tmp_path / "folder", {name: content})).files
    return file


def walked(content: bytes) -> dict[str, bytes]:
    """Values of attributes and chunks, by where they stand; what leads out has its text."""
    found: dict[str, bytes] = {}

    def note(place: str, value: bytes) -> None:
        found[place] = found.get(place, b"") + value

    seen = Seen(note, note, lambda place, what: note(place, what.encode()), lambda _count: None)
    Tree(io.BytesIO(content), len(content), seen).walk()
    return found


@pytest.mark.parametrize("libver", ["earliest", "v108"])
def test_every_attribute_and_chunk_is_met(libver: str):
    numbers = np.arange(4_000, dtype="<i4")

    def fill(file: h5py.File) -> None:
        file.attrs["config"] = "a text of any length " * 50
        file.attrs["fixed"] = np.bytes_(b"fixed text")
        group = file
        for number in range(40):  # one within the other; and many beside each other
            group = group.create_group(f"g{number % 7}")
            group.attrs["number"] = number
        file.create_dataset("packed", data=numbers, chunks=(500,), compression="gzip", shuffle=True, fletcher32=True)

    found = walked(made(fill, libver=libver))
    assert found["/@config"] == b"a text of any length " * 50
    assert found["/@fixed"].rstrip(b"\0") == b"fixed text"
    assert sum(place.endswith("@number") for place in found) == 40
    assert sorted(np.frombuffer(found["/packed"], dtype="<i4")) == list(numbers)


def test_many_names_lie_in_several_nodes():
    def fill(file: h5py.File) -> None:
        for number in range(300):
            file.create_group(f"group-{number}").attrs["own"] = number

    assert len(walked(made(fill))) == 300


@pytest.mark.parametrize(
    "fill",
    [
        lambda file: file.attrs.update(config=LAMBDA),
        lambda file: file.create_group("a/b/c").attrs.update(config=np.bytes_(LAMBDA.encode())),
        lambda file: file.attrs.update(pickled=np.bytes_(b"cos\nsystem\n(S'true'\ntR.")),
        lambda file: file.attrs.update(pickled=np.void(SYSTEM)),
        lambda file: file.create_dataset("d", data=np.frombuffer(SYSTEM * 200, "u1"), chunks=(64,), compression=9),
        lambda file: file.create_dataset(
            "d",
            data=np.frombuffer((SYSTEM * 256)[: len(SYSTEM) * 256 // 8 * 8], "<f8"),
            chunks=True,
            compression=1,
            shuffle=True,
        ),
        lambda file: file.update({"link": h5py.ExternalLink("/etc/passwd", "/")}),
        lambda file: file.create_dataset("d", (10,), "u1", external=[("/etc/passwd", 0, 10)]),
    ],
    ids=["text", "fixed text", "pickle of lines", "pickle", "packed pickle", "shuffled pickle", "link", "external"],
)
def test_what_runs_or_leads_out_is_infected(tmp_path: Path, fill: Callable[[h5py.File], object]):
    content = made(fill)
    assert said(tmp_path, content).verdict == Verdict.INFECTED
    assert said(tmp_path / "zipped", zipped({"m.h5": content}), "model.zip").verdict == Verdict.INFECTED


@pytest.mark.parametrize("block", [512, 1024, 2048, 4096, 65_536])
def test_a_tree_behind_a_user_block_is_followed(tmp_path: Path, block: int):
    """h5py and Keras look for the mark at each power of two."""
    content = made(lambda file: file.attrs.update(model_config=LAMBDA), userblock_size=block)
    with h5py.File(io.BytesIO(content)) as file:
        assert file.attrs["model_config"] == LAMBDA
    assert said(tmp_path, content).verdict == Verdict.INFECTED
    ordinary = said(tmp_path, made(lambda file: file.create_dataset("a", data=np.ones(9)), userblock_size=block))
    assert (ordinary.verdict == Verdict.CLEAN) == (block <= 2048)  # a larger block is that of another file


def test_a_virtual_dataset_leads_out(tmp_path: Path):
    layout = h5py.VirtualLayout(shape=(10,), dtype="u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "d", shape=(10,))
    content = made(lambda file: file.create_virtual_dataset("d", layout), libver="v110")
    assert said(tmp_path, content).verdict == Verdict.INFECTED


def test_what_is_not_followed_is_said_so(tmp_path: Path):
    def fill(file: h5py.File) -> None:
        for number in range(50):
            file.attrs[f"attribute {number}"] = number

    content = made(fill, libver="latest")
    with pytest.raises(NotFollowedError):
        walked(content)
    assert said(tmp_path, content).verdict == Verdict.NOT_FULLY_SCANNED


def test_a_damaged_tree_ends_with_an_error_of_its_own():
    """Whatever the bytes are, the walk ends, and says why."""

    def fill(file: h5py.File) -> None:
        file.attrs["config"] = LAMBDA
        file.create_group("a/b").create_dataset("d", data=np.arange(900), chunks=(100,), compression=4, shuffle=True)

    drawn = random.Random(3)  # noqa: S311 - any bytes
    for libver in ("earliest", "v108"):
        content = made(fill, libver=libver)
        for _ in range(400):
            damaged = bytearray(content)
            for _ in range(drawn.choice((1, 3, 20))):
                damaged[drawn.randrange(min(len(damaged), 4_000))] = drawn.choice((0, 1, 0xFF, drawn.randrange(256)))
            read = [0]
            most = 100 * len(content)

            def spend(count: int, read: list[int] = read, most: int = most) -> None:
                read[0] += count
                assert read[0] < most, "more was read than the file is worth"

            seen = Seen(lambda *_: None, lambda *_: None, lambda *_: None, spend)
            with suppress(NotFollowedError, EOFError, ValueError, IndexError, struct.error, zlib.error):
                Tree(io.BytesIO(damaged), len(damaged), seen).walk()
