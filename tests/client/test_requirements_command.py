"""`mop requirements` says what the pipeline says, resolved for Linux."""

from __future__ import annotations

import importlib.metadata
import zipfile
from pathlib import Path

import pytest

from mop.environments.requirements_file import read_requirements
from mop.errors import EnvironmentBuildError, RequirementsFileError, SettingsFileError
from mop_client.requirements import SDK_VERSION, resolve

pytestmark = pytest.mark.index


def write(folder: Path, requirements: str, *, python: str = "3.11", wheel: str = "") -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "requirements.txt").write_text(requirements)
    (folder / "src" / "settings.yml").write_text(f'env:\n  python: "{python}"\n  pip: "24.3.1"\n')
    if wheel:
        name, version, *_ = wheel.split("-")
        (folder / "privatepkgs").mkdir()
        with zipfile.ZipFile(folder / "privatepkgs" / wheel, "w") as archive:
            archive.writestr(
                f"{name}-{version}.dist-info/METADATA",
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: packaging==25.0\n",
            )
            archive.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr(f"{name}-{version}.dist-info/RECORD", "")
    return folder


def test_requirements_and_private_wheels_are_resolved_together(tmp_path: Path):
    folder = write(tmp_path / "m", "mop-utils>=3.0\nsix==1.17.0\n", wheel="mine-1.0-py3-none-any.whl")
    found = resolve(folder)
    assert found.packages == ("mine==1.0", "packaging==25.0", "six==1.17.0")
    assert found.python == "3.11"
    assert SDK_VERSION in found.notes[0]


def test_the_sdk_that_mop_brings_is_this_one():
    assert importlib.metadata.version("mop-utils") == SDK_VERSION


@pytest.mark.parametrize("line", ["-r other.txt", "numpy = 1", "sklearn==1.0", "./x.whl", "git+https://a.example/b"])
def test_a_line_is_refused_in_the_pipeline_s_words(tmp_path: Path, line: str):
    with pytest.raises(RequirementsFileError) as ours:
        resolve(write(tmp_path / "m", f"six==1.17.0\n{line}\n"))
    with pytest.raises(RequirementsFileError) as theirs:
        read_requirements(f"six==1.17.0\n{line}\n".encode())
    assert ours.value.to_dict() == theirs.value.to_dict()
    assert ours.value.place == "src/requirements.txt:2"


def test_versions_that_do_not_fit_together_name_the_line(tmp_path: Path):
    with pytest.raises(EnvironmentBuildError) as caught:
        resolve(write(tmp_path / "m", "six==1.17.0\npackaging==0.0.0\n"))
    assert caught.value.place == "src/requirements.txt:2"
    assert "choose a version that does" in caught.value.hint


def test_a_wheel_of_another_system_does_not_fit_whatever_runs_here(tmp_path: Path):
    folder = write(tmp_path / "m", "", wheel="mine-1.0-cp311-cp311-win_amd64.whl")
    with pytest.raises(EnvironmentBuildError, match=r"manylinux_2_34_x86_64") as caught:
        resolve(folder)
    assert "for Linux" in caught.value.hint


def test_settings_are_read_as_the_pipeline_reads_them(tmp_path: Path):
    folder = write(tmp_path / "m", "")
    (folder / "src" / "settings.yml").unlink()
    with pytest.raises(SettingsFileError, match="missing"):
        resolve(folder)
