"""Python beside the weights, or in an archive: what it does by itself when a library imports it with the model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from mop.scanning.limits import MIB

PYTHON_BYTES_MAX = MIB // 4
"""Of one file; what people write by hand is far smaller, and its syntax tree can take a thousand times its text."""
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
_BY_STAR = (
    *_PROGRAMS,
    *_EVALUATES,
    *_CONNECTIONS,
    *_WRITES,
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen", "getoutput")),
    *(f"os.{kind}{form}" for kind in ("exec", "spawn") for form in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    *("subprocess.getstatusoutput", "os.posix_spawn", "os.posix_spawnp"),
)
_OF_THE_SYSTEM = frozenset(("os", "posix", "subprocess", "builtins", "pty", "runpy", "importlib", "sys"))
_COMPUTED = "?"
"""Stands for a name that is not written in the file."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Act:
    """A call that a file makes by itself, and where."""

    what: str
    line: int
    by_itself: bool
    """On import, or in a class, whose methods the library calls; otherwise in a function that others may call."""


def acts_of(content: bytes) -> list[Act]:
    """Calls in a module that start programs, evaluate code, open connections or write files.

    Args:
        content: the file's; its first lines may say in what encoding it is.

    Raises:
        SyntaxError, ValueError: it is no Python that this one reads.
        RecursionError, MemoryError: it is nested too deep.
    """
    module = ast.parse(content)
    names = _imported(module)
    functions = {node.name: node for node in module.body if isinstance(node, Function)}
    found: list[Act] = []
    begun: set[str] = set()
    waiting = _run_at_once(module)
    while waiting:
        for node in _calls_in(waiting.pop()):
            name = _name_of(node.func, names)
            for one in (name, *(_name_of(given, names) for given in node.args)):  # map(f, ...) calls it too
                if one in functions and one not in begun:
                    begun.add(one)
                    waiting.append(functions[one])
            if what := _act(name, node) or _hands_over(node, names):
                found.append(Act(what, node.lineno, by_itself=True))
    for name, function in functions.items():
        if name not in begun:
            acts = ((_act(_name_of(node.func, names), node), node.lineno) for node in _calls_in(function))
            found += [Act(what, line, by_itself=False) for what, line in acts if what.startswith("starts")]
    return found


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """Every call in a node."""
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))


def _run_at_once(module: ast.Module) -> list[ast.AST]:
    """What runs when a module is imported."""
    found: list[ast.AST] = []
    for node in module.body:
        if isinstance(node, Function):
            found += _evaluated_at_once(node)
        elif isinstance(node, ast.If) and _is_main(node.test):
            found += node.orelse
        else:
            found.append(node)
    return found


def _evaluated_at_once(function: Function) -> list[ast.AST]:
    """What of a function is evaluated where it is defined."""
    arguments = function.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    notes = [one.annotation for one in every if one is not None and one.annotation is not None]
    defaults = [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)]
    return [*function.decorator_list, *defaults, *notes, *([function.returns] if function.returns else [])]


def _is_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"` and nothing else: not on import."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, *test.comparators]
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    texts = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and texts == ["__main__"]


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
                names |= _brought(node.module, alias)
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            _take_other_names(node, names)
    return names


def _brought(module: str, alias: ast.alias) -> dict[str, str]:
    """What `from module import alias` gives a name."""
    if alias.name != "*":
        return {alias.asname or alias.name: f"{module}.{alias.name}"}
    places = (name.rpartition(".") for name in _BY_STAR)
    return {name: f"{of}.{name}" for of, _, name in places if of == module}


def _take_other_names(node: ast.Assign, names: dict[str, str]) -> None:
    value = _name_of(node.value, names)
    for target in node.targets:
        if isinstance(target, ast.Name) and ("." in value or value in _OF_THE_SYSTEM):
            names.setdefault(target.id, value)


def _name_of(function: ast.expr, names: dict[str, str]) -> str:
    """The dotted name of what an expression stands for; "" when nothing tells it."""
    parts: list[str] = []
    is_import = False
    while True:
        if isinstance(function, ast.Attribute):
            parts.append(function.attr)
            function = function.value
        elif isinstance(function, ast.Subscript) and _is_namespace(function.value, names):
            parts.append(_constant(function.slice))
            function = _owner(function.value)
        elif isinstance(function, ast.Call) and (inner := _looked_up(function, names)) is not None:
            function, name = inner
            parts += [name] if name else []
            is_import = not name
        elif isinstance(function, ast.Constant) and is_import:
            parts.append(str(function.value))
            break
        elif isinstance(function, ast.Name):
            parts.append(names.get(function.id, function.id))
            break
        else:
            return ""
    name = ".".join(reversed(parts)).removeprefix("sys.modules.").removeprefix("__builtins__.")
    return name.removeprefix("builtins.").replace("posix.", "os.", 1 if name.startswith("posix.") else 0)


def _looked_up(call: ast.Call, names: dict[str, str]) -> tuple[ast.expr, str] | None:
    """For `getattr(a, "b")` a and b, for `__import__("a")` a."""
    by = _name_of(call.func, names)
    if by == "getattr" and len(call.args) > 1:
        return call.args[0], _constant(call.args[1])
    if by in {"__import__", "importlib.import_module"} and call.args and isinstance(call.args[0], ast.Constant):
        return call.args[0], ""
    return None


def _is_namespace(value: ast.expr, names: dict[str, str]) -> bool:
    """Whether it is `a.__dict__`, `vars(a)`, `sys.modules` or `__builtins__`."""
    if isinstance(value, ast.Attribute) and value.attr == "__dict__":
        return True
    if isinstance(value, ast.Call) and value.args:
        return _name_of(value.func, names) == "vars"
    return _name_of(value, names) in {"sys.modules", "__builtins__"}


def _owner(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Attribute) and value.attr == "__dict__":
        return value.value
    return value.args[0] if isinstance(value, ast.Call) else value


def _constant(value: ast.expr) -> str:
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return str(value.value) if is_text and isinstance(value, ast.Constant) else _COMPUTED


def _act(name: str, call: ast.Call) -> str:
    if name.endswith(f".{_COMPUTED}") and name.partition(".")[0] in _OF_THE_SYSTEM:
        return f"calls what it looks up by a computed name in {name.removesuffix(f'.{_COMPUTED}')}"
    if name in _PROGRAMS or (name.startswith(_PROGRAM_PREFIXES) and name not in _HARMLESS):
        return f"starts a program ({name})"
    if name in _EVALUATES and not (call.args and isinstance(call.args[0], ast.Constant) and name == "__import__"):
        return f"evaluates code ({name})"
    if name in _CONNECTIONS:
        return f"opens a connection ({name})"
    if name in _WRITES and (not name.endswith("open") or _writes(call)):
        return f"writes or removes files ({name})"
    return ""


def _hands_over(call: ast.Call, names: dict[str, str]) -> str:
    """Others call what they are given: map, threads, atexit."""
    for given in (*call.args, *(keyword.value for keyword in call.keywords)):
        name = _name_of(given, names) if isinstance(given, ast.Name | ast.Attribute) else ""
        is_program = name in _PROGRAMS or (name.startswith(_PROGRAM_PREFIXES) and name not in _HARMLESS)
        if is_program or name in {"exec", "eval"}:
            return f"hands {name} over to be called"
    return ""


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(
        not isinstance(mode, ast.Constant) or (isinstance(mode.value, str) and set(mode.value) & set("wax+"))
        for mode in modes
    )
