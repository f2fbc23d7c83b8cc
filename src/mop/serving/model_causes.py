"""What to do about an exception of a model's code: a hint follows from the cause that was found, or there is none.

This file is bound into the sandbox beside model_process.py and run by the model's own Python (3.8 to 3.13): standard
library only, nothing of MOP is imported.
"""

from __future__ import annotations

import difflib
import errno
import importlib.machinery
import linecache
import pickle
import re
import socket
import sys
import traceback
import unicodedata
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Type

WRITE = "Write below tempfile.gettempdir() alone: it is small and empty at each start, all else is read-only."
LOG = " Log to stdout instead of a file: logging.StreamHandler(sys.stdout); the deployment log keeps it."
NETWORK = (
    "Put what the model needs into model/ or src/: services have no network. If it must ask another host while "
    "it runs, an administrator of MOP can allow this version that host; it is reached through HTTPS_PROXY."
)
CUT = "A file that is loaded ends too early: compare its size with the one that was saved, and upload it again."

# Names that people give to modules of their own, and hardly to a package.
_OWN = frozenset(
    [
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "config",
        "model",
        "models",
        "train",
        "training",
        "preprocess",
        "preprocessing",
        "features",
        "transformers_utils",
        "custom",
        "src",
        "lib",
        "tools",
        "dataset",
        "data_utils",
    ]
)
_LEFT_PYTHON = {"distutils": (3, 12), "imp": (3, 12), "asynchat": (3, 12), "asyncore": (3, 12), "cgi": (3, 13)}
# A module of a package, what has it, and the requirement that brings it back.
_MOVES: Dict[str, Tuple[str, str]] = {
    "numpy._core": ("numpy 2", "numpy>=2"),
    "pandas.core.indexes.numeric": ("pandas 1", "pandas<2"),
    "sklearn.externals": ("scikit-learn before 0.23", "scikit-learn<0.23"),
    "keras.engine": ("Keras before 2.13", "keras<2.13"),
    "keras.src": ("Keras 2.13 or later", "keras>=2.13"),
    **{
        "sklearn." + name: ("scikit-learn before 0.22", "scikit-learn<0.22")
        for name in [
            "ensemble.forest",
            "ensemble.gradient_boosting",
            "ensemble.weight_boosting",
            "linear_model.logistic",
            "linear_model.stochastic_gradient",
            "naive_bayes.base",
            "neighbors.classification",
            "neural_network.multilayer_perceptron",
            "preprocessing.data",
            "preprocessing.label",
            "svm.classes",
            "tree.tree",
        ]
    },
}
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "PyYAML", "cv2": "opencv-python-headless"}
_PICKLED = re.compile(r"Can't get attribute '([^']+)' on <module '([^']+)'")
_NO_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
_NO_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_MODE = re.compile(r"open\(.*['\"](?=[^'\"]*[wax])[rwaxbt+]{1,3}['\"]|\bos\.(mkdir|makedirs)\(")
_WRITERS = frozenset({"mkdir", "makedirs", "write_text", "write_bytes", "touch"})


FIX_THE_LINE = "Fix line %d of src/%s, then upgrade the version."


class Cause(NamedTuple):
    """What is added to the message, and the hint; None where it is not known what to do."""

    told: str = ""
    hint: Optional[str] = None


class Frame(NamedTuple):
    """A place of the traceback."""

    file: str
    function: str
    text: str


def cause_of(error: BaseException, src: Path) -> Cause:
    """Why the model's code raised, as far as that can be seen."""
    network = network_failure(error)
    if network is not None:
        return Cause("; the cause is %s: services have no network" % type(network).__name__, NETWORK)
    for kind, find in _FINDERS:
        if isinstance(error, kind):
            found = find(error, src, _frames(error))
            return found if found.hint is not None else found._replace(hint=_own_line(error, src))
    return Cause(hint=_own_line(error, src))


def _own_line(error: BaseException, src: Path) -> Optional[str]:
    """The line of the contributor that raised; None where another package did, whose reason is not known."""
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    else:
        raised = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        file, line = raised[-1] if raised else ("", 0)
    try:
        place = Path(file).relative_to(src)
    except ValueError:
        return None
    return FIX_THE_LINE % (line, place.as_posix()) if line else None


def _module(error: Any, src: Path, frames: List[Frame]) -> Cause:
    """A module that was not found."""
    name = str(error.name or "")
    top = name.split(".", maxsplit=1)[0]
    if not top or (_in_src(src, top) and name != top):
        return _shadow(src, top) or Cause()
    if top in _LEFT_PYTHON and sys.version_info >= _LEFT_PYTHON[top]:
        told = "; `%s` left Python in %d.%d" % ((top,) + _LEFT_PYTHON[top])
        return Cause(told, "Choose an older Python in src/settings.yml, or newer versions of what imports `%s`." % top)
    if name != top and _elsewhere(src, top):
        return _of_another_version(name, top, pickled=_unpickles(frames))
    return _of_the_contributor(top, src) or _unknown_module(name, pickled=_unpickles(frames))


def _of_the_contributor(top: str, src: Path) -> Optional[Cause]:
    """A module that lies in the folder under another name or in another place, or whose name no package has."""
    near = _near(src / (top + ".py"))
    if near is not None and near.suffix == ".py":
        return Cause("; there is src/%s" % near.name, "Rename src/%s to src/%s.py." % (near.name, top))
    if (src.with_name("model") / (top + ".py")).is_file():
        return Cause("; there is model/%s.py" % top, "Move model/%s.py to src/." % top)
    if top.lower() in _OWN:
        return Cause(hint="Put your own module `%s` into src/, beside inference.py." % top)
    return None


def _unknown_module(name: str, *, pickled: bool) -> Cause:
    if not pickled:
        return Cause(hint="Add the package that provides `%s` to src/requirements.txt." % name)
    return Cause(
        "; what is loaded was saved by code that has this module",
        "If `%s` is a module of your own, put it into src/; if a package provides it, add that package to "
        "src/requirements.txt." % name,
    )


def _attribute(error: BaseException, src: Path, frames: List[Frame]) -> Cause:
    """A name that a module does not have: it was pickled from there, or is imported or used."""
    text = text_of(error)
    pickled = _PICKLED.search(text)
    if pickled is not None:
        return _pickled_name(src, *pickled.groups())
    found = _NO_ATTRIBUTE.search(text)
    imported = _NO_NAME.search(text)
    if imported is not None:
        wanted, module = imported.groups()
    elif found is not None:
        module, wanted = found.groups()
    else:
        return Cause()
    top = module.split(".")[0]
    if _in_src(src, top):
        return _shadow(src, top) or Cause()
    version = _version(top)
    if version is None or "partially initialized" in text:
        return Cause()
    return Cause(
        "; %s %s is installed" % (_distribution(top), version),
        "Require a version of %s that has `%s.%s`, or change the code to what %s has."
        % (_distribution(top), module, wanted, version),
    )


def _pickled_name(src: Path, name: str, module: str) -> Cause:
    top = module.split(".", maxsplit=1)[0]
    if module in ("__main__", "__mp_main__"):
        return Cause(
            "; it was saved by a script or notebook that defined `%s` itself" % name,
            "Define `%s` in a module, import it from there where the file is saved, save the file again, and put the "
            "module into src/." % name,
        )
    if _in_src(src, top):
        return Cause(hint="Define `%s` in %s of src/, as it was when the file was saved." % (name, module))
    return _of_another_version("%s.%s" % (module, name), top, pickled=True)


def _of_another_version(name: str, top: str, *, pickled: bool) -> Cause:
    """The package is there, but not with this module or name."""
    package, version = _distribution(top), _version(top)
    installed = "%s %s" % (package, version) if version else package
    told = "; the installed %s has no `%s`" % (installed, name)
    known = next((move for prefix, move in _MOVES.items() if (name + ".").startswith(prefix + ".")), None)
    if known and pickled:
        return Cause(
            told,
            "The file was saved with %s: write `%s` into src/requirements.txt, or save the file again with %s."
            % (known[0], known[1], installed),
        )
    if known:
        return Cause(
            told, "`%s` is in %s: write `%s` into src/requirements.txt, or change the import." % (name, *known)
        )
    if pickled:
        return Cause(
            told,
            "The file was saved with another version of %s: pin that version in src/requirements.txt, or save the file "
            "again with %s." % (package, installed),
        )
    return Cause(told, "Pin a version of %s that has `%s` in src/requirements.txt." % (package, name))


def _shadow(src: Path, top: str) -> Optional[Cause]:
    """A module of src/ with the name of another: one of the two is not found."""
    if not top or not _elsewhere(src, top):
        return None
    own = "src/%s" % top if (src / top).is_dir() else "src/%s.py" % top
    loaded = str(getattr(sys.modules.get(top), "__file__", None) or "")
    rename = "Rename %s, and what imports it: `%s` is the name of another module." % (own, top)
    if loaded.startswith(str(src)) or top not in sys.modules:
        return Cause("; %s hides the installed module `%s`" % (own, top), rename)
    return Cause("; Python's own module `%s` was loaded, not %s" % (top, own), rename)


def _path(error: Any, src: Path, frames: List[Frame]) -> Cause:
    """A file that was not found, or may not be opened."""
    logs = any(re.search(r"[/\\]logging[/\\]\w+\.py$", frame.file) for frame in frames)
    if logs or _writes(frames):
        return Cause("; the file is opened to be written", WRITE + (LOG if logs else ""))
    if not isinstance(error, FileNotFoundError) or not isinstance(error.filename, str) or not error.filename:
        return Cause()
    path = Path(error.filename)
    near = _near(path)
    if near is not None:
        return Cause(
            "; there is `%s`" % near.name,
            "Write the name as the file has it, or rename the file: capitals, endings and the Unicode form count.",
        )
    if not path.is_absolute():
        return Cause(
            hint="Build paths from the model_root that init gets: os.path.join(model_root, '%s'); "
            "for files beside inference.py, from Path(__file__).parent." % path.name
        )
    if any(root in path.parents for root in (src, src.with_name("model"))):
        return Cause(
            hint="Put `%s` where the script looks for it, or correct the path; names are case-sensitive." % path.name
        )
    return Cause(
        "; a service has the files of model/ and src/ alone",
        "Put `%s` into model/, and build its path from the model_root that init gets." % path.name,
    )


def _system(error: Any, src: Path, frames: List[Frame]) -> Cause:
    if error.errno in (errno.EROFS, errno.ENOSPC):
        logs = any(re.search(r"[/\\]logging[/\\]\w+\.py$", frame.file) for frame in frames)
        return Cause(hint=WRITE + (LOG if logs else ""))
    return _few_threads(error, src, frames)


def _few_threads(error: BaseException, src: Path, frames: List[Frame]) -> Cause:
    if isinstance(error, BlockingIOError) or "can't start new thread" in text_of(error):
        return Cause(hint="Start fewer processes and threads: a service may have a limited number of them.")
    return Cause()


def _syntax(error: BaseException, src: Path, frames: List[Frame]) -> Cause:
    if "codec can't decode" in text_of(error):
        return Cause(
            hint="Save the file as UTF-8, or name its encoding in the first line: `# -*- coding: latin-1 -*-`."
        )
    return Cause()


def _end_of_file(error: BaseException, src: Path, frames: List[Frame]) -> Cause:
    """input() has a text of its own; another end is that of a file."""
    if "EOF when reading a line" in text_of(error):
        return Cause(hint="Ask for no input: a service has no terminal. Read what the model needs from model/.")
    return Cause(hint=CUT) if "Ran out of input" in text_of(error) else Cause()


def _unpickling(error: BaseException, src: Path, frames: List[Frame]) -> Cause:
    """The reason lies in the file, whichever line loads it."""
    return Cause(hint=CUT if "truncated" in text_of(error) else "")


def _exit(error: BaseException, src: Path, frames: List[Frame]) -> Cause:
    return Cause(
        hint="Let nothing end the process; what is for the command line goes under `if __name__ == '__main__':`."
    )


def _memory(error: BaseException, src: Path, frames: List[Frame]) -> Cause:
    return Cause(hint="Make the model need less memory, use fewer workers, or choose a larger instance type.")


_Finder = Callable[[Any, Path, List[Frame]], Cause]
_FINDERS: Tuple[Tuple[Type[BaseException], _Finder], ...] = (
    (ModuleNotFoundError, _module),
    (ImportError, _attribute),
    (AttributeError, _attribute),
    (FileNotFoundError, _path),
    (PermissionError, _path),
    (OSError, _system),
    (RuntimeError, _few_threads),
    (SyntaxError, _syntax),
    (EOFError, _end_of_file),
    (pickle.UnpicklingError, _unpickling),
    (SystemExit, _exit),
    (MemoryError, _memory),
)


def network_failure(error: Optional[BaseException]) -> Optional[BaseException]:
    """The failed network call behind an exception, however it was wrapped."""
    unreachable = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
    seen: List[BaseException] = []
    todo: List[Any] = [error]
    while todo:
        current = todo.pop()
        if not isinstance(current, BaseException) or any(current is other for other in seen):
            continue
        seen.append(current)
        if isinstance(current, (socket.gaierror, ConnectionError)) and not isinstance(current, BrokenPipeError):
            return current
        if isinstance(current, OSError) and (current.errno in unreachable or "Tunnel connection" in text_of(current)):
            return current
        todo += [current.__cause__, current.__context__, getattr(current, "reason", None)]
    return None


def text_of(error: BaseException) -> str:
    """The exception's text, even if its own code fails to make one."""
    try:
        return str(error)[:2000]
    except Exception:  # noqa: BLE001 - the code of the model's own types runs here
        return "(no text)"


def _frames(error: BaseException) -> List[Frame]:
    return [
        Frame(frame.f_code.co_filename, frame.f_code.co_name, linecache.getline(frame.f_code.co_filename, line))
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith("<frozen importlib")
    ]


def _unpickles(frames: List[Frame]) -> bool:
    """Whether a saved object asked for the module, and not an import statement."""
    if any(frame.function == "find_class" for frame in frames[-3:]):
        return True
    last = frames[-1].text if frames else ""
    return re.search(r"\bimport", last) is None and re.search(r"load|pickle", last, re.IGNORECASE) is not None


def _writes(frames: List[Frame]) -> bool:
    """Whether the last call would write: that is seen in the code alone."""
    if not frames:
        return False
    inner = any(frame.function in _WRITERS and re.search(r"pathlib|[/\\]os\.py$", frame.file) for frame in frames)
    return inner or _MODE.search(frames[-1].text) is not None


def _near(path: Path) -> Optional[Path]:
    """The file beside a missing one whose name differs in spelling alone."""
    try:
        there = {_spelling(one.name): one for one in sorted(path.parent.iterdir())}
    except OSError:
        return None
    wanted = _spelling(path.name)
    same_kind = [one for one in there if Path(one).suffix == Path(wanted).suffix]
    close = [wanted] if wanted in there else difflib.get_close_matches(wanted, same_kind, n=1, cutoff=0.9)
    return there[close[0]] if close else None


def _spelling(name: str) -> str:
    return re.sub(r"\.yaml$", ".yml", unicodedata.normalize("NFC", name).casefold())


def _in_src(src: Path, top: str) -> bool:
    return (src / (top + ".py")).is_file() or (src / top).is_dir()


def _elsewhere(src: Path, top: str) -> bool:
    """Whether Python would find the module without src/."""
    if top in sys.builtin_module_names:
        return True
    try:
        return importlib.machinery.PathFinder.find_spec(top, [one for one in sys.path if one != str(src)]) is not None
    except Exception:  # noqa: BLE001 - the model's own hooks and paths are asked here
        return False


def _distribution(top: str) -> str:
    return _DISTRIBUTIONS.get(top, top)


def _version(top: str) -> Optional[str]:
    """The installed version of the package that provides a module, where it goes by that name."""
    from importlib import metadata  # noqa: PLC0415 - costs time that only a failure is worth

    try:
        return metadata.version(_distribution(top))
    except Exception:  # noqa: BLE001 - not found, or damaged
        return None
