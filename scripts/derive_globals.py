"""Derive which globals of the standard library and of common packages are dangerous, and which are harmless.

    python scripts/derive_globals.py WHEEL... > /dev/null

Reads sources and runs nothing of them. A function is dangerous when it, or a function that it calls, reaches one of
the primitives below: it starts a program, evaluates code, imports by name, unpickles, opens files or connections. A
class is dangerous when what makes an instance of it is. A class of a package is harmless when nothing of that is found
in it, and harmless when it is created without its constructor, as pickles create most, when nothing is found outside
of `__init__`. Writes derived_dangerous.txt, derived_harmless.txt and derived_created.txt beside known_globals.py; they
are read there, and reviewed like source.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

REASONS = {
    "starts programs": (
        *("os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.startfile", "subprocess."),
        *("pty.spawn", "_posixsubprocess.", "multiprocessing."),
    ),
    "evaluates code": ("eval", "exec", "runpy.", "code.", "types.FunctionType", "ctypes."),
    "imports by name": ("__import__", "importlib.import_module", "importlib.util", "pkgutil.", "imp."),
    "loads pickles or compiled code": (
        *("pickle.load", "pickle.Unpickler", "marshal.load", "joblib.load", "numpy.load", "dill.", "cloudpickle."),
        "shelve.",
    ),
    "opens connections": ("socket.", "urllib.request.", "http.client.", "requests.", "ftplib.", "smtplib.", "ssl."),
    "opens, changes or removes files": (
        *("open", "io.open", "os.open", "os.remove", "os.unlink", "os.rename", "os.replace", "os.mkdir", "os.makedirs"),
        *("os.rmdir", "os.symlink", "os.link", "os.chmod", "os.chown", "os.mkfifo", "os.truncate", "shutil.", "gzip."),
        *("tempfile.", "tarfile.", "zipfile.", "sqlite3.", "bz2.open", "lzma.open", "codecs.open", "mmap."),
    ),
}
METHODS = {
    **dict.fromkeys(("write_text", "write_bytes", "unlink", "touch", "symlink_to"), "opens, changes or removes files"),
    **dict.fromkeys(("to_csv", "to_pickle", "savefig", "memmap", "tofile"), "opens, changes or removes files"),
}
CREATORS = ("__new__", "__setstate__", "__reduce__", "__reduce_ex__", "__getattr__", "__init_subclass__")
HARMLESS = "a class that reaches no file, program, import or connection when it is made"
CREATED = "a class that reaches nothing when it is created without its constructor"
LEFT_OUT = frozenset(
    {
        *(
            "test",
            "tests",
            "testing",
            "conftest",
            "_testing",
            "examples",
            "_examples",
            "benchmarks",
            "vendor",
            "_vendor",
        ),
        "externals",
    }
)
FOLDER = Path(__file__).parents[1] / "src" / "mop" / "scanning" / "pickles"
WIDTH = 118


@dataclass
class Unit:
    """A function or class of a module: what it calls, and why it is dangerous."""

    calls: set[str] = field(default_factory=set)
    is_class: bool = False
    bases: tuple[str, ...] = ()
    constructor: set[str] = field(default_factory=set)
    reason: str = ""
    constructor_reason: str = ""


def main() -> None:
    """Read, derive, write."""
    library: dict[str, Unit] = {}
    packages: dict[str, Unit] = {}
    for module, text in standard_library():
        collect(module, text, library)
    for wheel in sys.argv[1:]:
        for module, text in of_wheel(Path(wheel)):
            collect(module, text, packages)
    everything = library | packages
    spread(everything)
    reasons = {name: unit.reason or unit.constructor_reason for name, unit in library.items()}
    dangerous = {name: reason for name, reason in reasons.items() if reason}
    dangerous |= {name: unit.reason for name, unit in packages.items() if unit.reason and not unit.is_class}
    write("derived_dangerous.txt", dangerous)
    harmless = [name for name in fine(packages) if not packages[name].constructor_reason]
    write("derived_harmless.txt", dict.fromkeys(harmless, HARMLESS))
    write("derived_created.txt", dict.fromkeys(set(fine(packages)) - set(harmless), CREATED))


def standard_library() -> Iterator[tuple[str, str]]:
    """Modules of the standard library with their text."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if "site-packages" not in parts and not set(parts) & (LEFT_OUT | {"idlelib", "lib2to3", "turtledemo"}):
            yield name_of(parts), path.read_text(encoding="utf-8", errors="replace")


def of_wheel(path: Path) -> Iterator[tuple[str, str]]:
    """Modules of a wheel with their text."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            parts = name.removesuffix(".py").split("/")
            if name.endswith(".py") and ".data" not in name and not set(parts) & LEFT_OUT:
                yield name_of(tuple(parts)), archive.read(name).decode("utf-8", "replace")


def name_of(parts: tuple[str, ...]) -> str:
    """The dotted name of a module."""
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def collect(module: str, text: str, into: dict[str, Unit]) -> None:
    """The functions and classes of a module, and what each calls."""
    with suppress(SyntaxError, ValueError, RecursionError):
        tree = ast.parse(text)
        names = imported(module, tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                into[f"{module}.{node.name}"] = Unit(called(node, names))
            elif isinstance(node, ast.ClassDef):
                bases = tuple(resolved(base, names) for base in node.bases)
                creators = calls_of(node, CREATORS, names) | set(bases)
                into[f"{module}.{node.name}"] = Unit(
                    creators, is_class=True, bases=bases, constructor=calls_of(node, ("__init__",), names)
                )


def calls_of(node: ast.ClassDef, methods: tuple[str, ...], names: dict[str, str]) -> set[str]:
    """What some methods of a class call."""
    parts = [part for part in node.body if getattr(part, "name", "") in methods]
    return {call for part in parts for call in called(part, names)}


def imported(module: str, tree: ast.Module) -> dict[str, str]:
    """What the names of a module stand for."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, defined)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(module.split(".")[: -node.level]) + "." if node.level else ""
            for alias in node.names:
                names[alias.asname or alias.name] = f"{package}{node.module or ''}.{alias.name}".strip(".")
    return names


def called(node: ast.AST, names: dict[str, str]) -> set[str]:
    """What a function calls."""
    return {resolved(call.func, names) for call in ast.walk(node) if isinstance(call, ast.Call)} - {""}


def resolved(function: ast.expr, names: dict[str, str]) -> str:
    """The dotted name of what is called; of a method of something computed `*.` and its name."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return f"*.{parts[0]}" if parts else ""
    return ".".join([names.get(function.id, function.id), *reversed(parts)]).removeprefix("builtins.")


def spread(units: dict[str, Unit]) -> None:
    """Who calls what is dangerous is dangerous; a class is dangerous to its callers by its constructor, too."""
    callers: dict[str, set[str]] = defaultdict(set)
    for name, unit in units.items():
        for call in unit.calls | unit.constructor:
            callers[call].add(name)
    waiting = [(call, reason) for call in callers if (reason := reason_of(call))]
    while waiting:
        call, reason = waiting.pop()
        for name in callers.get(call, ()):
            unit = units[name]
            was_known = bool(unit.reason or unit.constructor_reason)
            if call in unit.calls and not unit.reason:
                unit.reason = reason
            if call in unit.constructor and not unit.constructor_reason:
                unit.constructor_reason = reason
            if not was_known:
                waiting.append((name, reason))
    for unit in units.values():
        if unit.is_class:
            unit.constructor_reason = unit.constructor_reason or next(
                (units[base].constructor_reason for base in unit.bases if base in units), ""
            )


def reason_of(call: str) -> str:
    """Why a call is dangerous by itself."""
    if call.startswith("*."):
        return METHODS.get(call[2:], "")
    for reason, primitives in REASONS.items():
        for primitive in primitives:
            if call == primitive or (primitive[-1] == "." and call.startswith(primitive)):
                return reason
            if primitive in {"os.exec", "os.spawn", "os.posix_spawn"} and call.startswith(primitive):
                return reason
    return METHODS.get(call.rsplit(".", 1)[-1], "") if "." in call else ""


def fine(units: dict[str, Unit]) -> list[str]:
    """Classes in which nothing was found."""
    return [
        name
        for name, unit in units.items()
        if unit.is_class
        and not unit.reason
        and not any(
            "Exception" in base or "Error" in base or "Warning" in base or "TestCase" in base for base in unit.bases
        )
        and not name.rsplit(".", 1)[-1].startswith("Test")
    ]


def write(file: str, names: dict[str, str]) -> None:
    """By reason, module and name."""
    ordered: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, reason in sorted(names.items()):
        module, _, last = name.rpartition(".")
        ordered[reason][module].append(last)
    lines = [
        "# Made by scripts/derive_globals.py from sources. Do not edit: exceptions belong into the lists beside it."
    ]
    for reason in sorted(ordered):
        lines += ["", f"= {reason}"]
        for module, found in sorted(ordered[reason].items()):
            lines.append(module)
            line = " "
            for word in found:
                if len(line) + len(word) + 1 > WIDTH:
                    lines.append(line)
                    line = " "
                line += f" {word}"
            lines.append(line)
    (FOLDER / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
