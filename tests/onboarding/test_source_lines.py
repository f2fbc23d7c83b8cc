"""The lines around the place that an error names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.errors import UserScriptException, from_dict
from mop.onboarding.source_lines import FILE_BYTES_MAX, lines_around
from mop.serving.process import model_error
from mop.storage import SnapshotLimits
from mop.storage.artifact_store import ArtifactStore
from mop.storage.snapshot import store_folder

SOURCE = "import os\n\n\nclass Model:\n    def inference(self, item):\n        return item['x']\x1b[31m\r\n\n# end\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model/src").mkdir(parents=True)
    (tmp_path / "model/src/inference.py").write_bytes(SOURCE.encode())
    (tmp_path / "model/src/large.py").write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    (tmp_path / "model/src/one.py").write_bytes(b"x" * 5000)
    return tmp_path / "model"


async def around(folder: Path, place: str | None) -> list[tuple[int, str]]:
    store = ArtifactStore.local(folder.parent / "artifacts")
    limits = SnapshotLimits(files=10, total_bytes=1 << 24)
    digest = (await store_folder(folder, store, limits=limits, log=lambda _line: None)).digest
    return await lines_around(store, digest, place)


async def test_a_few_lines_before_and_after_the_place_are_given(folder: Path):
    assert await around(folder, "src/inference.py:6") == [
        (3, ""),
        (4, "class Model:"),
        (5, "    def inference(self, item):"),
        (6, "        return item['x']\N{REPLACEMENT CHARACTER}[31m"),
        (7, ""),
    ]
    assert [number for number, _ in await around(folder, "src/inference.py:1")] == [1, 2]


@pytest.mark.parametrize(
    "place",
    [
        None,
        "",
        "item 3",
        "src/inference.py",
        "src/inference.py:900",
        "src/large.py:1",
        "src/../../etc/passwd:1",
        "/etc/passwd:1",
    ],
)
async def test_what_is_no_line_of_a_file_of_the_snapshot_gives_none(folder: Path, place: str | None):
    assert await around(folder, place) == []


async def test_long_lines_are_cut(folder: Path):
    ((_, text),) = await around(folder, "src/one.py:1")
    assert len(text) == 200


def test_a_model_process_tells_no_lines_of_its_own():
    error = model_error({"name": "UserScriptException", "message": "x", "source": [[1, "made up"]]})
    assert list(error.source) == []


def test_the_lines_stay_with_the_error():
    error = UserScriptException("x", place="src/inference.py:1")
    error.source = [(1, "import os")]
    assert list(from_dict(error.to_dict()).source) == [(1, "import os")]
    assert "source" not in UserScriptException("x").to_dict()
