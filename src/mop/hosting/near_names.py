"""What lies in a model folder in the place of a file or folder that is missing: the same name in another spelling."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

_CLOSE = 0.8
_NEVER = frozenset({".ipynb", ".pyc", ".lock"})  # close in letters, but something else
_YAML = {".yaml": ".yml"}
_MODEL = frozenset({"models", "checkpoint", "checkpoints", "weights"})


@dataclass(frozen=True)
class Near:
    """A path inside the folder that was probably meant to be another."""

    there: str
    meant: str

    def hint(self) -> str:
        """What to do about it."""
        verb = "Move" if Path(self.there).name == Path(self.meant).name else "Rename"
        return f"{verb} {self.there} to {self.meant}."


def near_path(folder: Path, wanted: str) -> Near | None:
    """What lies in the place of `wanted`, of which a part is not there; None for nothing."""
    here, parts = folder, wanted.split("/")
    for depth, part in enumerate(parts, start=1):
        if (here / part).exists():
            here /= part
            continue
        found = _near(here, part, is_file=depth == len(parts) and "." in part)
        if found is not None:
            return Near(found.relative_to(folder).as_posix(), "/".join(parts[:depth]))
        break
    return _elsewhere(folder, wanted)


def _near(folder: Path, name: str, *, is_file: bool) -> Path | None:
    there = {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.is_file() == is_file and path.suffix.lower() not in _NEVER
    }
    spelt = {_spelling(one): one for one in reversed(there)}
    wanted = _spelling(name)
    if wanted in spelt:
        return there[spelt[wanted]]
    if name == "model":
        return next((there[one] for one in there if one.casefold() in _MODEL), None)
    close = difflib.get_close_matches(wanted, spelt, n=1, cutoff=_CLOSE)
    return there[spelt[close[0]]] if close else None


def _elsewhere(folder: Path, wanted: str) -> Near | None:
    """A file of exactly this name in another folder, where there is only one."""
    name = wanted.rsplit("/", 1)[-1]
    places = [path for path in (folder / name, folder / "model" / name, folder / "src" / name) if path.is_file()]
    return Near(places[0].relative_to(folder).as_posix(), wanted) if len(places) == 1 else None


def _spelling(name: str) -> str:
    """The name without what differs between systems and habits: letter case, Unicode form, `.yaml` for `.yml`."""
    plain = unicodedata.normalize("NFC", name).casefold()
    stem, dot, suffix = plain.rpartition(".")
    return stem + _YAML.get(dot + suffix, dot + suffix)
