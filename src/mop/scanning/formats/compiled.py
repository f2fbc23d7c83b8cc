"""Programs: native code and compiled Python."""

from __future__ import annotations

from mop.scanning.findings import Severity, Verdict
from mop.scanning.formats.base import Format, Head, Part

_WHEELS = "privatepkgs/"
"""Where native code may be; the scanner `wheels` lists it."""
_BYTECODE_MAGIC = b"\r\n"
_BYTECODE_FLAGS = frozenset((0, 1, 2, 3))


class Native(Format):
    """By the marks of ELF, of Windows and of macOS."""

    name = "native code"
    runs = "all of it, when a program loads it"
    seen = "that it is native code"
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the first bytes."""
        starts = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe")
        return head.data.startswith(starts) or (head.data.startswith(b"MZ") and b"\0" in head.data)

    def examine(self, part: Part) -> None:
        """Say so, but for private wheels."""
        if not part.name.startswith(_WHEELS):
            tell_of_compiled(part, self.name)


class Bytecode(Format):
    """A `.pyc`: two bytes of a version, a line end, flags, and the marshalled code object after 16 bytes."""

    name = "Python bytecode"
    runs = "all of it, when it is imported"
    seen = "that it is compiled Python"
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the header and the first byte of the code."""
        data = head.data
        if len(data) < 17 or data[2:4] != _BYTECODE_MAGIC:  # noqa: PLR2004 - its header and one byte
            return False
        return int.from_bytes(data[4:8], "little") in _BYTECODE_FLAGS and data[16] & 0x7F == ord("c")

    def examine(self, part: Part) -> None:
        """Say so."""
        tell_of_compiled(part, self.name)


def tell_of_compiled(part: Part, kind: str) -> None:
    """Code that people cannot read."""
    part.look.tell(
        Verdict.SUSPICIOUS,
        "compiled-code",
        Severity.MEDIUM,
        part.name,
        f"{part.name} is {kind}, which people cannot read.",
        "Bring code as source in src/, or as a wheel in privatepkgs/.",
    )
