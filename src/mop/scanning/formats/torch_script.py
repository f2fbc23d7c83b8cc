"""The code of TorchScript: a dialect of Python that torch compiles, and whose `__setstate__` runs when it is loaded."""

from __future__ import annotations

import ast

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.limits import MIB
from mop.scanning.look import shown

_BYTES_MAX = 16 * MIB
_REACH_OUT = frozenset(("save", "from_file"))
"""Operations that write or open files; the others of torch compute."""
_SPACES = frozenset(("aten", "torch"))
_REMEDY = "Take the call out of the model's code, and save it again."


class TorchScriptCode(Format):
    """A member of an archive of TorchScript; only the archive tells."""

    name = "code of TorchScript"
    runs = "methods that read a model's state run when it is loaded; torch.save and from_file in them reach files"
    seen = "every call of its syntax tree"

    def recognises(self, head: Head) -> bool:  # noqa: ARG002 - only its archive tells
        """Never by content."""
        return False

    def examine(self, part: Part) -> None:
        """Look for calls that reach files."""
        content = part.reader.read(_BYTES_MAX + 1)
        if len(content) > _BYTES_MAX:
            part.look.costly(part.name, f"code of over {_BYTES_MAX:,} bytes")
            return
        try:
            module = ast.parse(content)
        except (SyntaxError, ValueError):
            part.look.incomplete(part.name, "code that cannot be parsed")
            return
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and (name := _name_of(node.func)):
                part.look.code(
                    part.name, "graph-operation", f"calls {shown(name)}, which writes or opens files", _REMEDY
                )


def _name_of(function: ast.expr) -> str:
    """`torch.save`, `ops.aten.save` and their like; "" of any other."""
    if not isinstance(function, ast.Attribute) or function.attr not in _REACH_OUT:
        return ""
    owner = ast.unparse(function.value)
    return f"{owner}.{function.attr}" if owner.rpartition(".")[2] in _SPACES else ""
