"""JSON, by its tokens: strings are compared after their escapes are resolved, whatever stands around them."""

from __future__ import annotations

import json
import re

from mop.scanning.findings import Severity
from mop.scanning.formats.base import Part
from mop.scanning.formats.templates import TEMPLATE_CHARACTERS, tell_of_long_template, tell_of_template
from mop.scanning.look import shown
from mop.scanning.pickles.known_globals import Kind, judge
from mop.scanning.pickles.values import Global

_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)("|\\?\Z)|([{}\[\],:])', re.DOTALL)
"""A string, its end or that of the text, a mark. A string without an end takes the rest: else each quote in it would be
tried as a beginning."""
_REST_OF_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_SIGNS = re.compile(
    r'py\\?/|auto_map|custom_pipelines|loader_module|model_code_path|class_name|__class__|_target_|_component_|class_path|chat_template|"template"|\\u00[2-7]',
    re.IGNORECASE,
)
"""Without one of them there is nothing to find: only escapes can hide a name."""
_SIGN_CHARACTERS = 32
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_WORD = r"-?[0-9][0-9.eE+-]*+|true|false|null|NaN|-?Infinity"
_WAITING_MAX = 1_000
_SPACE = r"[ \t\r\n]"
_JSON = re.compile(
    rf"(?:{_SPACE}++|[,}}\]]"
    rf"|(?:{_STRING}{_SPACE}*+:{_SPACE}*+)?(?:[{{\[]|(?:{_STRING}|{_WORD})(?={_SPACE}*+[,}}\]])))*+",
    re.DOTALL,
)
"""Names are strings, and a mark follows each value: else YAML could take a quote for a character of a plain word."""
_HELD_CHARACTERS = 32 * 1024 * 1024
_DEPTH_MAX = 10_000
_KEPT = 1_000
_PENDING_MAX = 4 * 1024 * 1024
_JSONPICKLE = {
    "py/object": "constructs an object",
    "py/reduce": "calls a function",
    "py/function": "names a function",
    "py/type": "names a class",
    "py/repr": "evaluates an expression",
    "py/ref": "",
    "py/newargs": "",
    "py/state": "",
}
_CODE_BESIDE = frozenset(("auto_map", "custom_pipelines"))
_OPERATIONS = frozenset(
    ("io.write_file", "io.read_file", "py_function", "numpy_function", "raw_ops.WriteFile", "raw_ops.ReadFile")
)
"""Of TensorFlow, which a TFOpLambda layer names."""
LOADERS = frozenset(("loader_module", "model_code_path"))
_LOADER_OF_MLFLOW = re.compile(r"mlflow(?:\.\w+)+")
_TARGETS = frozenset(("_target_", "_component_", "class_path"))
_PLACES = {
    **dict.fromkeys(("module", "class_name"), ("module", "class_name")),  # Keras
    **dict.fromkeys(("__module__", "__class__"), ("__module__", "__class__")),  # skops
}
"""Keys that name together what is imported."""
_KERAS = "Replace the Lambda layer by a layer class in src/, and save the model again."
_OWN_DATA = "Store plain data, and build the object in inference.py."
_OWN_CODE = "Move the code into src/, and load the model there from its class."
_CHAT = frozenset(("chat_template", "template"))


class JsonAlone:
    """Whether a text is JSON and nothing else; it is read as it passes, and not checked for what it nests."""

    def __init__(self) -> None:
        self._pending = ""
        self._begun = self._is_json = self._is_in_string = False

    def feed(self, text: str) -> None:
        """Take the next characters."""
        if not self._begun and (text := text.lstrip("\ufeff \t\r\n")):
            self._begun, self._is_json = True, text[0] in "{["
        if not self._is_json:
            return
        text = self._pending + text
        if self._is_in_string:
            text = self._behind_string(text)
        match = _JSON.match(text)
        text = text[match.end() :] if match else text
        if text[:1] == '"':
            text = self._behind_string(text[1:])
        if not self._is_in_string:
            self._pending = text
            self._is_json = len(text) < _WAITING_MAX

    def _behind_string(self, text: str) -> str:
        """What stands behind a string, with an empty one in its place; nothing if it goes on."""
        end = _end_of_string(text)
        self._is_in_string = text[end : end + 1] != '"'
        self._pending = text[end:] if self._is_in_string else ""
        return "" if self._is_in_string else f'""{text[end + 1 :]}'

    def is_whole(self) -> bool:
        """Whether all of it was."""
        return self._is_json and not self._pending and not self._is_in_string


def _end_of_string(text: str) -> int:
    """Where a string that was begun ends, or breaks off: at its quote, at a backslash, at the end of the text."""
    match = _REST_OF_STRING.match(text)
    return match.end() if match else 0


class JsonTokens:
    """Reads strings and their places as they pass; what is not JSON has no pairs of them."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._held: list[str] | None = []  # until a sign is seen
        self._held_characters = 0
        self._pending = ""
        self._last = ""  # the string before
        self._key = ""
        self._objects: list[dict[str, str]] = []  # module and class_name of each object that is open
        self._begun = False
        self._is_json = True
        self._is_in_long_text = False

    def feed(self, text: str) -> None:
        """Take the next characters."""
        if not self._begun and text.strip():
            self._begun = True
            self._is_json = text.lstrip("\ufeff \t\r\n")[:1] in {"{", "[", '"'}  # a line of many may be a string
        if not self._is_json:
            return
        if self._held is None:
            self._read(text)
            return
        before = self._held[-1][-_SIGN_CHARACTERS:] if self._held else ""
        self._held.append(text)
        self._held_characters += len(text)
        if self._held_characters > _HELD_CHARACTERS or _SIGNS.search(before + text):
            held, self._held = self._held, None
            for piece in held:
                self._read(piece)

    def end(self) -> None:
        """Take what is left."""
        for match in _TOKEN.finditer(self._pending):
            if match[2] in {None, '"'}:
                self._token(match)

    def _read(self, text: str) -> None:
        text = self._pending + text
        self._pending = ""
        if self._is_in_long_text:
            text = self._behind_long_text(text)
        for match in _TOKEN.finditer(text):
            if match[1] is not None and match.end() == len(text):
                self._pending = text[match.start() :]  # the next piece tells where it ends, and whether it is a key
                break
            self._token(match)
        if len(self._pending) > _PENDING_MAX:
            self._is_in_long_text = True
            self._behind_long_text(self._pending[1:])

    def _behind_long_text(self, text: str) -> str:
        """Pass over a text that is longer than anything that is looked for; what stands behind it, if it ends here."""
        end = _end_of_string(text)
        if text[end : end + 1] != '"':
            self._pending = text[end:]  # a backslash, whose character the next piece has
            return ""
        self._is_in_long_text = False
        self._last = ""
        if self._key in _CHAT:
            tell_of_long_template(self._part)
        return text[end + 1 :]

    def _token(self, match: re.Match[str]) -> None:
        mark = match[3]
        if mark == ":":
            self._key, self._last = self._last, ""
            self._look_at_key()
            return
        if mark is None:
            text = match[1]
            is_template = self._key in _CHAT
            most = TEMPLATE_CHARACTERS if is_template else _KEPT
            self._last = _unescaped(text) if len(text) <= most else ""
            if is_template and len(text) > most:
                tell_of_long_template(self._part)
            if self._key and self._last:
                self._look_at_value()
            return
        if mark == "{" and len(self._objects) < _DEPTH_MAX:
            self._objects.append({})
        elif mark == "}" and self._objects:
            self._objects.pop()
        if mark != "[":
            self._key = ""
        self._last = ""

    def _look_at_key(self) -> None:
        part, key = self._part, self._key
        if what := _JSONPICKLE.get(key):
            part.look.code(part.name, "json-object", f"{what} when jsonpickle decodes it (the key {key})", _OWN_DATA)
        elif key in _CODE_BESIDE:
            part.look.odd(
                part.name,
                "remote-code",
                Severity.HIGH,
                f"names code beside the weights ({key}), which runs when the model is loaded with trust_remote_code",
                _OWN_CODE,
            )

    def _look_at_value(self) -> None:
        part, key, value = self._part, self._key, self._last
        if key in _PLACES and self._objects:
            names = self._objects[-1]
            names[key] = value
            module, name = _PLACES[key]
            if module in names and name in names:
                tell_of_target(part, f"{names[module]}.{names[name]}")
        if key == "class_name" and value in {"Lambda", "__lambda__"}:
            part.look.code(
                part.name, "keras-lambda", "describes a Keras Lambda layer, whose code runs when it is loaded", _KERAS
            )
        elif key == "function" and value.removeprefix("tf.") in _OPERATIONS:
            part.look.code(
                part.name, "graph-operation", f"describes a layer that calls {shown(value)} of TensorFlow", _KERAS
            )
        elif key in _TARGETS:
            tell_of_target(part, value)
        elif key in LOADERS:
            tell_of_loader(part, key, value)
        elif key in _CHAT:
            tell_of_template(part, value)


def tell_of_loader(part: Part, key: str, value: str) -> None:
    """What an MLmodel file names to load the model with."""
    if key != "loader_module" or not _LOADER_OF_MLFLOW.fullmatch(value):
        part.look.odd(
            part.name,
            "remote-code",
            Severity.HIGH,
            f"lets MLflow import {shown(value)} as its loader, which is code beside the model",
            _OWN_CODE,
        )


def tell_of_target(part: Part, path: str) -> None:
    """A dotted path that a library imports and calls."""
    module, _, name = path.rpartition(".")
    if not module or not name:
        return
    verdict = judge(Global(module, name))
    if verdict.kind == Kind.DANGEROUS and module.split(".")[0] not in {"keras", "tensorflow", "transformers", "torch"}:
        part.look.code(
            part.name, "code-execution", f"names {shown(path)} to be called, which {verdict.reason}", _OWN_DATA
        )


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
