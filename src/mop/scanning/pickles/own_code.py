"""Which modules a model folder brings or asks for: what a pickle may name besides the libraries that MOP knows."""

from __future__ import annotations

import enum
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mop.scanning.pickles.values import Global

SOURCE_BYTES = 1024**2
FILES_MAX = 2_000
_CLASS = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.MULTILINE)
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)
_CLASS_NAME = re.compile(r"_{0,2}[A-Z]+[a-z0-9]\w*|[A-Z]{2,}")
"""How PEP 8 writes the name of a class."""
_IMPORTED_AS = {
    "beautifulsoup4": "bs4",
    "imbalanced-learn": "imblearn",
    "keras-preprocessing": "keras_preprocessing",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "python-dateutil": "dateutil",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "umap-learn": "umap",
    "xgboost-cpu": "xgboost",
}


class Origin(enum.StrEnum):
    """Where the code behind a global comes from."""

    OWN_CLASS = "a class of the model folder"
    OWN = "code of the model folder"
    REQUIRED_CLASS = "a class of a package in requirements.txt"
    REQUIRED = "a package in requirements.txt"
    FOREIGN = "no code of the model folder, and no package that it asks for"


@dataclass
class OwnCode:
    """Modules of src/ with their classes, packages of privatepkgs/, packages of requirements.txt."""

    sources: dict[str, Path] = field(default_factory=dict)
    private: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    _classes: dict[str, frozenset[str]] = field(default_factory=dict)

    def origin(self, name: Global) -> Origin:
        """Where a global comes from, by the names of modules."""
        top = name.module.split(".")[0]
        last = name.name.split(".")[-1]
        if name.module in self.sources:
            return Origin.OWN_CLASS if last in self._classes_of(name.module) else Origin.OWN
        if top in self.private:
            return Origin.OWN_CLASS if _CLASS_NAME.fullmatch(last) else Origin.OWN
        if top in self.required:
            return Origin.REQUIRED_CLASS if _CLASS_NAME.fullmatch(last) else Origin.REQUIRED
        return Origin.FOREIGN

    def _classes_of(self, module: str) -> frozenset[str]:
        if module not in self._classes:
            text = ""
            with suppress(OSError), self.sources[module].open("rb") as file:
                text = file.read(SOURCE_BYTES).decode("utf-8", "replace")
            self._classes[module] = frozenset(_CLASS.findall(text))
        return self._classes[module]


def own_code(model: Path | None) -> OwnCode:
    """What a model folder brings and asks for. Nothing of it is parsed or imported."""
    if model is None:
        return OwnCode()
    source = model / "src"
    modules: dict[str, Path] = {}
    for path, _ in zip(sorted(source.rglob("*.py")), range(FILES_MAX), strict=False):
        if path.is_file() and not path.is_symlink():
            parts = path.relative_to(source).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            modules[name] = modules[f"src.{name}"] = path
    return OwnCode(modules, _of_wheels(model / "privatepkgs"), _of_requirements(source / "requirements.txt"))


def _of_wheels(folder: Path) -> frozenset[str]:
    found: set[str] = set()
    for path in sorted(folder.glob("*.whl")) if folder.is_dir() else ():
        with suppress(OSError, zipfile.BadZipFile, NotImplementedError, ValueError), zipfile.ZipFile(path) as archive:
            names = (name for name, _ in zip(archive.namelist(), range(FILES_MAX), strict=False))
            found |= {name.split("/")[0].removesuffix(".py") for name in names if name.endswith(".py")}
    return frozenset(found)


def _of_requirements(path: Path) -> frozenset[str]:
    text = ""
    with suppress(OSError), path.open("rb") as file:
        text = file.read(SOURCE_BYTES).decode("utf-8", "replace")
    names = {name.lower().replace("_", "-").replace(".", "-") for name in _REQUIREMENT.findall(text)}
    return frozenset(_IMPORTED_AS.get(name, name.replace("-", "_")) for name in names)
