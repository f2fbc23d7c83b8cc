from __future__ import annotations

import pytest

from mop.environments.requirements_file import check_requirements
from mop.environments.uv_errors import install_error, needs_source_build
from mop.errors import (
    DiskFullError,
    EnvironmentBuildError,
    MopError,
    PackageIndexUnavailableError,
    SandboxUnavailableError,
)

REQUIREMENTS = check_requirements(b"six\nnumpy==1.19.0\npandas")


def error_of(text: str, status: int = 1) -> MopError:
    return install_error(status, text.splitlines(), requirements=REQUIREMENTS, python_version="3.12.1")


NO_WHEEL = """error: No solution found when resolving dependencies
  cause: Because numpy==1.19.0 has no usable wheels and you require numpy==1.19.0, we can conclude \
that your requirements are unsatisfiable.
hint: Wheels are required for `numpy` because building from source is disabled for all packages
"""
NO_DNS = """error: Request failed after 3 retries in 7.1s
  cause: Failed to fetch: https://index.example/simple/six/
  cause: dns error
  cause: failed to lookup address information: Name or service not known
"""
OLD_PYTHON = """error: No solution found when resolving dependencies
  cause: Because the current Python version (3.8.18) does not satisfy Python>=3.9 and numpy>=2.1 depends \
on Python>=3.9, we can conclude that numpy>=2.1 cannot be used.
"""
COMPILER = """  error: Failed to build `numpy==1.19.0`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

         [stderr]
         File "/srv/mop/builds/{key}/uv/sdists-v11/x/setup.py", line 3
         ModuleNotFoundError: No module named 'distutils.msvccompiler'

hint: consider adding it to your `pyproject.toml`
""".replace("{key}", "0" * 64)


def test_a_package_without_a_wheel_asks_for_a_build_from_source() -> None:
    assert needs_source_build(NO_WHEEL.splitlines())
    assert not needs_source_build(NO_DNS.splitlines())
    error = error_of(NO_WHEEL)
    assert "numpy==1.19.0 has no wheel for Python 3.12" in error.hint
    assert error.place == "src/requirements.txt:2"


def test_a_name_server_that_does_not_know_the_index_is_not_the_models_fault() -> None:
    error = error_of(NO_DNS)
    assert isinstance(error, PackageIndexUnavailableError)
    assert "Name or service not known" in error.message


def test_a_python_that_is_too_old_says_which_part_to_change() -> None:
    assert "env.python" in error_of(OLD_PYTHON).hint


def test_a_failed_build_shows_its_last_lines_without_the_hosts_paths_and_uvs_own_advice() -> None:
    error = error_of(COMPILER)
    assert isinstance(error, EnvironmentBuildError)
    assert "numpy 1.19.0 has no wheel for Python 3.12" in error.message
    assert error.message.endswith("No module named 'distutils.msvccompiler'")
    assert "/srv/mop" not in error.message
    assert "pyproject" not in error.message + error.hint
    assert error.place == "src/requirements.txt:2"


@pytest.mark.parametrize(
    ("text", "status", "expected", "reason"),
    [
        ("mop-sandbox: over its memory of 512 MiB", 122, EnvironmentBuildError, "more memory"),
        ("mop-sandbox: over 60 s", 124, EnvironmentBuildError, "longer"),
        ("mop-sandbox: no user namespaces", 125, SandboxUnavailableError, "no user namespaces"),
        ("error: failed to write: No space left on device (os error 28)", 2, DiskFullError, "full"),
        ("", 1, EnvironmentBuildError, "no reason was given"),
    ],
)
def test_ends_that_are_not_the_resolvers_have_their_own_error(
    text: str, status: int, expected: type[MopError], reason: str
) -> None:
    error = error_of(text, status)
    assert type(error) is expected
    assert reason in error.message


def test_a_long_cause_keeps_its_beginning_and_its_conclusion() -> None:
    middle = " ".join(f"and package{number}==1.0 is not available" for number in range(200))
    error = error_of(
        f"error: No solution found\n  cause: Because it starts here {middle} you require pandas and it ends here."
    )
    assert len(error.message) < 1500
    assert "Because it starts here" in error.message
    assert error.message.endswith("it ends here.")


@pytest.mark.parametrize(("version", "label"), [("2.1.0", "cpu"), ("0.5.2", "cu118.torch2")])
def test_a_local_version_label_that_the_index_lacks_is_to_be_dropped(version: str, label: str) -> None:
    error = error_of(
        "error: No solution found when resolving dependencies\n"
        f"  cause: Because there is no version of pandas=={version}+{label} and you require pandas=={version}+{label}, "
        "we can conclude that your requirements are unsatisfiable.\n"
    )
    assert f"+{label} is a local version label" in error.hint
    assert f"write pandas=={version}, or put the wheel" in error.hint
    assert error.place == "src/requirements.txt:3"


def test_the_name_of_a_module_is_told_the_package_that_provides_it() -> None:
    text = "error: No solution found\n  cause: Because cv2 was not found in the package registry and you require cv2"
    requirements = check_requirements(b"six\ncv2")
    error = install_error(1, text.splitlines(), requirements=requirements, python_version="3.11.7")
    assert error.hint == "The package that provides the module cv2 is opencv-python-headless: write that name."
    assert error.place == "src/requirements.txt:2"
