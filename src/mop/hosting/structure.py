"""The rules of a model folder's structure (PRODUCT section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mop.errors import ModelStructureError
from mop.hosting.near_names import near_path
from mop.hosting.unfetched_files import unfetched_files

REQUIRED_FILES = ("src/inference.py", "src/requirements.txt", "src/settings.yml")
PACKAGE_FILES_SHOWN = 5
ALSO_MAX = 20
SDK_MODULE = "mop_utils"


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
            _sentence(problems[0], folder),
            hint=_hint(problems[0], folder),
            place=_place(problems[0]),
            also=problems[1:],
        )
    _refuse_unfetched(folder)
    _refuse_hidden_sdk(folder / "src")
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
        near = near_path(folder, _place(problem).rstrip("/"))
        return f"{problem}{f', but there is {near.there}' if near else ''}. The folder holds {shown}."
    return f"{problem}."


def _place(problem: str) -> str:
    """The path that a problem begins with."""
    return problem.split(maxsplit=1)[0]


def _hint(problem: str, folder: Path) -> str | None:
    """How the missing part gets its place, or where the model url should point instead, if that can be seen."""
    parts = [path.name for path in sorted(folder.iterdir()) if path.is_dir()]
    if not {"src", "model"} & set(parts):
        inner = [name for name in parts if (folder / name / "src").is_dir()]
        if inner:
            return f"Set the model url one level deeper, to {inner[0]}/: that folder holds src/."
        if (folder / "inference.py").is_file():
            return "The model url points into src/: set it one level higher, to the folder that holds model/ and src/."
    near = near_path(folder, _place(problem).rstrip("/")) if problem.endswith("is missing") else None
    return near.hint() if near else None


def _refuse_unfetched(folder: Path) -> None:
    found = list(unfetched_files(folder))
    if found:
        raise ModelStructureError(
            f"{found[0].problem}.",
            hint=found[0].hint,
            place=found[0].path,
            also=[one.problem for one in found[1 : 1 + ALSO_MAX]],
        )


def _refuse_hidden_sdk(src: Path) -> None:
    """Modules of src/ are found before those of packages, and a copy of the SDK is not what MOP calls."""
    for name in (SDK_MODULE, f"{SDK_MODULE}.py"):
        if (src / name).exists():
            raise ModelStructureError(
                f"src/{name} hides the package mop-utils, which MOP installs.",
                hint=f"Remove src/{name}; the line `mop-utils>=3.0` in src/requirements.txt brings the package.",
                place=f"src/{name}",
            )


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
