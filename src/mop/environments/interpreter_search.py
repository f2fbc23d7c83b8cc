"""Where Pythons stand on a host, which of the supported minors are missing, and how to get one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mop.environments.interpreters import Interpreter

SUPPORTED_MINORS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

_CONDAS = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "conda")


def usual_folders(homes: Iterable[Path]) -> tuple[Path, ...]:
    """The folders that installers use, those that exist, best first.

    pyenv's and uv's below each home, python.org's and others' below /usr/local and /opt, Debian's and deadsnakes' in
    /usr/bin, and at last conda's with its environments.
    """
    homes = [*dict.fromkeys(homes)]
    own = [home / place for home in homes for place in (".pyenv/versions", ".local/share/uv/python")]
    shared = [Path("/usr/local/pyenv/versions"), Path("/opt/pyenv/versions"), Path("/opt")]
    system = [Path("/usr/local"), Path("/usr/local/bin"), Path("/usr/bin")]
    bases = [*homes, Path("/opt"), Path("/usr/local")]
    conda = [base / name / part for base in bases for name in _CONDAS for part in ("", "envs")]
    return tuple(folder for folder in (*own, *shared, *system, *conda) if _is_folder(folder))


def missing_minors(found: Sequence[Interpreter]) -> list[str]:
    """The supported minors of which this host has no Python, oldest first."""
    have = {".".join(one.version.split(".")[:2]) for one in found}
    return [minor for minor in SUPPORTED_MINORS if minor not in have]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # another user's home
        return False
