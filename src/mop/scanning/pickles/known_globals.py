"""Which globals a pickle may name: those that are known to be harmless, those that are dangerous, and the rest.

Both kinds are data beside this file, with a reason for every entry; scripts/derive_globals.py makes the derived lists.
"""

from __future__ import annotations

import _compat_pickle
import enum
import functools
import re
from dataclasses import dataclass
from importlib import resources

from mop.scanning.pickles.values import Global, Use


class Kind(enum.StrEnum):
    """What looking a global up, and calling it with what a pickle brings, can do."""

    HARMLESS = "harmless"
    UNKNOWN = "unknown"
    DANGEROUS = "dangerous"


@dataclass(frozen=True)
class Judgement:
    """What a global can do, and why."""

    kind: Kind
    reason: str = ""


BY_VALUE = "carries code by value"
"""The reason that stands for functions and classes which a pickle brings along."""

_WHOLE = "*"
_HARMLESS_LISTS = ("harmless_globals.txt", "derived_harmless.txt")
_CREATED_LISTS = ("derived_created.txt",)
_DANGEROUS_LISTS = ("dangerous_globals.txt", "derived_dangerous.txt")
_HIDDEN = "reaches what is hidden behind a name with double underscores"
_CYTHON = re.compile(r"__pyx_unpickle_[A-Za-z0-9_]+")
_CYTHON_PACKAGES = frozenset(
    {
        *(
            "catboost",
            "gensim",
            "hdbscan",
            "implicit",
            "lightfm",
            "numpy",
            "pandas",
            "scipy",
            "skimage",
            "sklearn",
            "spacy",
        ),
        *("statsmodels", "surprise", "thinc"),
    }
)
_TORCHSCRIPT = "__torch__"
_REACHING = frozenset(
    {
        *("builtins", "codecs", "ctypes", "importlib", "io", "marshal", "nt", "os", "pickle", "posix", "pty", "runpy"),
        *("shutil", "socket", "subprocess", "sys", "tempfile", "threading", "urllib", "webbrowser"),
    }
)
"""Modules that a name which is no path of attributes can stand for as well: `random._os`."""
_EVERYWHERE = frozenset(("__import__", "compile", "eval", "exec", "execfile", "import_module", "popen", "system"))
"""Functions that keep their names wherever they are imported to."""
_SHORT = {"np": "numpy", "pd": "pandas", "sp": "subprocess"}


def judge(name: Global, use: Use = Use.CALLED) -> Judgement:
    """What a global can do in a use, the worst one unless told.

    A listed name is judged alone; a module is judged with everything below it. A name with dots is looked up attribute
    by attribute, and may pass through any module on its way: each of its parts is judged. A name of Python 2 is judged
    as what the unpickler makes of it, too.
    """
    names = dict.fromkeys((name, _in_python_3(name)))
    if reason := next(filter(None, (_harmless(one, use) for one in names)), ""):
        return Judgement(Kind.HARMLESS, reason)
    if reason := next(filter(None, map(_danger, names)), ""):
        return Judgement(Kind.DANGEROUS, reason)
    if reason := _made_by_a_compiler(name):
        return Judgement(Kind.HARMLESS, reason)
    if any(_is_hidden(part) for part in (*name.module.split("."), *name.name.split("."))):
        return Judgement(Kind.DANGEROUS, _HIDDEN)
    return Judgement(Kind.UNKNOWN)


def kind_of(name: Global) -> Kind:
    """What a global can do."""
    return judge(name).kind


def may_be_dangerous(name: Global) -> bool:
    """Whether `judge` may find this name dangerous, told by little; most words are not."""
    return (
        name.module.split(".", 1)[0] in _tops_with_dangers()
        or "." in name.name
        or name.name.lstrip("_") in _REACHING
        or name.name.startswith("__")
        or "__" in name.module
    )


def is_dangerous_module(module: str) -> bool:
    """Whether anything dangerous is known of a module."""
    return bool(_danger_of_module(module)) or module in _modules_with_dangers()


def _harmless(name: Global, use: Use) -> str:
    reason = _listed(_HARMLESS_LISTS).get(name, "")
    return reason or ("" if use == Use.CALLED else _listed(_CREATED_LISTS).get(name, ""))


def _made_by_a_compiler(name: Global) -> str:
    top = name.module.split(".")[0]
    if top == _TORCHSCRIPT:
        return "a class of TorchScript, which Python never imports"
    if _CYTHON.fullmatch(name.name) and top in _CYTHON_PACKAGES:
        return "Cython's helper: it creates the class that is its argument"
    return ""


def _danger(name: Global) -> str:
    parts = name.name.split(".")
    return _danger_of_one(name.module, parts[0]) or _danger_on_the_way(name.module, parts)


def _danger_of_one(module: str, name: str) -> str:
    return _listed(_DANGEROUS_LISTS).get(Global(module, name), "") or _danger_of_module(module)


def _danger_of_module(module: str) -> str:
    listed = _listed(_DANGEROUS_LISTS)
    parts = module.split(".")
    for count in range(1, min(len(parts), _DEPTH_MAX) + 1):
        if reason := listed.get(Global(".".join(parts[:count]), _WHOLE)):
            return reason
    return ""


_DEPTH_MAX = 12


def _danger_on_the_way(module: str, parts: list[str]) -> str:
    """What an attribute on the way may be: a module that was imported there, or a function of one."""
    if len(parts) == 1:
        return _danger_of_module(parts[0].lstrip("_")) if parts[0].lstrip("_") in _REACHING else ""
    listed = _listed(_DANGEROUS_LISTS)
    for at, part in enumerate(parts):
        bare = part.lstrip("_")
        bare = _SHORT.get(bare, bare)
        reason = _danger_of_module(bare) if at < len(parts) - 1 else ""
        before = parts[at - 1] if at else ""
        reason = reason or listed.get(Global(_SHORT.get(before, before), part), "")
        if reason:
            return reason
        if part in _EVERYWHERE:
            return "reaches a function that runs code"
    return _danger_of_one(f"{module}.{parts[0]}", parts[1])


def _in_python_3(name: Global) -> Global:
    """What the unpickler makes of a name of Python 2 in protocols 0 to 2."""
    module, attribute = _compat_pickle.NAME_MAPPING.get((name.module, name.name), (name.module, name.name))
    return Global(_compat_pickle.IMPORT_MAPPING.get(module, module), attribute)


def _is_hidden(part: str) -> bool:
    return part.startswith("__") and part != "__main__"


@functools.cache
def _modules_with_dangers() -> frozenset[str]:
    return frozenset(name.module for name in _listed(_DANGEROUS_LISTS))


@functools.cache
def _tops_with_dangers() -> frozenset[str]:
    """Of the modules with dangers, and of those that Python 2 called otherwise."""
    renamed = (*_compat_pickle.IMPORT_MAPPING, *(module for module, _ in _compat_pickle.NAME_MAPPING))
    return frozenset(module.split(".", 1)[0] for module in (*_modules_with_dangers(), *renamed))


@functools.cache
def _listed(lists: tuple[str, ...]) -> dict[Global, str]:
    """The names of these lists with their reasons; of a name in several the first counts."""
    found: dict[Global, str] = {}
    for file in lists:
        text = resources.files("mop.scanning.pickles").joinpath(file).read_text(encoding="utf-8")
        reason = module = ""
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("= "):
                reason = line[2:]
            elif line.startswith(" "):
                for name in line.split():
                    found.setdefault(Global(module, name), reason)
            elif line.endswith(" *"):
                found.setdefault(Global(line[:-2], _WHOLE), reason)
            else:
                module = line.strip()
    return found
