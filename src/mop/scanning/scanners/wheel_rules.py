"""What a package may not bring without being asked about: pure functions on names and texts."""

from __future__ import annotations

import configparser
import re
from importlib import resources

from packaging.utils import canonicalize_name

_PYTHON = re.compile(r"(?i)(?:python|pypy)(?:w|[0-9.])*(?:\.exe)?")


def _lines(file_name: str) -> frozenset[str]:
    text = resources.files("mop.scanning.scanners").joinpath(file_name).read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


# program: the packages that bring it
_OWNERS: dict[str, frozenset[str]] = {
    "pip": frozenset({"pip"}),
    "wheel": frozenset({"wheel"}),
    "easy_install": frozenset({"setuptools"}),
    "uv": frozenset({"uv"}),
    "uvx": frozenset({"uv"}),
    "gunicorn": frozenset({"gunicorn"}),
    "uvicorn": frozenset({"uvicorn"}),
    "hypercorn": frozenset({"hypercorn"}),
    "waitress-serve": frozenset({"waitress"}),
    "flask": frozenset({"flask"}),
    "azmlinfsrv": frozenset({"azureml-inference-server-http"}),
    "conda": frozenset({"conda"}),
    "virtualenv": frozenset({"virtualenv"}),
    "activate": frozenset(),
    **dict.fromkeys(_lines("system_programs.txt"), frozenset()),
}
_PIP = re.compile(r"pip[0-9.]*")
_NAME = r"'[\w.]+'"
_KNOWN_START_UP_LINES = (
    re.compile(  # setuptools
        r"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; "
        r"enabled = os\.environ\.get\(var, '(?:local|stdlib)'\) == 'local'; "
        r"enabled and __import__\('_distutils_hack'\)(?:\.add_shim\(\))?;?"
    ),
    re.compile(  # packages that share a name, as setuptools installs them
        r"import sys, types, os; ?has_mfs = sys\.version_info > \(3, 5\); ?"
        r"p = os\.path\.join\(sys\._getframe\(1\)\.f_locals\['sitedir'\], \*\('[\w', ]*\)\); ?"
        r"importlib = has_mfs and __import__\('importlib\.util'\); ?"
        r"has_mfs and __import__\('importlib\.machinery'\); ?"
        rf"m = has_mfs and sys\.modules\.setdefault\({_NAME}, importlib\.util\.module_from_spec\("
        rf"importlib\.machinery\.PathFinder\.find_spec\({_NAME}, \[os\.path\.dirname\(p\)\]\)\)\); ?"
        rf"m = m or sys\.modules\.setdefault\({_NAME}, types\.ModuleType\({_NAME}\)\); ?"
        r"mp = \(m or \[\]\) and m\.__dict__\.setdefault\('__path__', ?\[\]\); ?\(p not in mp\) and mp\.append\(p\)"
        rf"(?:; ?m and setattr\(sys\.modules\[{_NAME}\], {_NAME}, m\))?"
    ),
)
_KNOWN_WHOLE_LINES = _lines("known_start_up_lines.txt")
_DANGEROUS = re.compile(
    r"\b(?:exec|eval|compile|marshal|base64|codecs|subprocess|socket|urllib|http|ctypes|pickle|system|popen|spawn\w*|zlib)\b"
)
PUBLIC = _lines("public_packages.txt")
"""Names that everybody takes for the public package's."""
_PUBLIC_MODULES = {
    **{name.replace("-", "_"): name for name in PUBLIC},
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "google": "protobuf",
    "jwt": "pyjwt",
    "mop_utils": "mop-utils",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
_SHARED_MODULES = frozenset({"google", "cv2"})  # many packages bring a part of them


def shadowed_program(program: str, owner: str) -> bool:
    """Whether a package's script takes the place of a program that is somebody else's.

    Args:
        program: name of the script.
        owner: canonical name of the package; "" for nobody.
    """
    if _PYTHON.fullmatch(program):
        return True
    owners = _OWNERS["pip"] if _PIP.fullmatch(program) else _OWNERS.get(program)
    return owners is not None and owner not in owners


def shadowed_package(module: str, owner: str) -> str | None:
    """The public package whose top-level module a package of another name brings, if so."""
    public = _PUBLIC_MODULES.get(module)
    if public is None or module in _SHARED_MODULES or owner in {public, canonicalize_name(module)}:
        return None
    return public


def start_up_lines(text: str) -> list[tuple[int, bool]]:
    """Lines of a `.pth` that run code nobody knows: their numbers, and whether they do what no harmless one does."""
    found = []
    # newer Pythons pass over a byte order mark
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.startswith(("import ", "import\t")) and not _is_known(line.strip()):
            found.append((number, _DANGEROUS.search(line) is not None))
    return found


def _is_known(line: str) -> bool:
    return line in _KNOWN_WHOLE_LINES or any(known.fullmatch(line) for known in _KNOWN_START_UP_LINES)


def programs_of(entry_points: str) -> list[str]:
    """Names of the scripts that an entry_points.txt asks for.

    Raises:
        ValueError: it cannot be read.
    """
    parser = _EntryPoints(interpolation=None, strict=False)
    try:
        parser.read_string(entry_points)
    except configparser.Error as error:
        raise ValueError("entry_points.txt cannot be read") from error
    sections = ("console_scripts", "gui_scripts")
    return [name.strip() for section in sections if parser.has_section(section) for name in parser[section]]


class _EntryPoints(configparser.ConfigParser):
    """Names in the case in which they are written."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr
