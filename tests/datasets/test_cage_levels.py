"""The parser of datasets in the cage, at each level that the host can give."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from datasets.made import IMAGE_HEADER, image_row, image_spec, picture, table, text_spec
from mop.datasets.caged import DIGESTS, CagedVerification, verify_in_cage
from mop.datasets.reading import verify
from mop.errors import SandboxUnavailableError
from mop.sandbox import Sandbox, SandboxLevel, probe_sandbox

SEED = 7
LEVELS = (SandboxLevel.CGROUP, SandboxLevel.RLIMIT, SandboxLevel.LANDLOCK)
BROKEN = picture(200, 150, form="JPEG", quality=90)[:2000]
FILES = {
    "text": (table(("text", "label"), *((f"text {n}", str(n % 2)) for n in range(500))), text_spec()),
    "faulty text": (table(("text", "label"), ("a", "0"), ("b", "2"), ('"c', "1")), text_spec()),
    "images": (
        table(
            IMAGE_HEADER,
            image_row(picture(form="JPEG"), label="0"),
            image_row(BROKEN, width=200, height=150, label="1"),
            image_row(picture(40, 30, form="WEBP"), width=40, height=30, label="1"),
        ),
        image_spec(),
    ),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Like the artifact store, it is readable for the user that the cage runs as."""
    path = Path(tempfile.mkdtemp(prefix="mop-d-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def sandbox_at(level: SandboxLevel, folder: Path) -> Sandbox:
    try:
        return probe_sandbox(runtime_folder=folder, forced=level)
    except SandboxUnavailableError as error:
        if level != SandboxLevel.CGROUP:
            raise
        pytest.skip(error.message)


@pytest.mark.parametrize(
    "level", [SandboxLevel.CGROUP, SandboxLevel.RLIMIT, SandboxLevel.LANDLOCK], ids=lambda level: level.name.lower()
)
def test_each_level_gives_the_report_that_the_reader_gives(level: SandboxLevel, folder: Path):
    sandbox = sandbox_at(level, folder / "run")
    for name, (content, spec) in FILES.items():
        file, scratch = folder / f"{name}.csv", folder / f"scratch of {name}"
        file.write_bytes(content)
        scratch.mkdir()
        work = CagedVerification(sandbox, file, spec, SEED, scratch, seconds=120)
        report = async_to_sync(verify_in_cage)(work, lambda _size: None)
        assert report == verify(functools.partial(file.open, "rb"), spec, seed=SEED, sorted_digests=folder / "digests")
        assert (scratch / DIGESTS).read_bytes() == (folder / "digests").read_bytes()
