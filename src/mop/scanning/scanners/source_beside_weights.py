"""Python beside the weights: what it does by itself when a library imports it with the model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_PROGRAMS = frozenset(
    {
        *("os.system", "os.popen", "os.fork", "os.forkpty", "pty.spawn", "runpy.run_path", "runpy.run_module"),
        *(
            "asyncio.create_subprocess_exec",
            "asyncio.create_subprocess_shell",
            "ctypes.CDLL",
            "ctypes.cdll.LoadLibrary",
        ),
    }
)
_PROGRAM_PREFIXES = ("subprocess.", "os.exec", "os.spawn", "os.posix_spawn")
_EVALUATES = frozenset(("exec", "eval", "__import__", "marshal.loads", "pickle.loads", "pickle.load", "dill.loads"))
_CONNECTIONS = frozenset(
    {
        *("urllib.request.urlopen", "urllib.request.urlretrieve", "socket.socket", "socket.create_connection"),
        *(
            "http.client.HTTPConnection",
            "http.client.HTTPSConnection",
            "requests.get",
            "requests.post",
            "requests.request",
        ),
        *("httpx.get", "httpx.post"),
    }
)
_WRITES = frozenset(
    {
        *("open", "io.open", "os.open", "os.remove", "os.unlink", "os.rename", "os.mkdir", "os.makedirs", "os.symlink"),
        *("shutil.copy", "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree"),
    }
)
_HARMLESS = frozenset(("subprocess.PIPE", "subprocess.DEVNULL", "subprocess.CalledProcessError"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Act:
    """A call that a file makes by itself, and where."""

    what: str
    line: int
    by_itself: bool
    """On import, or in a class, whose methods the library calls; otherwise in a function that others may call."""


def acts_of(text: str) -> list[Act]:
    """Calls in a module that start programs, evaluate code, open connections or write files.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it is no Python that this one reads.
    """
    module = ast.parse(text)
    names = _imported(module)
    functions = {node.name: node for node in module.body if isinstance(node, Function)}
    found = []
    begun: set[str] = set()
    waiting: list[ast.AST] = [node for node in module.body if not isinstance(node, Function) and not _is_main(node)]
    while waiting:
        for node in _inside(waiting.pop()):
            if not isinstance(node, ast.Call):
                continue
            name = _name_of(node.func, names)
            if name in functions and name not in begun:
                begun.add(name)
                waiting.append(functions[name])
            if what := _act(name, node):
                found.append(Act(what, node.lineno, by_itself=True))
    for name, function in functions.items():
        if name not in begun:
            calls = [node for node in _inside(function) if isinstance(node, ast.Call)]
            acts = ((_act(_name_of(node.func, names), node), node.lineno) for node in calls)
            found += [Act(what, line, by_itself=False) for what, line in acts if what.startswith("starts")]
    return found


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """A node and everything below it."""
    return ast.walk(node)


def _is_main(node: ast.AST) -> bool:
    """`if __name__ == ...`: not on import."""
    return isinstance(node, ast.If) and any(
        isinstance(inner, ast.Name) and inner.id == "__name__" for inner in ast.walk(node.test)
    )


def _imported(module: ast.Module) -> dict[str, str]:
    """What names stand for, by the imports anywhere in the file."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _name_of(function: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return ""
    parts.append(names.get(function.id, function.id))
    return ".".join(reversed(parts)).removeprefix("builtins.")


def _act(name: str, call: ast.Call) -> str:
    if name in _PROGRAMS or (name.startswith(_PROGRAM_PREFIXES) and name not in _HARMLESS):
        return f"starts a program ({name})"
    if name in _EVALUATES and not (call.args and isinstance(call.args[0], ast.Constant) and name == "__import__"):
        return f"evaluates code ({name})"
    if name in _CONNECTIONS:
        return f"opens a connection ({name})"
    if name in _WRITES and (not name.endswith("open") or _writes(call)):
        return f"writes or removes files ({name})"
    return ""


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(
        not isinstance(mode, ast.Constant) or (isinstance(mode.value, str) and set(mode.value) & set("wax+"))
        for mode in modes
    )
