"""More functions of the standard library and of common packages that write, open or start something by themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from security.hostile import MARK, STOP, Hostile, call, named, number, plain, source, text, touch

Arguments = Callable[[str], list[bytes]]


def _integer(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def _words(*words: str) -> bytes:
    return b"]" + MARK + b"".join(text(word) for word in words) + b"e"


def _bytes(value: str) -> bytes:
    return b"C" + bytes([len(value)]) + value.encode()


def _to(*more: bytes) -> Arguments:
    """The marker first, then these."""
    return lambda marker: [text(marker), *more]


def _program(*first: bytes) -> Arguments:
    return lambda marker: [*first, _words("touch", marker)]


_WRITE = text("w")
_NONE = b"N"
FUNCTIONS: tuple[tuple[str, str, Arguments], ...] = (
    *(("os", name, _program(text("touch"))) for name in ("execvp",)),
    *(("os", name, _program(text("/usr/bin/touch"))) for name in ("execv",)),
    *(("os", name, _program(number(0), text("touch"))) for name in ("spawnvp",)),
    ("os", "spawnv", _program(number(0), text("/usr/bin/touch"))),
    ("os", "spawnl", lambda marker: [number(0), text("/usr/bin/touch"), text("touch"), text(marker)]),
    ("os", "execlp", lambda marker: [text("touch"), text("touch"), text(marker)]),
    ("os", "posix_spawnp", lambda marker: [text("touch"), _words("touch", marker), b"}"]),
    ("os", "makedirs", _to()),
    ("os", "mkfifo", _to()),
    ("os", "open", _to(_integer(os.O_CREAT | os.O_WRONLY))),
    ("posix", "mkdir", _to()),
    ("posix", "mkfifo", _to()),
    ("posix", "open", _to(_integer(os.O_CREAT | os.O_WRONLY))),
    ("posix", "symlink", lambda marker: [text("/"), text(marker)]),
    ("posix", "execv", _program(text("/usr/bin/touch"))),
    ("multiprocessing.util", "spawnv_passfds", lambda m: [_bytes("/usr/bin/touch"), _words("touch", m), b")"]),
    ("uuid", "_get_command_stdout", lambda marker: [text("touch"), text(marker)]),
    ("pydoc", "pipepager", lambda marker: [text(""), text(touch(marker))]),
    ("pydoc", "tempfilepager", lambda marker: [text(""), text(f"{touch(marker)};")]),
    ("shutil", "copy", lambda marker: [text("/etc/passwd"), text(marker)]),
    ("shutil", "copy2", lambda marker: [text("/etc/passwd"), text(marker)]),
    ("shutil", "make_archive", _to(text("tar"), text("/etc/apt"))),
    ("tempfile", "mkstemp", lambda marker: [text(""), text(""), text(marker.rsplit("/", 1)[0])]),
    ("zipfile", "ZipFile", _to(_WRITE)),
    ("tarfile", "open", _to(_WRITE)),
    ("tarfile", "TarFile", _to(_WRITE)),
    ("bz2", "open", _to(_WRITE)),
    ("bz2", "BZ2File", _to(_WRITE)),
    ("lzma", "open", _to(_WRITE)),
    ("lzma", "LZMAFile", _to(_WRITE)),
    ("gzip", "GzipFile", _to(_WRITE)),
    ("codecs", "open", _to(_WRITE)),
    ("io", "FileIO", _to(_WRITE)),
    ("_io", "open", _to(_WRITE)),
    ("_pyio", "open", _to(_WRITE)),
    ("dbm.dumb", "open", _to(text("c"))),
    ("shelve", "DbfilenameShelf", _to()),
    ("sqlite3", "Connection", _to()),
    ("sqlite3.dbapi2", "connect", _to()),
    ("_sqlite3", "connect", _to()),
    ("logging.handlers", "RotatingFileHandler", _to()),
    ("logging.handlers", "TimedRotatingFileHandler", _to()),
    ("logging.handlers", "WatchedFileHandler", _to()),
    ("wave", "open", _to(text("wb"))),
    ("mailbox", "mbox", _to()),
    ("mailbox", "Maildir", _to()),
    ("mailbox", "MMDF", _to()),
    ("profile", "runctx", lambda marker: [text(source(marker)), b"}", b"}"]),
    ("cProfile", "runctx", lambda marker: [text(source(marker)), b"}", b"}"]),
    ("bdb", "Bdb.run", lambda marker: [call(named("bdb", "Bdb")), text(source(marker))]),
    ("trace", "Trace.run", lambda marker: [call(named("trace", "Trace")), text(source(marker))]),
    ("numpy", "save", _to(number(1))),
    ("numpy", "savetxt", _to(_words())),
    ("numpy", "savez", _to(number(1))),
    ("numpy", "memmap", _to(text("u1"), text("w+"), number(0), number(1))),
    ("joblib", "dump", lambda marker: [number(1), text(marker)]),
    ("joblib.numpy_pickle", "dump", lambda marker: [number(1), text(marker)]),
    ("scipy.io", "savemat", _to(b"}")),
    ("pathlib", "os.system", lambda marker: [text(touch(marker))]),
    ("pathlib", "os.mkdir", _to()),
    ("tempfile", "_shutil.copy", lambda marker: [text("/etc/passwd"), text(marker)]),
    ("logging", "os.system", lambda marker: [text(touch(marker))]),
    ("inspect", "os.system", lambda marker: [text(touch(marker))]),
    ("collections", "_sys.modules.get", lambda _marker: [text("os")]),
)
_SILENT = frozenset({"collections._sys.modules.get"})
_PATH_METHODS = ("touch", "mkdir")


def functions() -> Iterator[Hostile]:
    """One for each function."""
    for module, name, arguments in FUNCTIONS:
        path = f"{module}.{name}"

        def build(marker: str, module: str = module, name: str = name, given: Arguments = arguments) -> bytes:
            return b"\x80\x04" + call(text(module) + text(name) + b"\x93", *given(marker)) + STOP

        yield Hostile(f"function {path}", "model.pkl", build, "" if path in _SILENT else "pickle")


def combinations() -> Iterator[Hostile]:
    """Harmless names that write a file together, and names that Python 2 used."""
    for method in _PATH_METHODS:
        yield Hostile(
            f"combined: getattr of Path.{method}",
            "model.pkl",
            lambda marker, method=method: b"\x80\x02" + call(_method(marker, method)) + STOP,
        )
        yield Hostile(
            f"combined: dotted Path.{method}",
            "model.pkl",
            lambda marker, method=method: (
                b"\x80\x04" + call(text("pathlib") + text(f"PosixPath.{method}") + b"\x93", _path(marker)) + STOP
            ),
        )
    yield Hostile("combined: partial", "m.pkl", lambda m: b"\x80\x02" + call(_partial(m)) + STOP)
    yield Hostile("combined: a class with a method", "m.pkl", _by_class)
    yield Hostile("combined: __setstate__", "m.pkl", _by_state)
    yield Hostile("combined: map", "m.pkl", _by_map)
    yield Hostile("combined: library of C", "m.pkl", _by_library)
    yield Hostile("combined: methodcaller", "m.pkl", _by_methodcaller)
    yield Hostile("Python 2: __builtin__.eval", "m.pkl", lambda m: call(_old("eval"), text(source(m))) + STOP)
    yield Hostile("Python 2: __builtin__.open", "m.pkl", lambda m: call(_old("open"), text(m), _WRITE) + STOP)
    yield Hostile(
        "Python 2: commands.getoutput", "m.pkl", lambda m: call(named("commands", "getoutput"), text(touch(m))) + STOP
    )
    yield Hostile("Python 2: anydbm.open", "m.pkl", lambda m: call(named("anydbm", "open"), text(m), text("c")) + STOP)
    yield Hostile("combined: loads", "m.pkl", lambda m: b"\x80\x03" + call(named("_pickle", "loads"), _inner(m)) + STOP)


def _old(name: str) -> bytes:
    return named("__builtin__", name)


def _inner(marker: str) -> bytes:
    content = plain(marker)
    return b"C" + bytes([len(content)]) + content


def _path(marker: str) -> bytes:
    return call(named("pathlib", "PosixPath"), text(marker))


def _method(marker: str, method: str) -> bytes:
    return call(named("builtins", "getattr"), _path(marker), text(method))


def _partial(marker: str) -> bytes:
    return call(named("functools", "partial"), _method(marker, "write_text"), text("a"))


def _by_class(marker: str) -> bytes:
    """`int` of an instance of a class that the pickle makes, whose `__int__` writes."""
    cls = call(named("builtins", "type"), text("X"), b")", b"}" + text("__int__") + _partial(marker) + b"s")
    made = call(named("copyreg", "__newobj__"), cls)
    return b"\x80\x02" + call(named("builtins", "int"), made) + STOP


def _by_state(marker: str) -> bytes:
    """BUILD calls what an earlier BUILD has set."""
    made = call(named("types", "SimpleNamespace"))
    return (
        b"\x80\x02"
        + made
        + b"}"
        + text("__setstate__")
        + _method(marker, "write_text")
        + b"sb"
        + text("a")
        + b"b"
        + STOP
    )


def _by_map(marker: str) -> bytes:
    mapped = call(named("builtins", "map"), named("os", "mkdir"), _words(marker))
    return b"\x80\x02" + call(named("builtins", "list"), mapped) + STOP


def _by_library(marker: str) -> bytes:
    library = call(named("ctypes", "CDLL"), _NONE)
    system = call(named("builtins", "getattr"), library, text("system"))
    return b"\x80\x03" + call(system, _bytes(touch(marker))) + STOP


def _by_methodcaller(marker: str) -> bytes:
    module = call(named("importlib", "import_module"), text("os"))
    return (
        b"\x80\x02" + call(call(named("operator", "methodcaller"), text("system"), text(touch(marker))), module) + STOP
    )
