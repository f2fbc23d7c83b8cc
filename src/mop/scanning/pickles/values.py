"""What is known of a pickle's values without making them, and what a run over it met."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Final


class _Opaque:
    """A value that does not need to be known."""

    def __repr__(self) -> str:
        return "?"


OPAQUE: Final = _Opaque()


@dataclass(frozen=True, slots=True)
class Global:
    """A class or function that is looked up by name; `name` may hold dots."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    def attribute(self, name: str) -> Global:
        """What `getattr` leads to from here."""
        return Global(self.module, f"{self.name}.{name}")


@dataclass(slots=True)
class Made:
    """What a call gave: its callable, its arguments, and the state that was set on it."""

    callable: Any
    arguments: Any
    state: Any = None


class Use(enum.StrEnum):
    """What a pickle does with a global."""

    NAMED = "named"
    """It is looked up."""
    ATTRIBUTE = "attribute"
    """`getattr` leads to it, from a global or from an instance of one."""
    CREATED = "created"
    """`cls.__new__(cls, ...)` is called, which the unpickler does for classes alone."""
    CALLED = "called"


class Oddity(enum.StrEnum):
    """What no ordinary pickle does."""

    COMPUTED_NAME = "looks up a name that it computes"
    COMPUTED_CALL = "calls what it computed"
    COMPUTED_ATTRIBUTE = "takes an attribute that it computes"
    EXTENSION = "looks up a name in copyreg's registry of extensions"
    CHANGED_GLOBAL = "changes a class or a function itself"
    MADE_CLASS = "makes a class of its own"


@dataclass(frozen=True, slots=True)
class Sight:
    """A global in a use, where it was met first."""

    name: Global
    use: Use
    position: int


@dataclass
class Trace:
    """What a run met.

    Attributes:
        sights: globals in their uses, each once, in their order.
        oddities: each once, with the byte where it was met first.
        opcodes: how many were followed.
        beginnings: how many of them say that a pickle begins; a pickle of any library has one.
        ended: whether the run came to its STOP.
        forgot: whether a name was among what was too much to keep.
        undecided: whether a reader of another kind may go on where this one skipped bytes.
    """

    sights: dict[tuple[Global, Use], Sight] = field(default_factory=dict)
    oddities: dict[Oddity, int] = field(default_factory=dict)
    opcodes: int = 0
    beginnings: int = 0
    ended: bool = False
    forgot: bool = False
    undecided: bool = False

    def see(self, name: Global, use: Use, position: int) -> None:
        """Note a global."""
        if (name, use) not in self.sights:
            self.sights[name, use] = Sight(name, use, position)

    def odd(self, what: Oddity, position: int) -> None:
        """Note an oddity."""
        self.oddities.setdefault(what, position)

    def names(self) -> list[Global]:
        """What the unpickler looks up, in its order."""
        return [sight.name for sight in self.sights.values() if sight.use == Use.NAMED]

    @property
    def calls(self) -> bool:
        """Whether anything is called."""
        return bool(self.oddities) or any(sight.use in {Use.CALLED, Use.CREATED} for sight in self.sights.values())
