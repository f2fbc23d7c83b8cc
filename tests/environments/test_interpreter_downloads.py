"""uv really fetches a Python from a mirror of ours; the archive is made of the Python that runs the tests."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import json
import platform
import stat
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from environments.conftest import PYTHON, MakeModel, Model
from mop.environments import PythonDownloads
from mop.environments.interpreter_search import SUPPORTED_MINORS, missing_minors, usual_folders
from mop.environments.interpreters import Interpreter
from mop.errors import InterpreterDownloadError, OutsideFault, SettingsFileError

VERSION = "{}.{}.{}".format(*sys.version_info[:3])
LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "__pycache__", "lib2to3"}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a list of Pythons that holds one, this one."""
    folder = tmp_path_factory.mktemp("mirror")
    archive = folder / f"cpython-{VERSION}.tar.gz"
    write_archive(archive)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    base = f"http://127.0.0.1:{server.server_port}"
    write_list(folder / "list.json", f"{base}/{archive.name}", hashlib.sha256(archive.read_bytes()).hexdigest())
    write_list(folder / "wrong.json", f"{base}/{archive.name}", "0" * 64)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield base
    server.shutdown()
    thread.join()
    server.server_close()


def write_archive(path: Path) -> None:
    def wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = set(Path(member.name).parts)
        return None if parts & LEFT_OUT or any(part.startswith("config-") for part in parts) else member

    base = Path(sys.base_prefix)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(Path(sys.executable).resolve(), f"python/bin/python{PYTHON}")
        archive.add(base / "lib" / f"python{PYTHON}", f"python/lib/python{PYTHON}", filter=wanted)


def write_list(path: Path, url: str, sha256: str) -> None:
    major, minor, patch = sys.version_info[:3]
    entry = {
        "name": "cpython",
        "arch": {"family": platform.machine(), "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": "",
        "url": url,
        "sha256": sha256,
        "variant": None,
        "build": "20240101",
    }
    path.write_text(json.dumps({f"cpython-{VERSION}-linux-{platform.machine()}-gnu": entry}))


def without_pythons(model: Model, mirror: str | None) -> Model:
    """A host that has no Python for models and may fetch some."""
    model.config = replace(
        model.config,
        interpreters=(),
        downloads=PythonDownloads(model.config.root.parent / "pythons", mirror),
        build_seconds=120,
    )
    return model


async def test_a_missing_python_is_fetched_once_and_used(make_model: MakeModel, mirror: str) -> None:
    models = [without_pythons(make_model(), f"{mirror}/list.json") for _ in range(2)]
    environments = await asyncio.gather(*(model.build() for model in models))
    folder = models[0].config.root.parent / "pythons"
    for environment in environments:
        assert environment.python_version == VERSION
        assert environment.interpreter.is_relative_to(folder)
    told = [line for model in models for line in model.log if line.startswith("fetches Python")]
    assert told == [f"fetches Python {PYTHON}, which this host lacks"]
    again = without_pythons(make_model(), "http://127.0.0.1:9/list.json")
    assert (await again.build()).reused


async def test_a_fetched_python_can_be_read_by_every_uid(make_model: MakeModel, mirror: str) -> None:
    model = without_pythons(make_model(), f"{mirror}/list.json")
    environment = await model.build()
    for path in [environment.interpreter, *environment.interpreter.parents]:
        if path == model.config.root.parent / "pythons":
            break
        assert path.stat().st_mode & stat.S_IROTH
        assert path.stat().st_mode & stat.S_IXOTH
        assert not path.stat().st_mode & stat.S_IWOTH


@pytest.mark.parametrize("name", ["wrong.json", "missing.json"])
async def test_a_download_that_fails_waits_and_says_why(make_model: MakeModel, mirror: str, name: str) -> None:
    model = without_pythons(make_model(), f"{mirror}/{name}")
    with pytest.raises(InterpreterDownloadError) as caught:
        await model.build()
    assert isinstance(caught.value, OutsideFault)
    assert f"Python {PYTHON} could not be fetched" in caught.value.message
    assert "MOP_PYTHON_MIRROR" in caught.value.hint


async def test_a_mirror_that_does_not_answer_is_no_fault_of_the_model(make_model: MakeModel) -> None:
    with pytest.raises(InterpreterDownloadError, match="could not be fetched"):
        await without_pythons(make_model(), "http://127.0.0.1:9").build()


async def test_a_python_that_nobody_offers_is_named(make_model: MakeModel, mirror: str) -> None:
    model = without_pythons(make_model(python="3.99"), f"{mirror}/list.json")
    with pytest.raises(InterpreterDownloadError, match=r"Python 3\.99"):
        await model.build()


async def test_nothing_is_fetched_where_that_is_not_allowed(make_model: MakeModel) -> None:
    model = without_pythons(make_model(), None)
    model.config = replace(model.config, downloads=None)
    with pytest.raises(SettingsFileError, match="has no Python"):
        await model.build()


async def test_a_python_that_is_here_is_never_fetched(make_model: MakeModel) -> None:
    model = make_model()
    folder = model.config.root.parent / "pythons"
    model.config = replace(model.config, downloads=PythonDownloads(folder, "http://127.0.0.1:9"))
    await model.build()
    assert not folder.exists()


# Places ----------------------------------------------------------------------------------------------------


def test_the_places_of_every_installer_are_looked_at(tmp_path: Path) -> None:
    places = [".pyenv/versions", ".local/share/uv/python", "miniconda3", "miniconda3/envs", "miniforge3"]
    for place in places:
        (tmp_path / place).mkdir(parents=True)
    found = usual_folders([tmp_path, tmp_path / "nobody"])
    assert {tmp_path / place for place in places} <= set(found)
    assert all(folder.is_dir() for folder in found)
    assert Path("/usr/bin") in found


def test_missing_minors_are_those_that_no_patch_serves() -> None:
    found = [Interpreter("3.11.7", Path("/a")), Interpreter("3.8.18", Path("/b")), Interpreter("3.14.0", Path("/c"))]
    assert missing_minors(found) == ["3.9", "3.10", "3.12", "3.13"]
    assert missing_minors([]) == list(SUPPORTED_MINORS)
