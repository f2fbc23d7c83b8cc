"""Messages of protocol buffers, field by field from a stream, by a schema of what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mop.scanning.reader import Reader

TEXT_BYTES = 64 * 1024
"""Of one text that is kept."""
DEPTH_MAX = 100
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES = 10


@dataclass(frozen=True)
class Message:
    """What is wanted of one kind of message.

    Attributes:
        texts: names of fields whose texts are kept, by number; the last one counts.
        messages: messages within, by number; a function breaks the circle of those that hold themselves.
        ended: takes the texts of a message when it ends.
        text_bytes: of one text that is kept; a longer one is passed over, or refused where more than usual is kept.
        known: all numbers that this message may have; empty when any is fine.
    """

    texts: Mapping[int, str] = field(default_factory=dict)
    messages: Mapping[int, Callable[[], Message]] = field(default_factory=dict)
    ended: Callable[[dict[str, str]], Any] | None = None
    known: frozenset[int] = frozenset()
    text_bytes: int = TEXT_BYTES


def read_message(reader: Reader, message: Message) -> None:
    """Read a message to the end of the stream.

    Raises:
        ValueError: it is no such message.
        EOFError: it breaks off.
    """
    opened = [_Open(message, None)]
    while opened:
        one = opened[-1]
        if reader.position == one.end or (one.end is None and not reader.peek(1)):
            opened.pop()
            if one.message.ended:
                one.message.ended(one.texts)
        elif (inner := _field(reader, one)) is not None:
            opened.append(inner)
            if len(opened) > DEPTH_MAX:
                raise ValueError(f"more than {DEPTH_MAX} messages within each other")


@dataclass
class _Open:
    """A message that is being read, to its end; None for the end of the stream."""

    message: Message
    end: int | None
    texts: dict[str, str] = field(default_factory=dict)


def _field(reader: Reader, one: _Open) -> _Open | None:
    """Take a field; the message that it is, when that is wanted."""
    key = _varint(reader)
    number, kind = key >> 3, key & 7
    if one.message.known and number not in one.message.known:
        raise ValueError(f"a field {number} that its message does not have")
    if kind == _LENGTH:
        return _content(reader, one, number)
    if kind == _VARINT:
        _varint(reader)
    elif kind in {_FIXED32, _FIXED64}:
        reader.exactly(4 if kind == _FIXED32 else 8)
    else:
        raise ValueError(f"a field of the unknown kind {kind}")
    return None


def _content(reader: Reader, one: _Open, number: int) -> _Open | None:
    length = _varint(reader)
    if one.end is not None and reader.position + length > one.end:
        raise ValueError("a field that is longer than its message")
    if number in one.message.messages:
        return _Open(one.message.messages[number](), reader.position + length)
    most = one.message.text_bytes
    if number in one.message.texts and length > most > TEXT_BYTES:
        raise ValueError(f"a text of over {most:,} bytes")
    if number in one.message.texts and length <= most:
        one.texts[one.message.texts[number]] = reader.exactly(length).decode("utf-8", "replace")
    else:
        reader.skip(length)
    return None


def fields_of(data: bytes) -> list[tuple[int, int]]:
    """Number and kind of each whole field at the beginning of a message, as far as the data goes."""
    reader = Reader(_Bytes(data))
    found = []
    try:
        while reader.peek(1):
            key = _varint(reader)
            number, kind = key >> 3, key & 7
            if number == 0 or kind not in {_VARINT, _FIXED64, _LENGTH, _FIXED32}:
                return []
            found.append((number, kind))
            if kind == _VARINT:
                _varint(reader)
            elif kind == _LENGTH:
                reader.skip(_varint(reader))
            else:
                reader.exactly(4 if kind == _FIXED32 else 8)
    except EOFError:
        return found
    except ValueError:
        return []
    return found


def _varint(reader: Reader) -> int:
    value = 0
    for at in range(_VARINT_BYTES):
        byte = reader.byte()
        value |= (byte & 0x7F) << (7 * at)
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return value
    raise ValueError("a number of more than ten bytes")


class _Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        data, self._content = self._content[:size], self._content[size:]
        return data
