"""Which globals a pickle may name: those that are known to be harmless, those that run code, and the rest."""

from __future__ import annotations

import enum
import functools
from importlib import resources

from mop.scanning.pickles.machine import Global


class Kind(enum.StrEnum):
    """What looking a global up, and calling it with what a pickle brings, can do."""

    HARMLESS = "harmless"
    UNKNOWN = "unknown"
    DANGEROUS = "dangerous"


# modules in which anything at all runs code, reads or writes files, or reaches the network; with what is below them
_DANGEROUS_MODULES = frozenset(
    {
        *("os", "posix", "nt", "posixpath", "ntpath", "pty", "pwd", "resource", "fcntl", "signal", "syslog", "mmap"),
        *("subprocess", "_posixsubprocess", "multiprocessing", "concurrent", "threading", "_thread", "asyncio"),
        *(
            "sys",
            "builtins",
            "__builtin__",
            "__builtins__",
            "importlib",
            "imp",
            "zipimport",
            "pkgutil",
            "runpy",
            "site",
        ),
        *("pip", "setuptools", "distutils", "pkg_resources", "ensurepip", "venv", "lib2to3", "idlelib", "turtledemo"),
        *("code", "codeop", "compileall", "py_compile", "dis", "ast", "symtable", "trace", "traceback", "inspect"),
        *(
            "pdb",
            "bdb",
            "cProfile",
            "profile",
            "pstats",
            "timeit",
            "doctest",
            "unittest",
            "test",
            "pydoc",
            "faulthandler",
        ),
        *(
            "pickle",
            "_pickle",
            "cPickle",
            "pickletools",
            "marshal",
            "shelve",
            "dbm",
            "dill",
            "cloudpickle",
            "jsonpickle",
        ),
        *(
            "ctypes",
            "_ctypes",
            "cffi",
            "gc",
            "weakref",
            "types",
            "linecache",
            "sqlite3",
            "_sqlite3",
            "xmlrpc",
            "logging",
        ),
        *("socket", "_socket", "socketserver", "ssl", "select", "selectors", "http", "urllib", "urllib3", "requests"),
        *("ftplib", "smtplib", "poplib", "imaplib", "telnetlib", "nntplib", "webbrowser", "antigravity", "wsgiref"),
        *(
            "shutil",
            "_shutil",
            "glob",
            "fileinput",
            "tempfile",
            "io",
            "_io",
            "tarfile",
            "zipfile",
            "zipapp",
            "bz2",
            "lzma",
        ),
        *("gzip", "commands", "popen2", "platform", "sysconfig", "_osx_support", "_aix_support", "_pyrepl", "cmd"),
        *("tkinter", "turtle", "readline", "rlcompleter", "atexit", "sched", "string", "aiohttp", "httpx", "paramiko"),
        *(
            "numpy.f2py",
            "numpy.testing",
            "numpy.distutils",
            "numpy._distutils_init",
            "numpy.ctypeslib",
            "numpy.lib.npyio",
        ),
        *(
            "numpy.ma.testutils",
            "numpy.conftest",
            "scipy._lib._testutils",
            "sklearn.utils._testing",
            "sklearn.externals",
        ),
        *(
            "torch.hub",
            "torch.serialization",
            "torch.jit",
            "torch.utils",
            "torch.package",
            "torch.distributed",
            "torch.fx",
        ),
        *("torch._dynamo", "torch._inductor", "torch.testing", "torch.multiprocessing", "pandas.io", "pandas.eval"),
        *("joblib.parallel", "joblib.memory", "joblib.externals", "joblib.numpy_pickle_utils", "nltk.downloader"),
        *("tensorflow", "keras", "transformers.utils", "PIL.ImageShow", "matplotlib", "IPython", "pytest", "_pytest"),
    }
)
# single names of modules that hold harmless ones too
_DANGEROUS = frozenset(
    {
        Global("operator", "attrgetter"),
        Global("operator", "methodcaller"),
        Global("_operator", "attrgetter"),
        Global("_operator", "methodcaller"),
        Global("functools", "reduce"),
        Global("_functools", "reduce"),
        Global("numpy", "load"),
        Global("numpy", "fromfile"),
        Global("numpy", "memmap"),
        Global("numpy", "genfromtxt"),
        Global("numpy", "loadtxt"),
        Global("numpy", "save"),
        Global("numpy", "savez"),
        Global("torch", "load"),
        Global("torch", "compile"),
        Global("joblib", "load"),
        Global("joblib.numpy_pickle", "load"),
        Global("pandas", "read_pickle"),
        Global("pandas", "eval"),
        Global("copyreg", "add_extension"),
        Global("copyreg", "pickle"),
        Global("copy_reg", "add_extension"),
    }
)


def kind_of(name: Global) -> Kind:
    """What a global can do. A listed name is judged alone; a module is judged with everything below it.

    A name with dots is looked up attribute by attribute, so only a listed one is known.
    """
    if name in _harmless():
        return Kind.HARMLESS
    parts = name.module.split(".")
    modules = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    hidden = any(part.startswith("__") for part in (*parts, *name.name.split(".")) if part != "__main__")
    if name in _DANGEROUS or modules & _DANGEROUS_MODULES or hidden:
        return Kind.DANGEROUS
    return Kind.UNKNOWN


@functools.cache
def _harmless() -> frozenset[Global]:
    """The names of `harmless_globals.txt`: a line without indent is a module, the words below it are its names."""
    text = resources.files("mop.scanning.pickles").joinpath("harmless_globals.txt").read_text(encoding="utf-8")
    found = []
    module = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            found += [Global(module, name) for name in line.split()]
        else:
            module = line.strip()
    return frozenset(found)
