"""`python loading.py FOLDER`: load every file of a folder as its model would, each in a process of its own.

The folder holds `N.json` ({"file", "loader"}) for each. What a file does to its loader does not stop the others.
"""

# ruff: noqa: S301 - that is what it is for

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import json
import lzma
import os
import pickle
import resource
import runpy
import signal
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 20


def _in_zip(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(archive.namelist()[0])


def _in_tar(data: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        content = archive.extractfile(archive.getnames()[0])
        assert content is not None
        return content.read()


def _one_after_the_other(data: bytes, count: int) -> None:
    file = io.BytesIO(data)
    for _ in range(count):
        pickle.load(file)


def _numpy(data: bytes) -> None:
    import numpy as np  # noqa: PLC0415 - most files do without

    loaded = np.load(io.BytesIO(data), allow_pickle=True)
    if hasattr(loaded, "files"):
        loaded[loaded.files[0]]


def _yaml(data: bytes) -> None:
    import yaml  # noqa: PLC0415 - most files do without

    list(yaml.unsafe_load_all(data))


def _of_a_file(data: bytes) -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(data)
        file.seek(0)
        pickle.load(file)


def _joblib(data: bytes) -> None:
    import joblib  # noqa: PLC0415 - most files do without

    with tempfile.NamedTemporaryFile() as file:  # what it wrote before 0.10 it reads by its name alone
        file.write(data)
        file.flush()
        joblib.load(file.name)


def _in_second_tar(data: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(data), ignore_zeros=True) as archive:
        content = archive.extractfile(archive.getnames()[-1])
        assert content is not None
        return content.read()


def _by_directory(data: bytes) -> bytes:
    """The first member as readers take it that look at its local header for its length alone."""
    entry = data.rindex(b"PK\x01\x02")
    size, begin = (int.from_bytes(data[entry + place : entry + place + 4], "little") for place in (20, 42))
    names = sum(int.from_bytes(data[begin + place : begin + place + 2], "little") for place in (26, 28))
    return data[begin + 30 + names :][:size]


def _behind(first: Any, data: bytes) -> bytes:
    """What stands behind a compressed stream."""
    first.decompress(data)
    unused: bytes = first.unused_data
    return unused


def _unchecked(data: bytes) -> None:
    """As pandas reads it: the unpickler is through before the checksum is looked at."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        pickle.load(file)


def _module(data: bytes) -> None:
    exec(compile(data, "modeling_own.py", "exec", dont_inherit=True), {"__name__": "modeling_own"})  # noqa: S102 - as import does


def _on_the_path(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        sys.path.insert(0, file.name)
        importlib.import_module("handler")


def _run(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pyz") as file:
        file.write(data)
        file.flush()
        runpy.run_path(file.name, run_name="__main__")


LOADERS: dict[str, Callable[[bytes], object]] = {
    "pickle": pickle.loads,
    "pickle twice": lambda data: _one_after_the_other(data, 2),
    "pickle four times": lambda data: _one_after_the_other(data, 4),
    "pickle at 1024000": lambda data: pickle.loads(data[1024000:]),
    "pickle at 3": lambda data: pickle.loads(data[3:]),
    "gzip": lambda data: pickle.loads(gzip.decompress(data)),
    "gzip twice": lambda data: pickle.loads(gzip.decompress(gzip.decompress(data))),
    "bz2": lambda data: pickle.loads(bz2.decompress(data)),
    "lzma": lambda data: pickle.loads(lzma.decompress(data)),
    "zlib": lambda data: pickle.loads(zlib.decompress(data)),
    "zip": lambda data: pickle.loads(_in_zip(data)),
    "zip twice": lambda data: pickle.loads(_in_zip(_in_zip(data))),
    "tar": lambda data: pickle.loads(_in_tar(data)),
    "tar with zeros": lambda data: pickle.loads(_in_second_tar(data)),
    "pickle behind bz2": lambda data: pickle.loads(_behind(bz2.BZ2Decompressor(), data)),
    "pickle behind gzip": lambda data: pickle.loads(_behind(zlib.decompressobj(31), data)),
    "pickle behind zlib": lambda data: pickle.loads(_behind(zlib.decompressobj(), data)),
    "pickle behind lzma": lambda data: pickle.loads(_behind(lzma.LZMADecompressor(), data)),
    "gzip unchecked": _unchecked,
    "pickle at 2048": lambda data: pickle.loads(data[2048:]),
    "pickle at 1024": lambda data: pickle.loads(data[1024:]),
    "pickle at 40960": lambda data: pickle.loads(data[40960:]),
    "zip by its directory": lambda data: pickle.loads(_by_directory(data)),
    "module": _module,
    "archive on the path": _on_the_path,
    "archive that runs": _run,
    "joblib": _joblib,
    "npy": _numpy,
    "npz": _numpy,
    "yaml": _yaml,
    "pickle of a file": _of_a_file,
    "pickle in Python": lambda data: pickle._Unpickler(io.BytesIO(data)).load(),  # type: ignore[attr-defined]
}


def main() -> None:
    """Load everything in turn."""
    for description in sorted(Path(sys.argv[1]).glob("*.json")):
        wanted = json.loads(description.read_text(encoding="utf-8"))
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.alarm(SECONDS)
            try:
                LOADERS[wanted["loader"]](Path(wanted["file"]).read_bytes())
            finally:
                os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
