"""What a host opens before it runs a model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from mop.errors import SandboxUnavailableError
from mop.hosting.tools import open_sandbox, own_runtime_folder


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.MOP_RUNTIME_FOLDER = tmp_path / "run"
    return tmp_path / "run"


def test_the_runtime_folder_is_made_for_its_user_alone(folder: Path):
    assert own_runtime_folder() == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert own_runtime_folder() == folder


def test_one_that_others_may_write_is_refused(folder: Path):
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(SandboxUnavailableError, match="alone may write") as raised:
        own_runtime_folder()
    assert "MOP_RUNTIME_FOLDER" in raised.value.hint


def test_a_link_in_its_place_is_refused(folder: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)
    with pytest.raises(SandboxUnavailableError):
        own_runtime_folder()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_one_of_another_user_is_refused(folder: Path):
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    with pytest.raises(SandboxUnavailableError):
        own_runtime_folder()


@pytest.fixture
def probed_anew() -> Iterator[None]:
    """The sandbox of this process is probed in the test, and again after it."""
    open_sandbox.cache_clear()
    yield
    open_sandbox.cache_clear()


@pytest.mark.usefixtures("probed_anew")
@pytest.mark.sandbox
def test_nothing_runs_below_the_minimum_level(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.sandbox.probe._PLACES", str(tmp_path))  # no bubblewrap: level 3 alone works
    with pytest.raises(SandboxUnavailableError, match="level 2"):
        open_sandbox()
    settings.MOP_SANDBOX_MINIMUM_LEVEL = 3
    assert open_sandbox().level == 3


@pytest.mark.usefixtures("probed_anew")
@pytest.mark.sandbox
def test_a_level_below_the_minimum_can_not_be_forced(settings: Settings):
    settings.MOP_SANDBOX_LEVEL = 3
    with pytest.raises(SandboxUnavailableError, match="forces level 3, which is weaker") as raised:
        open_sandbox()
    assert "MOP_SANDBOX_MINIMUM_LEVEL" in raised.value.hint
    settings.MOP_SANDBOX_MINIMUM_LEVEL = 3
    assert open_sandbox().level == 3
