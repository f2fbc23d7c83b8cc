"""Small folders and files that failed elsewhere, which lie outside of the project and are read where they are.

`MOP_FIELD_CASES` names their folder; `.ci/run` requires it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from support.model_folders import write_model


def field_cases() -> Path:
    """Their folder; a test that needs it is skipped where there is none."""
    folder = os.environ.get("MOP_FIELD_CASES")
    if not folder:
        pytest.skip("MOP_FIELD_CASES names no folder")
    return Path(folder)


def copy_case(case: Path, folder: Path) -> Path:
    """A model folder of the cases, with the settings of the tests' own models."""
    write_model(folder)
    settings = (folder / "src" / "settings.yml").read_text()
    shutil.rmtree(folder)
    shutil.copytree(case, folder)
    (folder / "src" / "settings.yml").write_text(settings)
    return folder


def model_with(files: list[Path], folder: Path) -> Path:
    """A model that obeys its task, with further files beside its own."""
    write_model(folder)
    for file in files:
        shutil.copyfile(file, folder / "model" / file.name)
    return folder
