"""Python in an archive: what the loader of the archive imports by itself is judged as code beside the weights is."""

from __future__ import annotations

from collections.abc import Callable

from mop.scanning.findings import Severity, Verdict
from mop.scanning.formats.base import Part
from mop.scanning.python_acts import PYTHON_BYTES_MAX, Act, acts_of
from mop.scanning.reader import ByteStream

_SUFFIXES = (".py", ".pyw")
_OWN_FOLDERS = ("src/", "privatepkgs/")
"""What is in them the service imports by itself, in its cage."""
_LOADERS: dict[str, Callable[[str], bool]] = {
    "torch.package": lambda name: name.endswith(".data/extern_modules"),
    "TorchServe": lambda name: name == "MAR-INF/MANIFEST.json",
    "SageMaker": lambda name: name == "code/inference.py",
    "BentoML": lambda name: name == "bento.yaml",
    "Python": lambda name: name == "__main__.py",
}
"""What imports the Python of an archive by itself, by the name of a member that it looks for."""
_REMEDY = "Move the code into src/, where it is reviewed as the model's own, and keep the weights alone."
_KEPT_MAX = 50
"""Calls of one kind in one archive."""


class ArchivedPython:
    """What the Python of one archive does, told when all of its members have been seen.

    Attributes:
        loader: what imports it by itself; nothing of other archives.
    """

    def __init__(self, part: Part) -> None:
        self.loader = ""
        self._part = part
        self._acts: dict[bool, list[tuple[str, Act]]] = {True: [], False: []}
        self._unread: list[str] = []
        self._large: list[str] = []

    def saw(self, name: str) -> None:
        """A member's name, which may tell what the archive is for."""
        name = name.removeprefix("./")
        if not self.loader:
            self.loader = next((loader for loader, is_known in _LOADERS.items() if is_known(name)), "")

    def passed(self, stream: ByteStream, member: str, name: str) -> ByteStream:
        """The stream of a member, its Python looked at.

        Args:
            stream: the member's content.
            member: its name in the archive.
            name: its part's.
        """
        if not member.lower().endswith(_SUFFIXES):
            return stream
        content = b""
        while len(content) <= PYTHON_BYTES_MAX and (piece := stream.read(PYTHON_BYTES_MAX + 1 - len(content))):
            content += piece
        self._look(name, content)
        return _Again(content, stream)

    def _look(self, name: str, content: bytes) -> None:
        if len(content) > PYTHON_BYTES_MAX:
            self._large.append(name)
            return
        try:
            acts = acts_of(content)
        except (SyntaxError, ValueError):
            self._unread.append(name)
            return
        except (RecursionError, MemoryError):
            self._large.append(name)
            return
        finally:
            self._part.look.spend(0)
        for act in acts:
            kept = self._acts[act.by_itself]
            if len(kept) < _KEPT_MAX:
                kept.append((name, act))

    def end(self) -> None:
        """Tell what was found."""
        look = self._part.look
        if not self.loader and look.path.startswith(_OWN_FOLDERS):
            return
        for name in self._large:
            reason = f"code of over {PYTHON_BYTES_MAX:,} bytes, or nested too deep"
            if self.loader:
                look.costly(name, reason)
            else:
                look.incomplete(name, reason)
        for name in self._unread:
            look.incomplete(name, "code that MOP's Python cannot parse")
        for name, act in (*self._acts[True], *self._acts[False]):
            self._tell(name, act)

    def _tell(self, name: str, act: Act) -> None:
        is_run = act.by_itself and bool(self.loader)
        when = (
            f"when {self.loader} imports it" if is_run else "when it is imported" if act.by_itself else "in a function"
        )
        self._part.look.tell(
            Verdict.INFECTED if is_run else Verdict.SUSPICIOUS,
            "code-in-archive",
            Severity.CRITICAL if is_run else Severity.HIGH,
            name,
            f"{name} line {act.line}: {act.what} {when}.",
            _REMEDY,
            position=f"line {act.line}",
        )


class _Again:
    """A stream whose beginning was read before."""

    def __init__(self, content: bytes, rest: ByteStream) -> None:
        self._content, self._rest = memoryview(content), rest

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        if self._content:
            data, self._content = bytes(self._content[:size]), self._content[size:]
            return data
        return self._rest.read(size)
