"""Files whose structure hides what runs from a reader that is less tolerant than the loader."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import cloudpickle
import h5py

from security.hostile import (
    MARK,
    POP,
    REDUCE,
    STOP,
    TUPLE,
    Hostile,
    Reduced,
    call,
    named,
    plain,
    tarred,
    text,
    touch,
    zipped,
)


def structures() -> Iterator[Hostile]:
    """One for each trick."""
    yield Hostile("headless behind a long text", "m.pkl", lambda m: text("a" * 70_000) + POP + _quoted(m))
    yield Hostile("headless behind a hexadecimal number", "m.pkl", lambda m: b"I0x10\n0" + _quoted(m))
    yield Hostile("headless behind a number in binary", "m.pkl", lambda m: b"L0b1L\n0" + _quoted(m))
    yield Hostile("a long line in quotes", "m.pkl", lambda m: b"S'" + b"a" * 200_000 + b"'\n0" + _quoted(m))
    yield Hostile("a key with zeros", "m.pkl", _by_zeros)
    yield Hostile("a dropped mark", "m.pkl", lambda m: b"(0(1" + _quoted(m))
    yield Hostile("no end of the last line", "m.pkl", _without_end, "pickle in Python")
    yield Hostile("a name over the end of a frame", "m.pkl", _over_frame, "pickle of a file")
    yield Hostile("a text that is a pickle", "notes.txt", lambda m: b"(lp0\n." + _quoted(m), "pickle twice")
    yield Hostile("second of two, no header", "m.pkl", lambda m: pickle.dumps({}) + _quoted(m), "pickle twice")
    yield Hostile("an array of 'object'", "a.npy", lambda m: _npy(b"'object'") + _quoted(m), "npy")
    yield Hostile("a record with objects", "a.npy", lambda m: _npy(b"[('a', 'O')]") + _quoted(m), "npy")
    yield Hostile("a large header of numpy", "a.npy", lambda m: _npy(b"'O'", 30_000) + _quoted(m), "npy")
    yield Hostile("lzma with a small dictionary", "m.joblib", _small_lzma, "lzma")
    yield Hostile("a tar without its mark", "m.pkl.tar", _old_tar, "tar")
    yield Hostile("a tar that is a pickle", "m.tar", _tar_pickle, "pickle")
    yield Hostile("two directories in one zip", "m.pt", _two_directories, "")
    yield Hostile("an archive in a comment", "m.zip", _in_comment, "")
    yield Hostile("joblib: opcodes in an array", "m.joblib", _array_of_opcodes, "pickle")
    yield Hostile("code by value", "m.pkl", _by_value, "pickle")
    yield Hostile("in joblib's old compression", "m.joblib", _old_joblib, "joblib")
    yield Hostile("joblib's old compression of Python 2", "m.joblib", _old_joblib_of_python_2, "joblib")
    for kind, pack in (
        ("bz2", bz2.compress),
        ("gzip", gzip.compress),
        ("zlib", zlib.compress),
        ("lzma", lzma.compress),
    ):
        yield Hostile(
            f"a pickle behind {kind}",
            "m.pkl",
            lambda m, pack=pack: pack(pickle.dumps({})) + plain(m),
            f"pickle behind {kind}",
        )
    yield Hostile("gzip with a wrong checksum", "m.pkl.gz", _gzip_unchecked, "gzip unchecked")
    yield Hostile("skops calls a function", "m.skops", _skops, "")
    yield Hostile("TorchScript that writes", "script.pt", _torchscript, "")
    yield Hostile("code in torch.package", "m.pt", lambda m: zipped(_packaged(m)), "")
    yield Hostile(
        "code in torch.package, a tar of it",
        "m.tar.gz",
        lambda m: gzip.compress(tarred({"m.pt": zipped(_packaged(m))})),
        "",
    )
    yield Hostile("a handler of TorchServe", "m.mar", lambda m: zipped(_served(m)), "archive on the path")
    yield Hostile(
        "an archive that Python runs", "m.pyz", lambda m: zipped({"__main__.py": _python(m)}), "archive that runs"
    )
    yield Hostile(
        "code of SageMaker", "model.tar.gz", lambda m: gzip.compress(tarred({"code/inference.py": _python(m)})), ""
    )
    yield Hostile("a tar behind another", "m.tar", _second_tar, "tar with zeros")
    yield Hostile("a tar right behind another", "m.tar", _tar_right_behind, "tar with zeros")
    yield Hostile("a tar behind one block of zeros", "m.tar", lambda m: _tar_right_behind(m, 512), "tar with zeros")
    yield Hostile("a pickle behind a tar", "m.pkl", _behind_tar, "pickle at 40960")
    yield Hostile("a pickle right behind a tar", "m.pkl", lambda m: _tar_of(1024) + plain(m), "pickle at 2048")
    yield Hostile("a pickle behind a tar without end", "m.pkl", lambda m: _tar_of(0) + plain(m), "pickle at 1024")
    yield Hostile("another name in front of a member", "m.pt", _other_local_name, "zip by its directory")
    yield Hostile("a member marked as a patch", "m.pt", lambda m: _with_flag(m, 0x20), "zip by its directory")
    yield Hostile("a member encrypted otherwise", "m.pt", lambda m: _with_flag(m, 0x40), "zip by its directory")
    yield Hostile("a Python type of Arrow in Parquet", "rows.parquet", _parquet, "")
    yield Hostile("a Python type of Arrow", "rows.arrow", _arrow, "")


def modules() -> Iterator[Hostile]:
    """Python beside the weights, which runs when a library imports it with the model."""
    for name, source in (
        ("everything of a module", "from os import *\nsystem({0!r})\n"),
        ("another name for a function", "import os\nbuild = os.system\nbuild({0!r})\n"),
        ("a function handed over", "import os\nlist(map(os.system, [{0!r}]))\n"),
        (
            "a thread",
            "import os, threading\nt = threading.Thread(target=os.system, args=({0!r},))\nt.start(); t.join()\n",
        ),
        ("a computed name", "import os\nname = 'sys' + 'tem'\ngetattr(os, name)({0!r})\n"),
        ("the table of modules", "import sys\nsys.modules['posix'].system({0!r})\n"),
        ("a default value", "import os\n\ndef build(a=os.system({0!r})):\n    return a\n"),
        ("a note on an argument", "import os\n\ndef build(a: os.system({0!r})):\n    return a\n"),
        ("a condition on its name", "import os\nif __name__ != 'x':\n    os.system({0!r})\n"),
        ("an encoding that hides a line", "# coding: unicode_escape\n# a word \\u000aimport os; os.system({0!r})\n"),
        ("more than is parsed", "import os\nos.system({0!r})\n" + "# words\n" * 40_000),
        ("deep nesting", "import os\nos.system({0!r})\nx = " + "-" * 20_000 + "1\n"),
    ):
        loader = "" if name == "deep nesting" else "module"
        yield Hostile(
            f"code beside the weights: {name}",
            "modeling_own.py",
            lambda marker, source=source: source.replace("{0!r}", repr(touch(marker))).encode(),
            loader,
        )


def texts() -> Iterator[Hostile]:
    """YAML that constructs, JSON that names code."""
    apply, mark = "python/object/apply:os.system", "tag:yaml.org,2002:"
    for name, line in (
        ("apply", f"!!{apply} [{{0!r}}]"),
        ("apply with names", f"!!{apply}\nargs: [{{0!r}}]"),
        ("verbatim", f"!<{mark}{apply}> [{{0!r}}]"),
        ("percent", "!!%70ython/object/apply:os.system [{0!r}]"),
        ("a class", "!!python/object/apply:subprocess.Popen [[touch, {1!r}]]"),
        ("directive", f"%TAG !p! {mark}python/\n---\na: !p!object/apply:os.system [{{0!r}}]"),
        ("a directive of the short handle", f"%TAG ! {mark}python/\n---\na: !object/apply:os.system [{{0!r}}]"),
        ("in a list", "a: [1, {{b: !!python/object/apply:os.system [{0!r}]}}]"),
        ("as a key", "? !!python/object/apply:os.system [{0!r}]\n: 1"),
        ("second document", "a: 1\n---\n!!python/object/apply:os.system [{0!r}]"),
        ("eval", "!!python/object/apply:eval [\"open('{1}', 'w')\"]"),
    ):
        yield Hostile(
            f"YAML: {name}",
            "config.yaml",
            lambda marker, line=line: line.format(touch(marker), marker).encode(),
            "yaml",
        )
    far = b"# a comment of no consequence\n" * 150_000
    yield Hostile(
        "YAML: behind more than is parsed",
        "config.yaml",
        lambda m: far + b"a: !!%s [%a]\n" % (apply.encode(), touch(m)),
        "yaml",
    )
    long = b'{"a": "' + b"x" * 5_500_000 + b'", "b": {"py/object": "subprocess.Popen"}}'
    yield Hostile("JSON: behind a text of megabytes", "config.json", lambda _marker: long, "")
    for encoding in ("utf-32", "utf-16-le", "utf-32-be"):
        content = '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]}'.encode(encoding)
        yield Hostile(f"JSON in {encoding}", "config.json", lambda _marker, content=content: content, "")
    for name, content in (
        ("py/reduce", b'{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]}'),
        ("escaped key", b'{"py\\/\\u006fbject": "subprocess.Popen"}'),
        ("Keras names a module", b'{"class_name": "system", "config": {}, "module": "os"}'),
        ("Hydra's target", b'{"model": {"_target_": "os.system", "command": "true"}}'),
        ("a template", b'{"chat_template": "{{ x.__class__.__mro__ }}"}'),
        ("a template with escapes", b'{"chat_template": "{{ x|attr(\'\\\\x5f\\\\x5fclass\') }}"}'),
        ("an operation of TensorFlow", b'{"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}'),
        ("a Lambda with escapes", b'{"class_name": "\\u004cambda"}'),
    ):
        yield Hostile(f"JSON: {name}", "config.json", lambda _marker, content=content: content, "")
    yield Hostile("SavedModel that writes", "saved_model.pb", lambda _marker: _saved_model(), "")
    yield Hostile("SavedModel without a version", "saved_model.pb", lambda _marker: _saved_model()[2:], "")
    reaching = b"{{ cycler.__init__.__globals__.os.popen('true') }}"
    yield Hostile("a template in YAML", "config.yaml", lambda _marker: b'chat_template: "' + reaching + b'"\n', "")
    yield Hostile("a template of its own", "chat.template", lambda _marker: reaching, "")
    for name, content in (
        ("SavedModel with its fields in another order", field(2, field(1, field(4, b"serve")) + field(2, _OTHER_WAY))),
        ("a graph with its library first", _OTHER_WAY),
        ("a graph with a node in another order", field(1, field(2, b"WriteFile") + field(1, b"n"))),
        (
            "Keras' metadata of a SavedModel",
            field(1, field(4, b"_tf_keras_layer") + field(5, b'{"class_name": "Lambda"}')),
        ),
        ("ONNX with its fields in another order", field(8, field(2, 17)) + _onnx_outside()[2:] + field(1, 8)),
    ):
        yield Hostile(name, "model.pb", lambda _marker, content=content: content, "")
    yield Hostile("HDF5 behind a user block", "m.h5", lambda _marker: _user_block(512), "")
    yield Hostile("HDF5 behind kilobytes of zeros", "m.h5", lambda _marker: _user_block(4096), "")
    yield Hostile("a zip with a link out", "m.zip", lambda _marker: _zip_link(), "")
    for name, template in (
        ("formats a name", "{{ x['%s%sclass'|format('_', '_')] }}"),
        ("replaces in a name", "{{ x['aaclassaa'|replace('a', '_')] }}"),
        ("keeps a character", "{% set u = x|string|first %}{{ x[u*2 + 'class' + u*2] }}"),
        ("maps by a name", "{% set u = ['_', '_'] | join %}{{ [x] | map(attribute=u) }}"),
    ):
        yield Hostile(f"a template that {name}", "chat_template.jinja", lambda _m, text=template: text.encode(), "")
    yield Hostile("ONNX with data outside", "m.onnx", lambda _marker: _onnx_outside(), "")


def _old_joblib(marker: str) -> bytes:
    content = plain(marker)
    return b"ZF" + hex(len(content)).encode().ljust(19) + zlib.compress(content)


def _old_joblib_of_python_2(marker: str) -> bytes:
    content = plain(marker)
    return b"ZF" + hex(len(content)).encode().ljust(19) + b" " + zlib.compress(content)


def _skops(marker: str) -> bytes:
    """Fires in skops 0.16 for a caller who trusts what `get_untrusted_types` names, as its documentation shows."""
    command = {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(touch(marker)),
    }
    function = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 3}
    given = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "__id__": 2}
    call = {"__class__": "call", "__module__": "operator", "__loader__": "OperatorFuncNode", "__id__": 1}
    schema = call | {"attrs": given | {"content": [function, command]}, "protocol": 2}
    return zipped({"schema.json": json.dumps(schema).encode()})


def _torchscript(marker: str) -> bytes:
    """Its method runs when torch.jit.load reads the model's state."""
    method = f"  def __setstate__(self, state: Tensor) -> NoneType:\n    _0 = torch.save(state, {marker!r})\n"
    code = f"class Net(Module):\n{method}"
    members = {
        "data.pkl": pickle.dumps({}, 2),
        "constants.pkl": pickle.dumps((), 2),
        "code/__torch__.py": code.encode(),
    }
    return zipped({f"net/{name}": content for name, content in members.items()})


def _user_block(size: int) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w", userblock_size=size) as file:
        file.attrs["model_config"] = '{"class_name": "Lambda"}'
    return content.getvalue()


def _zip_link() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "../../etc/passwd")
    return content.getvalue()


def _python(marker: str) -> bytes:
    return f"import os\nos.system({touch(marker)!r})\n".encode()


def _packaged(marker: str) -> dict[str, bytes]:
    """Fires in torch 2.13 when PackageImporter loads the pickle, whose class is of the package."""
    loaded = b"\x80\x02cnet.model\nNet\n)\x81."
    members = {
        ".data/extern_modules": b"os\n",
        ".data/version": b"6\n",
        "net/__init__.py": b"",
        "net/model.pkl": loaded,
    }
    members |= {
        "net/model.py": _python(marker) + b"\nclass Net:\n    pass\n",
        ".data/python_version": b"3.11.7",
        "version": b"6\n",
    }
    return {f"m/{name}": content for name, content in members.items()}


def _served(marker: str) -> dict[str, bytes]:
    manifest = {"model": {"handler": "handler.py", "modelName": "m"}, "archiverVersion": "0.12.0"}
    return {"MAR-INF/MANIFEST.json": json.dumps(manifest).encode(), "handler.py": _python(marker)}


def _gzip_unchecked(marker: str) -> bytes:
    numbers = random.Random(3).randbytes(300_000)  # noqa: S311 - bytes of no meaning
    content = bytearray(gzip.compress(plain(marker) + numbers))
    content[-8] ^= 1
    return bytes(content)


def _second_tar(marker: str) -> bytes:
    return tarred({"a.txt": b"a"}) + bytes(30_720) + tarred({"b.pkl": plain(marker)})


def _tar_right_behind(marker: str, end: int = 1024) -> bytes:
    return _tar_of(end) + tarred({"b.pkl": plain(marker)})


def _tar_of(end: int) -> bytes:
    """A member of one block, and so many bytes of zeros."""
    return tarred({"a.txt": b"a"})[: 1024 + end]


def _behind_tar(marker: str) -> bytes:
    return tarred({"a.txt": b"a"}) + bytes(30_720) + plain(marker)


def _other_local_name(marker: str) -> bytes:
    archive = zipped({"archive/data.pkl": plain(marker)})
    return archive.replace(b"data.pkl", b"data.txt", 1)


def _with_flag(marker: str, flag: int) -> bytes:
    archive = bytearray(zipped({"archive/data.pkl": plain(marker)}))
    archive[archive.rindex(b"PK\x01\x02") + 8] |= flag
    return bytes(archive)


def _table(marker: str) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - a second that most do without

    class Own(pa.ExtensionType):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(pa.int64(), "arrow.py_extension_type")

        def __arrow_ext_serialize__(self) -> bytes:
            return plain(marker)

    return pa.table({"a": pa.ExtensionArray.from_storage(Own(), pa.array([1, 2, 3]))})


def _parquet(marker: str) -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415 - a second that most do without

    file = io.BytesIO()
    pq.write_table(_table(marker), file)
    return file.getvalue()


def _arrow(marker: str) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - a second that most do without

    table, file = _table(marker), io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def field(number: int, content: bytes | int) -> bytes:
    """A field of a message."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([*_varint(number << 3 | 2), *_varint(len(content))]) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _quoted(marker: str) -> bytes:
    """`os.system` by STACK_GLOBAL with texts in quotes, no header."""
    return b"S'os'\nS'system'\n\x93" + MARK + b"S" + repr(touch(marker)).encode() + b"\n" + TUPLE + REDUCE + STOP


def _by_zeros(marker: str) -> bytes:
    return (
        text("os")
        + b"p007\n0"
        + text("system")
        + b"p1\n0g7\ng01\n\x93"
        + MARK
        + text(touch(marker))
        + TUPLE
        + REDUCE
        + STOP
    )


def _without_end(marker: str) -> bytes:
    return MARK + b"S" + repr(touch(marker)).encode() + b"\nios\nsystemX"


def _over_frame(marker: str) -> bytes:
    """The unpickler in C, reading a file, loses what the frame has of the line: `abcde`."""
    return (
        b"\x80\x04\x95"
        + struct.pack("<Q", 9)
        + b"cos\nabcdesystem\n"
        + MARK
        + text(touch(marker))
        + TUPLE
        + REDUCE
        + STOP
    )


def _npy(descr: bytes, padding: int = 0) -> bytes:
    header = b"{'descr': %s, 'fortran_order': False, 'shape': (1,), }" % descr + b" " * padding + b"\n"
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header


def _small_lzma(marker: str) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 4096}]
    return lzma.compress(plain(marker), format=lzma.FORMAT_ALONE, filters=filters)


def _old_tar(marker: str) -> bytes:
    archive = bytearray(tarred({"data.pkl": plain(marker)}))
    archive[257:265] = bytes(8)
    archive[148:156] = b" " * 8
    archive[148:156] = b"%06o\0 " % sum(archive[:512])
    return bytes(archive)


def _tar_pickle(marker: str) -> bytes:
    """The first member's name opens a text that ends in its content, where the pickle goes on."""
    payload = b"'\n0" + call(named("os", "system"), text(touch(marker))) + STOP
    return tarred({"S'name": payload})


def _two_directories(marker: str) -> bytes:
    """zipfile looks for the directory in front of the last record; others where that record says that it is."""
    good, bad = zipped({"a/data.pkl": pickle.dumps({})}), zipped({"a/data.pkl": plain(marker)})[:-22]
    record = bytearray(good[-22:])
    size = struct.unpack("<I", record[12:16])[0]  # of either directory: their members have the same name
    record[16:20] = struct.pack("<I", len(bad) - size)
    return bad + good[:-22] + bytes(record)


def _in_comment(marker: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", plain(marker))
    inner = file.getvalue()
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("readme.txt", "text")
        archive.comment = inner
    return outer.getvalue()


def _array_of_opcodes(marker: str) -> bytes:
    """What joblib skips as numbers a plain unpickler runs."""
    opcodes = POP + call(named("os", "system"), text(touch(marker))) + STOP
    dtype = call(named("numpy", "dtype"), text("u1"), b"\x89", b"\x88")
    fields = [
        text("subclass") + named("numpy", "ndarray"),
        text("shape") + b"K" + bytes([len(opcodes)]) + b"\x85",
        *(text("order") + text("C"), text("dtype") + dtype, text("allow_mmap") + b"\x88"),
    ]
    state = b"}" + MARK + b"".join(fields) + b"u"
    return b"\x80\x04" + named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b" + opcodes + STOP


def _by_value(marker: str) -> bytes:
    def make(path: str) -> object:
        return open(path, "w")  # noqa: PTH123 - the payload's

    make.__module__ = "__main__"
    content: bytes = cloudpickle.dumps(Reduced(make, marker))
    return content


def _saved_model() -> bytes:
    node = field(1, b"leak") + field(2, b"WriteFile")
    return field(1, 1) + field(2, field(2, field(1, node)))


def _onnx_outside() -> bytes:
    tensor = field(8, b"w") + field(13, field(1, b"location") + field(2, b"../../../etc/passwd"))
    return (
        field(1, 8)
        + field(2, b"pytorch")
        + field(7, field(1, field(4, b"Relu")) + field(5, tensor))
        + field(8, field(2, 17))
    )


_OTHER_WAY = field(2, field(1, field(3, field(1, b"n") + field(2, b"WriteFile"))))
