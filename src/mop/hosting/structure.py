"""The rules of a model folder's structure (PRODUCT section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mop.errors import ModelStructureError

REQUIRED_FILES = ("src/inference.py", "src/requirements.txt", "src/settings.yml")
PACKAGE_FILES_SHOWN = 5


@dataclass(frozen=True)
class ModelFolder:
    """A checked model folder and its parts.

    Attributes:
        src: the folder of inference.py.
        model: the folder of the checkpoint.
        private_packages: the folder of private wheels; None when there is none.
        warnings: what is odd but allowed.
    """

    src: Path
    model: Path
    private_packages: Path | None
    warnings: tuple[str, ...]


def check_structure(folder: Path, *, wheel_bytes_max: int) -> ModelFolder:
    """The parts of a model folder that was snapshot (regular files only).

    Raises:
        ModelStructureError: every part that is missing, empty or too large; the first is the error.
    """
    problems = [f"{name} is missing" for name in REQUIRED_FILES if not (folder / name).is_file()]
    model = folder / "model"
    if not model.is_dir():
        problems.insert(0, "model/ is missing")
    elif not any(path.is_file() for path in model.rglob("*")):
        problems.insert(0, "model/ is empty")
    packages = folder / "privatepkgs"
    problems += [
        f"{path.relative_to(folder)} has {path.stat().st_size:,} bytes; a private wheel may have {wheel_bytes_max:,}"
        for path in _wheels(packages)
        if path.stat().st_size > wheel_bytes_max
    ]
    if problems:
        raise ModelStructureError(
            _sentence(problems[0], folder), mend=_mend(folder), place=problems[0].split()[0], also=problems[1:]
        )
    return ModelFolder(
        src=folder / "src",
        model=model,
        private_packages=packages if packages.is_dir() else None,
        warnings=_warnings(folder, packages),
    )


def _wheels(packages: Path) -> list[Path]:
    return sorted(packages.glob("*.whl")) if packages.is_dir() else []


def _sentence(problem: str, folder: Path) -> str:
    """The problem, with what lies at the top instead: most often the folder is one level too high or too low."""
    top = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    if problem.endswith("is missing"):
        shown = ", ".join(top[:10]) or "nothing"
        return f"{problem}. The folder holds {shown}."
    return f"{problem}."


def _mend(folder: Path) -> str | None:
    """Where the model url should point instead, if that can be seen."""
    if (folder / "inference.py").is_file():
        return "The model url points into src/: set it one level higher, to the folder that holds model/ and src/."
    if (folder / "src").is_dir() or (folder / "model").is_dir():
        return None
    inner = [path.name for path in sorted(folder.iterdir()) if (path / "src").is_dir()]
    if inner:
        return f"Set the model url one level deeper, to {inner[0]}/: that folder holds src/."
    return None


def _warnings(folder: Path, packages: Path) -> tuple[str, ...]:
    if not packages.is_dir():
        return ()
    others = sorted(
        str(path.relative_to(folder))
        for path in packages.rglob("*")
        if path.is_file() and path not in _wheels(packages)
    )
    if not others:
        return ()
    shown = ", ".join(others[:PACKAGE_FILES_SHOWN]) + (" ..." if len(others) > PACKAGE_FILES_SHOWN else "")
    return (f"privatepkgs/ holds files that are not installed, since they are not wheels at its top: {shown}",)
