from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mop.environments import build_mop_utils_wheel
from mop.environments.sdk_wheel import newest_mop_utils_wheel

VERSION = importlib.metadata.version("mop-utils")


def test_the_wheel_has_the_same_bytes_each_time_and_is_left_alone_when_it_is_there(tmp_path: Path) -> None:
    first = build_mop_utils_wheel(tmp_path / "one")
    second = build_mop_utils_wheel(tmp_path / "two")
    assert first.name == f"mop_utils-{VERSION}-py3-none-any.whl"
    assert first.read_bytes() == second.read_bytes()
    before = first.stat().st_mtime_ns
    build_mop_utils_wheel(tmp_path / "one")
    assert first.stat().st_mtime_ns == before
    assert list((tmp_path / "one").iterdir()) == [first]


def test_the_wheel_imports_on_its_own_and_knows_its_version(tmp_path: Path) -> None:
    wheel = build_mop_utils_wheel(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r}); import mop_utils, importlib.metadata as m;"
        " print(mop_utils.__file__, m.version('mop-utils'))"
    )
    told = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == [f"{wheel}/mop_utils/__init__.py", VERSION]
    assert not any("__pycache__" in name for name in zipfile.ZipFile(wheel).namelist())


def test_the_newest_wheel_is_chosen_by_version(tmp_path: Path) -> None:
    for version in ("3.9.0", "3.10.0", "2.0"):
        (tmp_path / f"mop_utils-{version}-py3-none-any.whl").touch()
    assert newest_mop_utils_wheel(tmp_path).name == "mop_utils-3.10.0-py3-none-any.whl"
    with pytest.raises(FileNotFoundError, match="build_mop_utils_wheel"):
        newest_mop_utils_wheel(tmp_path / "none")
