"""Model folders that got a wrong message elsewhere, through `mop check` as their contributors run it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.commands import Result, mop
from support.field_cases import field_cases

# one process for this file, so that its installation is made once
pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.index,
    pytest.mark.second_tier,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("cli-check-field-cases"),
]

FAIL = {
    "lfs-pointer": (
        "ModelStructureError",
        "model/classifier.pkl is a Git LFS pointer",
        "Run `git lfs pull` in the repository, and upload the folder again.",
    ),
    "numpy2-pickle-numpy1": (
        "UserScriptException",
        "the installed numpy 1.24.4 has no `numpy._core`",
        (
            "The file was saved with numpy 2: write `numpy>=2` into src/requirements.txt, or save the file again with "
            "numpy 1.24.4."
        ),
    ),
    "utils-module-missing": (
        "UserScriptException",
        "what is loaded was saved by code that has this module",
        (
            "If `text_tools` is a module of your own, put it into src/; if a package provides it, add that package to "
            "src/requirements.txt."
        ),
    ),
    "plus-cpu": (
        "EnvironmentBuildError",
        "torch==2.1.0+cpu",
        (
            "+cpu is a local version label, a build that this index does not have: write torch==2.1.0, or put the "
            "wheel of 2.1.0+cpu into privatepkgs/ and remove the line."
        ),
    ),
    "sklearn-name": (
        "RequirementsFileError",
        "sklearn is a deprecated name of the package scikit-learn",
        "Write scikit-learn instead.",
    ),
    "conda-freeze": (
        "RequirementsFileError",
        "src/requirements.txt:1: ",
        (
            "Such lines hold for the computer that wrote the file: write it with `pip list --format=freeze`, which "
            "gives names and versions alone."
        ),
    ),
    "browser-copy": (
        "EnvironmentBuildError",
        "'(1)' in its name is from a browser",
        "Rename it to tonewords-1.0-py3-none-any.whl.",
    ),
    "settings-yaml": (
        "ModelStructureError",
        "src/settings.yml is missing, but there is src/settings.yaml.",
        "Rename src/settings.yaml to src/settings.yml.",
    ),
    "mop_utils-copy": (
        "ModelStructureError",
        "src/mop_utils hides the package mop-utils, which MOP installs.",
        "Remove src/mop_utils; the line `mop-utils>=3.0` in src/requirements.txt brings the package.",
    ),
    "var-log": (
        "UserScriptException",
        "the file is opened to be written",
        (
            "Write below tempfile.gettempdir() alone: it is small and empty at each start, all else is read-only. Log "
            "to stdout instead of a file: logging.StreamHandler(sys.stdout); the deployment log keeps it."
        ),
    ),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One installation for this file, so that an environment is built once."""
    return tmp_path_factory.mktemp("check")


def checked(case: str, home: Path, tmp_path: Path, *options: str) -> Result:
    """The report of a copy of the case, checked against the task that fits all of them."""
    folder = tmp_path / case
    shutil.copytree(field_cases() / case, folder)
    return mop("check", str(folder), "--task", str(field_cases() / "task.json"), "--json", *options, home=home)


@pytest.mark.parametrize("case", FAIL)
def test_the_hint_follows_from_the_cause(case: str, home: Path, tmp_path: Path):
    result = checked(case, home, tmp_path)
    error, contains, hint = FAIL[case]
    report = result.json
    assert (result.code, report["status"], report["error"]) == (1, "verifyFailed", error)
    assert contains in report["message"]
    assert report["hint"] == hint
    # nothing of MOP's own machinery stands in what a contributor reads
    assert "CancelledError" not in result.out + result.err
    assert "mop/" not in report["message"]


def test_every_bad_line_of_a_freeze_is_named_at_once(home: Path):
    text = mop("check", str(field_cases() / "conda-freeze"), home=home).out
    assert [name for name in ("certifi", "charset-normalizer", "idna") if f"'{name} @ file://" not in text] == []
    assert "\ufffd" not in text


def test_what_a_file_manager_left_beside_a_wheel_is_left_out_and_named(home: Path, tmp_path: Path):
    result = checked("wheel-sidecar", home, tmp_path, "--verbose")
    assert (result.code, result.json["status"], result.json["warnings"]) == (0, "verified", [])
    named = [line for line in result.err.splitlines() if "._tonewords-1.0-py3-none-any.whl" in line]
    assert len(named) == 1, result.err
    assert "Left out, since operating systems and tools wrote it" in named[0]


def test_an_output_that_is_no_json_in_the_models_own_format_is_a_warning_that_names_the_place(
    home: Path, tmp_path: Path
):
    result = checked("datetime-output", home, tmp_path)
    assert (result.code, result.json["status"]) == (1, "verified")  # a warning is not clean
    (warning,) = result.json["warnings"]
    assert "/score answers with X-MOP-Format: mop only" in warning
    assert "$.when" in warning
