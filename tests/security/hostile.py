"""Files that run code when they are loaded. The code is harmless: it makes the marker file that it is given.

Every kind is a function from the marker's path to the file's bytes, and the name of the loader it is made for.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import marshal
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

MARK, STOP, TUPLE, REDUCE, POP = b"(", b".", b"t", b"R", b"0"


@dataclass(frozen=True)
class Hostile:
    """One kind: how its file is called, what is in it, and which loader (see `loading`) it fires in."""

    name: str
    file: str
    build: Callable[[str], bytes]
    loader: str = "pickle"


# Pickles, opcode by opcode ----------------------------------------------------------------------------------


def text(value: str) -> bytes:
    """A string on the stack."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """A small number on the stack."""
    return b"K" + bytes([value])


def named(module: str, name: str) -> bytes:
    """A global by its lines."""
    return f"c{module}\n{name}\n".encode()


def called(module: str, name: str, *arguments: bytes, protocol: int = 4) -> bytes:
    """A pickle that is the answer of a call."""
    return b"\x80" + bytes([protocol]) + call(named(module, name), *arguments) + STOP


def call(function: bytes, *arguments: bytes) -> bytes:
    """Opcodes that leave the answer of a call on the stack."""
    return function + MARK + b"".join(arguments) + TUPLE + REDUCE


def touch(marker: str) -> str:
    """A shell command."""
    return f"touch {marker}"


def source(marker: str) -> str:
    """An expression of Python."""
    return f"open({marker!r}, 'w')"


class Reduced:
    """An object that pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._answer = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self._answer


def plain(marker: str, protocol: int = 4) -> bytes:
    """The simplest one, by which containers are tried."""
    import os  # noqa: PLC0415 - the payload's

    return pickle.dumps(Reduced(os.system, touch(marker)), protocol)


# Calls ------------------------------------------------------------------------------------------------------

_WITH_COMMAND = (
    *(("os", "system"), ("posix", "system"), ("os", "popen"), ("subprocess", "getoutput")),
    *(("subprocess", "getstatusoutput"), ("_osx_support", "_read_output"), ("platform", "os.system")),
)
_WITH_WORDS = (
    *(("subprocess", "call"), ("subprocess", "run"), ("subprocess", "check_call"), ("subprocess", "check_output")),
    *(
        ("subprocess", "Popen"),
        ("pty", "spawn"),
        ("distutils.spawn", "spawn"),
        ("test.support.script_helper", "assert_python_ok"),
    ),
)
_WITH_SOURCE = (
    *(("builtins", "eval"), ("builtins", "exec"), ("cProfile", "run")),
    *(("profile", "run"), ("numpy.f2py.crackfortran", "myeval"), ("logging.config", "eval")),
    *(("idlelib.calltip", "get_entity"), ("rlcompleter", "builtins.eval"), ("sklearn.utils.fixes", "eval")),
)
_NOT_EVERYWHERE = {
    "distutils.spawn.spawn",
    "test.support.script_helper.assert_python_ok",
    "numpy.f2py.crackfortran.myeval",
    "logging.config.eval",
    "sklearn.utils.fixes.eval",
    "platform.os.system",
    "rlcompleter.builtins.eval",
}


def calls() -> Iterator[Hostile]:
    """One for each function that does it."""
    for module, name in _WITH_COMMAND:
        if f"{module}.{name}" not in _NOT_EVERYWHERE:
            yield _calling(module, name, lambda marker: [text(touch(marker))])
    for module, name in _WITH_WORDS:
        if f"{module}.{name}" not in _NOT_EVERYWHERE:
            yield _calling(module, name, lambda marker: [_list("touch", marker)])
    for module, name in _WITH_SOURCE:
        if f"{module}.{name}" not in _NOT_EVERYWHERE:
            yield _calling(module, name, lambda marker: [text(source(marker))])
    for name in ("timeit", "repeat"):  # as the set-up, which runs once; a statement runs a million times
        yield _calling("timeit", name, lambda marker: [text("pass"), text(source(marker))])
    yield _calling("builtins", "open", lambda marker: [text(marker), text("w")])
    yield _calling("io", "open", lambda marker: [text(marker), text("w")])
    yield _calling("_io", "FileIO", lambda marker: [text(marker), text("w")])
    yield _calling("os", "mkdir", lambda marker: [text(marker)])
    yield _calling("os", "mknod", lambda marker: [text(marker)])
    yield _calling("os", "symlink", lambda marker: [text("/"), text(marker)])
    yield _calling("shutil", "copyfile", lambda marker: [text("/etc/passwd"), text(marker)])
    yield _calling("shutil", "copytree", lambda marker: [text("/etc/ssl/certs/java"), text(marker)], fires=False)
    yield _calling("os", "spawnlp", lambda marker: [number(0), text("touch"), text("touch"), text(marker)])
    yield _calling("os", "posix_spawn", lambda marker: [text("/usr/bin/touch"), _list("touch", marker), b"}"])
    yield _calling("sqlite3", "connect", lambda marker: [text(f"{marker}")])
    yield _calling("gzip", "open", lambda marker: [text(marker), text("wb")])
    yield _calling("tempfile", "mkdtemp", lambda marker: [text(""), text(""), text(marker.rsplit("/", 1)[0])])
    yield _calling("logging", "FileHandler", lambda marker: [text(marker)])
    yield _calling("shelve", "open", lambda marker: [text(marker)])
    yield _calling("pickle", "loads", lambda marker: [b"C" + _short(plain(marker))])
    yield _calling("_pickle", "loads", lambda marker: [b"C" + _short(plain(marker))])
    yield _calling("runpy", "_run_code", lambda marker: [_compiled(marker), b"}"])
    yield _calling(
        "code",
        "InteractiveInterpreter",
        lambda _marker: [b"}"],
        after=lambda marker: _method("runsource", source(marker)),
    )
    yield _calling("concurrent.futures.process", "os.system", lambda marker: [text(touch(marker))], by_stack=True)
    yield _calling("os", "path.os.system", lambda marker: [text(touch(marker))], by_stack=True)
    yield _calling("random", "_os.system", lambda marker: [text(touch(marker))], by_stack=True)
    yield _calling("collections", "_sys.modules.__class__", lambda _marker: [], by_stack=True, fires=False)


def _calling(
    module: str,
    name: str,
    arguments: Callable[[str], list[bytes]],
    *,
    after: Callable[[str], bytes] | None = None,
    by_stack: bool = False,
    fires: bool = True,
) -> Hostile:
    def build(marker: str) -> bytes:
        function = text(module) + text(name) + b"\x93" if by_stack else named(module, name)
        body = call(function, *arguments(marker))
        return b"\x80\x04" + (after(marker) if after else b"") + body + STOP

    return Hostile(f"calls {module}.{name}", "model.pkl", build, "pickle" if fires else "")


def _list(*words: str) -> bytes:
    return b"]" + MARK + b"".join(text(word) for word in words) + b"e"


def _short(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _compiled(marker: str) -> bytes:
    return call(named("builtins", "compile"), text(source(marker)), text("a"), text("exec"))


def _method(name: str, argument: str) -> bytes:
    """Call a method of what is made for it, and forget the answer."""
    made = call(named("code", "InteractiveInterpreter"), b"}")
    return call(call(named("operator", "methodcaller"), text(name), text(argument)), made) + POP


# Ways to write the same call --------------------------------------------------------------------------------


def writings() -> Iterator[Hostile]:
    """One for each way in which a pickle can say it."""
    for protocol in range(6):
        yield _pickle(f"protocol {protocol}", functools.partial(plain, protocol=protocol))
    yield _pickle("INST", lambda marker: MARK + _quoted(touch(marker)) + b"ios\nsystem\n" + STOP)
    yield _pickle(
        "OBJ",
        lambda marker: b"\x80\x02" + MARK + named("os", "system") + text(touch(marker)) + b"o" + STOP,
        fires=False,
    )
    yield _pickle(
        "OBJ of a class", lambda marker: MARK + named("subprocess", "Popen") + _list("touch", marker) + b"o" + STOP
    )
    yield _pickle(
        "NEWOBJ",
        lambda marker: b"\x80\x02" + named("_io", "FileIO") + MARK + TUPLE + b"\x81" + POP + _command(marker) + STOP,
    )
    yield _pickle("without a header", lambda marker: plain(marker)[2:])
    yield _pickle("without frame and header", lambda marker: _command(marker) + STOP)
    yield _pickle("names from the memo", _by_memo)
    yield _pickle(
        "names in unicode escapes", lambda marker: b"V\\u006fs\nVsystem\n\x93" + _arguments(marker) + REDUCE + STOP
    )
    yield _pickle(
        "names in 8-byte strings",
        lambda marker: (
            b"\x80\x04" + _long_text("os") + _long_text("system") + b"\x93" + _arguments(marker) + REDUCE + STOP
        ),
    )
    yield _pickle(
        "names in old strings",
        lambda marker: b"\x80\x02U\x02osU\x06system\x93" + _arguments(marker) + REDUCE + STOP,
    )
    yield _pickle("a name computed by a call", _by_join)
    yield _pickle("after much else", lambda marker: b"\x80\x04" + b"K\x010" * 100_000 + _command(marker) + STOP)
    yield _pickle(
        "after a large string", lambda marker: b"\x80\x04" + text("a" * 3_000_000) + POP + _command(marker) + STOP
    )
    yield _pickle("in a dictionary", lambda marker: b"\x80\x04}" + text("a") + _command(marker) + b"s" + STOP)
    yield _pickle("in a set", lambda marker: b"\x80\x04\x8f" + MARK + _command(marker) + b"\x90" + STOP)
    yield _pickle("before a broken tail", lambda marker: b"\x80\x04" + _command(marker) + b"\xff\xff\xff")
    yield _pickle("cut off", lambda marker: b"\x80\x04" + _command(marker))
    yield _pickle("with a memo that counts oddly", _by_odd_memo)
    yield _pickle("through partial", _by_partial)
    yield _pickle("through attrgetter", _by_attrgetter)
    yield _pickle("through getattr", _by_getattr)
    yield _pickle("through reduce", _by_reduce)
    yield _pickle("marshalled code", _by_marshal)
    yield _pickle("second of two", lambda marker: pickle.dumps({"a": 1}) + plain(marker), loader="pickle twice")
    yield _pickle(
        "second of two, protocol 0", lambda marker: pickle.dumps({}, 0) + plain(marker, 0), loader="pickle twice"
    )
    yield _pickle(
        "behind other bytes", lambda marker: bytes(range(256)) * 4000 + plain(marker), loader="pickle at 1024000"
    )
    yield _pickle(
        "behind other bytes, protocol 0",
        lambda marker: bytes(range(256)) * 4000 + plain(marker, 0),
        loader="pickle at 1024000",
    )
    yield _pickle("behind a broken pickle", lambda marker: b"\x80\x04\xff" + plain(marker), loader="pickle at 3")


def _pickle(name: str, build: Callable[[str], bytes], *, loader: str = "pickle", fires: bool = True) -> Hostile:
    return Hostile(f"pickle: {name}", "model.pkl", build, loader if fires else "")


def _quoted(value: str) -> bytes:
    return b"S" + repr(value).encode() + b"\n"


def _arguments(marker: str) -> bytes:
    return MARK + text(touch(marker)) + TUPLE


def _command(marker: str) -> bytes:
    return call(named("os", "system"), text(touch(marker)))


def _long_text(value: str) -> bytes:
    return b"\x8d" + struct.pack("<Q", len(value)) + value.encode()


def _by_memo(marker: str) -> bytes:
    kept = text("system") + b"q\x00" + POP + text("os") + b"q\x01" + POP
    return b"\x80\x04" + kept + b"h\x01h\x00\x93" + _arguments(marker) + REDUCE + STOP


def _by_join(marker: str) -> bytes:
    name = call(named("builtins", "str"), b"C\x06system", text("ascii"))
    return b"\x80\x04" + text("os") + name + b"\x93" + _arguments(marker) + REDUCE + STOP


def _by_odd_memo(marker: str) -> bytes:
    """Two puts at one key: MEMOIZE then takes key 1, where a scan that counts puts expects key 2."""
    kept = text("dict") + b"q\x00q\x00" + POP + text("system") + b"\x94" + POP
    return b"\x80\x04" + kept + text("os") + b"h\x01\x93" + _arguments(marker) + REDUCE + STOP


def _by_partial(marker: str) -> bytes:
    made = call(named("functools", "partial"), named("os", "system"), text(touch(marker)))
    return b"\x80\x04" + made + b")R" + STOP


def _by_attrgetter(marker: str) -> bytes:
    getter = call(named("operator", "attrgetter"), text("_os.system"))
    found = call(getter, call(named("importlib", "import_module"), text("random")))
    return b"\x80\x04" + found + _arguments(marker) + REDUCE + STOP


def _by_getattr(marker: str) -> bytes:
    module = call(named("builtins", "__import__"), text("os"))
    return b"\x80\x04" + call(named("builtins", "getattr"), module, text("system")) + _arguments(marker) + REDUCE + STOP


def _by_reduce(marker: str) -> bytes:
    module = call(named("builtins", "__import__"), text("os"))
    found = call(named("functools", "reduce"), named("builtins", "getattr"), _list("system"), module)
    return b"\x80\x04" + found + _arguments(marker) + REDUCE + STOP


def _by_marshal(marker: str) -> bytes:
    code = marshal.dumps(compile(source(marker), "a", "exec"))
    loaded = call(named("marshal", "loads"), b"B" + struct.pack("<I", len(code)) + code)
    return b"\x80\x04" + call(call(named("types", "FunctionType"), loaded, b"}")) + STOP


# Containers -------------------------------------------------------------------------------------------------


def containers() -> Iterator[Hostile]:
    """One for each thing that it can be hidden in."""
    names = ("weights.txt", "config.json", "model.safetensors", "model.onnx", "picture.png", "README", "vocab.bin")
    for name in names:
        yield Hostile(f"called {name}", name, plain)
    for kind, pack, loader in (
        ("gzip", gzip.compress, "gzip"),
        ("bzip2", bz2.compress, "bz2"),
        ("xz", lzma.compress, "lzma"),
        ("lzma", functools.partial(lzma.compress, format=lzma.FORMAT_ALONE), "lzma"),
        ("zlib", zlib.compress, "zlib"),
    ):
        yield Hostile(f"in {kind}", "data.bin", lambda marker, pack=pack: pack(plain(marker)), loader)
    yield Hostile("in gzip twice", "d.gz", lambda marker: gzip.compress(gzip.compress(plain(marker))), "gzip twice")
    yield Hostile(
        "in the second member of gzip", "d.gz", lambda marker: gzip.compress(b"") + gzip.compress(plain(marker)), "gzip"
    )
    for kind, method in (
        ("stored", zipfile.ZIP_STORED),
        ("deflated", zipfile.ZIP_DEFLATED),
        ("bzip2", zipfile.ZIP_BZIP2),
        ("lzma", zipfile.ZIP_LZMA),
    ):
        yield Hostile(f"in a zip, {kind}", "m.pt", functools.partial(_zipped, method=method), "zip")
    yield Hostile("in a zip in a zip", "m.zip", lambda marker: zipped({"in.zip": _zipped(marker)}), "zip twice")
    yield Hostile("in a zip behind other bytes", "m.bin", lambda marker: bytes(70_000) + _zipped(marker), "zip")
    yield Hostile("a pickle and a zip in one", "m.pkl", lambda marker: pickle.dumps({}) + _zipped(marker), "zip")
    yield Hostile("in a zip marked as encrypted", "m.pt", lambda marker: _flagged(_zipped(marker)), "")
    yield Hostile("in a zip with a wrong checksum", "m.pt", lambda marker: _wrong_checksum(_zipped(marker)), "")
    yield Hostile("in a tar", "m.tar", lambda marker: tarred({"a/data.pkl": plain(marker)}), "tar")
    yield Hostile("in a tar.gz", "m.tgz", lambda marker: gzip.compress(tarred({"data.pkl": plain(marker)})), "tar")
    yield Hostile("in a tar in a zip", "m", lambda marker: zipped({"m.tar": tarred({"x": plain(marker)})}), "")
    yield Hostile("in numpy's array of objects", "a.npy", _npy, "npy")
    yield Hostile("in numpy's archive", "a.npz", lambda marker: zipped({"a.npy": _npy(marker)}), "npz")
    yield Hostile("in the old format of torch", "m.pth", _torch_legacy, "pickle four times")
    yield Hostile(
        "in the zip format of torch", "m.pth", lambda marker: zipped({"archive/data.pkl": plain(marker)}), "zip"
    )
    yield Hostile("between arrays of joblib", "m.joblib", _joblib, "")
    yield Hostile("in joblib's zlib", "m.joblib", lambda marker: zlib.compress(_joblib(marker)), "")
    yield Hostile("in many containers", "deep", _deep, "")
    yield Hostile("in an archive of 7-Zip", "m.7z", lambda marker: b"7z\xbc\xaf\x27\x1c" + plain(marker), "")
    yield Hostile("in Zstandard", "m.zst", lambda marker: b"\x28\xb5\x2f\xfd" + zlib.compress(plain(marker)), "")
    yield Hostile("in lz4", "m.lz4", lambda marker: b"\x04\x22\x4d\x18" + zlib.compress(plain(marker)), "")


def others() -> Iterator[Hostile]:
    """What is no pickle."""
    layer = b'{"config": {"layers": [{"class_name": "Lambda", "config": {"function": ["4wEAAAA="]}}]}}'
    yield Hostile("a Lambda layer of Keras", "m.keras", lambda _marker: zipped({"config.json": layer}), "")
    yield Hostile("a Lambda layer in HDF5", "m.h5", lambda _marker: b"\x89HDF\r\n\x1a\n" + bytes(4096) + layer, "")
    yield Hostile("a Lambda layer in JSON", "m.json", lambda _marker: layer, "")
    yield Hostile("a zip that leads out", "m.zip", lambda marker: zipped({"../../etc/cron.d/a": marker.encode()}), "")
    yield Hostile("a zip of an absolute name", "m.zip", lambda marker: zipped({"/etc/cron.d/a": marker.encode()}), "")
    yield Hostile("a tar that leads out", "m.tar", lambda marker: tarred({"../../a": marker.encode()}), "")
    yield Hostile("a tar with a link out", "m.tar", lambda _marker: _linked(), "")
    yield Hostile("a bomb of gzip", "b.gz", lambda _marker: _bomb(), "")
    yield Hostile("a bomb of bzip2", "b.bz2", lambda _marker: bz2.compress(bytes(280 << 20), 9), "")
    yield Hostile("a bomb in a zip", "b.zip", lambda _marker: zipped({"a": bytes(280 << 20)}, zipfile.ZIP_DEFLATED), "")
    yield Hostile("a bomb of bombs", "b.gz", lambda _marker: gzip.compress(_bomb()), "")
    yield Hostile("native code", "libx.so", lambda _marker: b"\x7fELF\x02\x01\x01" + bytes(1000), "")
    yield Hostile("bytecode", "m.bin", _bytecode, "")


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    """A tar."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def _zipped(marker: str, method: int = zipfile.ZIP_STORED) -> bytes:
    return zipped({"data.pkl": plain(marker)}, method)


def _flagged(archive: bytes) -> bytes:
    """The bit of encryption set in both places, on a member that is not encrypted."""
    central = archive.rindex(b"PK\x01\x02")
    changed = bytearray(archive)
    changed[6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


def _wrong_checksum(archive: bytes) -> bytes:
    changed = bytearray(archive)
    changed[archive.rindex(b"PK\x01\x02") + 16] ^= 0xFF
    return bytes(changed)


def _npy(marker: str) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + plain(marker)


def _torch_legacy(marker: str) -> bytes:
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    return magic + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2) + plain(marker, 2) + bytes(1000)


def _joblib(marker: str) -> bytes:
    """A list of an array, whose bytes follow its wrapper, and of the payload."""
    dtype = call(named("numpy", "dtype"), text("f8"), b"\x89", b"\x88")
    fields = [
        *(text("subclass") + named("numpy", "ndarray"), text("shape") + number(100) + b"\x85"),
        *(text("order") + text("C"), text("dtype") + dtype, text("allow_mmap") + b"\x88"),
    ]
    state = b"}" + MARK + b"".join(fields) + b"u"
    wrapper = named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b"
    return b"\x80\x04]" + MARK + wrapper + b"\x80" * 800 + _command(marker) + b"e" + STOP


def _deep(marker: str) -> bytes:
    content = plain(marker)
    for _ in range(12):
        content = gzip.compress(content)
    return content


def _linked() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("a")
        entry.type, entry.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        archive.addfile(entry)
    return file.getvalue()


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(bytes(280 << 20), 1)


def _bytecode(marker: str) -> bytes:
    return b"\xa7\r\r\n" + bytes(12) + marshal.dumps(compile(source(marker), "a", "exec"))
