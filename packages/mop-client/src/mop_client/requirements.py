"""Whether the requirements of a model folder can be installed where MOP runs models: on Linux, whatever runs here.

requirements.txt, settings.yml and the private wheels are read by the pipeline's own readers, which the wheel of this
package carries below `_pipeline`; so the messages are the pipeline's. uv resolves. Nothing is installed, and no code of
a package is run: one without a wheel is not decided here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Sequence

from mop_client.errors import ClientError
from mop_client.shipped import shipped_folder

if folder := shipped_folder():
    sys.path.append(folder)

from mop.environments.private_wheels import check_private_wheels, read_private_wheels
from mop.environments.requirements_file import read_requirements
from mop.environments.settings_file import read_settings
from mop.environments.uv_errors import install_error, needs_source_build
from mop.errors import EnvironmentBuildError, MopError, RequirementsFileError, SettingsFileError

if TYPE_CHECKING:
    from mop.environments.private_wheels import PrivateWheel
    from mop.environments.requirements_file import RequirementsFile

SDK = "mop-utils"
SDK_VERSION = "3.0.0"  # MOP brings it where the requirements allow it
WHEEL_BYTES_MAX = 5 * 1024**3 // 2
RESOLVE_SECONDS = 600
_LINUX = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)),
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
)


@dataclass(frozen=True)
class Resolved:
    """What would be installed.

    Attributes:
        python: the Python that settings.yml asks for.
        packages: `name==version`, by name.
        notes: what the owner should know.
        undecided: why it cannot be said here; empty where it can.
    """

    python: str
    packages: tuple[str, ...]
    notes: tuple[str, ...]
    undecided: str = ""


def resolve(folder: Path, *, index_url: str | None = None, extra_indexes: Sequence[str] = ()) -> Resolved:
    """Resolve the requirements of a model folder for Linux.

    Args:
        folder: the model folder, with src/ and maybe privatepkgs/.
        index_url: package index; left out: PyPI, or that of uv's own settings.
        extra_indexes: further indexes that the operator of the installation allows.

    Raises:
        MopError: as the pipeline would say it.
        ClientError: uv is missing.
    """
    settings = read_settings(_content(folder, "settings.yml", SettingsFileError))
    requirements = read_requirements(
        _content(folder, "requirements.txt", RequirementsFileError), allowed_indexes=extra_indexes
    )
    wheels = read_private_wheels(folder / "privatepkgs", bytes_max=WHEEL_BYTES_MAX)
    check_private_wheels(wheels, requirements.requirements, python_version=settings.python, platforms=_LINUX)
    lines, notes = _lines(requirements, wheels)
    command = [find_uv(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-platform", "linux",
               "--python-version", settings.python, "--only-binary", ":all:"]  # fmt: skip
    if index_url:
        command += ["--index-url", index_url]
    for extra in requirements.extra_indexes:
        command += ["--extra-index-url", extra]
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "requirements.in")
        wanted.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        done = subprocess.run(
            [*command, str(wanted)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=RESOLVE_SECONDS,
            env={**os.environ, "UV_NO_PROGRESS": "1", "NO_COLOR": "1"},
        )
    if done.returncode == 0:
        packages = tuple(line.split(" ")[0] for line in done.stdout.splitlines() if "==" in line)
        private = tuple(f"{wheel.name}=={wheel.version}" for wheel in wheels)
        return Resolved(settings.python, tuple(sorted({*packages, *private})), tuple(notes))
    output = done.stderr.splitlines()
    if needs_source_build(output):
        why = "a package has no wheel for Linux; MOP builds it from source in its sandbox, which is not tried here"
        return Resolved(settings.python, (), tuple(notes), undecided=f"{why}: {' '.join(output)[:600]}")
    raise install_error(done.returncode, output, requirements=requirements.requirements, python_version=settings.python)


def find_uv() -> str:
    """The uv beside this Python, else that on PATH.

    Raises:
        ClientError: there is none.
    """
    name = "uv.exe" if sys.platform == "win32" else "uv"
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise ClientError("uv is not installed.", hint="Run `pip install mop-client[requirements]`.")
    return found


def _lines(requirements: RequirementsFile, wheels: Sequence[PrivateWheel]) -> tuple[list[str], list[str]]:
    """What uv is to resolve: MOP's own SDK is left to MOP."""
    from packaging.specifiers import SpecifierSet

    lines, notes = [], []
    for one in requirements.requirements:
        if one.name == SDK and not one.hashes and SpecifierSet(one.specifier).contains(SDK_VERSION):
            notes.append(f"{SDK} {SDK_VERSION} is brought by MOP.")
        else:
            lines.append(one.text)
    lines += [str(wheel.path.absolute()) for wheel in wheels]
    return lines, notes


def _content(folder: Path, name: str, error: type[MopError]) -> bytes:
    try:
        return (folder / "src" / name).read_bytes()
    except FileNotFoundError:
        raise error(f"src/{name} is missing", place=f"src/{name}") from None
    except OSError as fault:
        raise error(f"src/{name} cannot be read: {fault.strerror}", place=f"src/{name}") from None


def failure(error: MopError) -> dict[str, Any]:
    """The JSON form of what is wrong."""
    return {"status": "failed", "error": error.to_dict()}


__all__ = ["EnvironmentBuildError", "MopError", "Resolved", "failure", "find_uv", "resolve"]
