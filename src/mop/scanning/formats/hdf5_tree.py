"""The tree of an HDF5 file: groups, datasets, attributes, and what leads out of the file.

After the HDF5 File Format Specification, version 3: what h5py and PyTables write unless they are asked for the newest
format. Whatever else is met is told as not followed. Each structure is read once, and its bytes count as read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final

MARK = b"\x89HDF\r\n\x1a\n"
_UNDEFINED: Final = 0xFFFFFFFFFFFFFFFF
_DEPTH_MAX = 64
_VALUE_BYTES = 16 * 1024**2
"""Of one attribute, and of one chunk of a dataset after it was unpacked."""
_SYMBOL_BYTES = 40
_DATASPACE, _LINK_INFO, _DATATYPE, _LINK, _EXTERNAL_FILES, _LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
_FILTERS, _ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15
_VARIABLE_LENGTH = 9
_DEFLATE, _SHUFFLE, _CHECKSUM = 1, 2, 3
_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = 0, 1, 2, 3
_HARD, _EXTERNAL = 0, 64


class NotFollowedError(Exception):
    """A structure of the format that MOP does not follow."""


@dataclass(frozen=True)
class Seen:
    """What a walk tells, as it goes on.

    Attributes:
        value: takes the bytes of an attribute, with its object's path and its name.
        chunk: takes the unpacked bytes of a dataset's chunk, with its path.
        outside: takes what leads out of the file, with the path where it stands.
        spend: is told of each piece that is read; may raise.
    """

    value: Callable[[str, bytes], None]
    chunk: Callable[[str, bytes], None]
    outside: Callable[[str, str], None]
    spend: Callable[[int], None]


@dataclass
class _Object:
    """The messages of an object header that count."""

    links: list[tuple[str, int]] = field(default_factory=list)
    layout: bytes = b""
    datatype: bytes = b""
    filters: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)


class Tree:
    """Walks the objects of a file.

    Args:
        file: for random access.
        size: of the file in bytes.
        seen: takes what is found.
        base: where it begins in the file that its superblock tells of.
    """

    def __init__(self, file: IO[bytes], size: int, seen: Seen, base: int = 0) -> None:
        self._file = file
        self._base = base
        self._size = size
        self._seen = seen
        self._visited: set[int] = set()
        self._heaps: dict[int, dict[int, bytes]] = {}

    def walk(self) -> None:
        """Follow every group, dataset and attribute.

        Raises:
            NotFollowedError: a structure that is not known here.
            EOFError, ValueError: the file breaks off, or contradicts itself.
        """
        waiting = [("", self._root(), 0)]
        while waiting:
            path, address, depth = waiting.pop()
            if address in self._visited:
                continue
            self._visited.add(address)
            if depth > _DEPTH_MAX:
                raise NotFollowedError(f"more than {_DEPTH_MAX} groups within each other")
            found = self._object(path or "/", address)
            self._dataset(path, found)
            waiting += [(f"{path}/{name}", child, depth + 1) for name, child in found.links]

    # Reading -----------------------------------------------------------------------------------------------

    def _at(self, address: int, count: int) -> bytes:
        if not 0 <= address <= self._size or count > self._size - address:
            raise EOFError("a structure lies behind the end of the file")
        self._seen.spend(count)
        self._file.seek(address)
        return self._file.read(count)

    def _root(self) -> int:
        head = self._at(0, min(self._size, 128))
        version = head[8]
        sizes = head[13:15] if version <= 1 else head[9:11]
        if sizes != b"\x08\x08":
            raise NotFollowedError("addresses of other than eight bytes")
        if version > 3:  # noqa: PLR2004 - the versions that there are
            raise NotFollowedError(f"a superblock of version {version}")
        begin = {0: 24, 1: 28, 2: 12, 3: 12}[version]
        if _number(head, begin) != self._base:
            raise NotFollowedError("a file within another")
        return _number(head, begin + (40 if version <= 1 else 24))

    # Objects -----------------------------------------------------------------------------------------------

    def _object(self, path: str, address: int) -> _Object:
        found = _Object()
        for kind, data in self._messages(address):
            if kind == _SYMBOL_TABLE:
                found.links += self._symbols(_number(data, 0), _number(data, 8))
            elif kind == _LINK:
                found.links += self._link(path, data)
            elif kind == _ATTRIBUTE:
                self._attribute(path, data)
            elif kind == _EXTERNAL_FILES:
                self._seen.outside(path, "keeps its numbers in another file")
            elif kind == _LAYOUT:
                found.layout = data
            elif kind == _DATATYPE:
                found.datatype = data
            elif kind == _FILTERS:
                found.filters = _filters(data)
            elif kind in {_LINK_INFO, _ATTRIBUTE_INFO}:
                _refuse_dense(data, 8 if kind == _LINK_INFO else 2)
        return found

    def _messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        head = self._at(address, 16)
        if head[:4] == b"OHDR":
            yield from self._new_messages(address)
            return
        if head[0] != 1:
            raise ValueError("an object header of no known kind")
        blocks = [(address + 16, int.from_bytes(head[8:12], "little"))]
        seen = set()
        while blocks:
            block = blocks.pop(0)
            if block in seen:
                raise ValueError("an object header that leads back to itself")
            seen.add(block)
            data, at = self._at(*block), 0
            while at + 8 <= len(data):
                kind, size = struct.unpack_from("<HH", data, at)
                content = data[at + 8 : at + 8 + size]
                at += 8 + size
                if kind == _CONTINUATION:
                    blocks.append((_number(content, 0), _number(content, 8)))
                elif not data[at - size - 4] & 2:  # not one that is shared: those are types and spaces
                    yield kind, content

    def _new_messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        flags = self._at(address, 6)[5]
        begin = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = int.from_bytes(self._at(address + begin, width), "little")
        blocks = [(address + begin + width, length)]
        head = 6 if flags & 4 else 4
        seen = set()
        while blocks:
            block = blocks.pop(0)
            if block in seen:
                raise ValueError("an object header that leads back to itself")
            seen.add(block)
            data, at = self._at(*block), 0
            while at + head <= len(data):
                kind, size = data[at], int.from_bytes(data[at + 1 : at + 3], "little")
                shared = data[at + 3] & 2
                content = data[at + head : at + head + size]
                at += head + size
                if kind == _CONTINUATION:
                    blocks.append((_number(content, 0) + 4, _number(content, 8) - 8))
                elif not shared:
                    yield kind, content

    # Groups ------------------------------------------------------------------------------------------------

    def _symbols(self, tree: int, heap: int) -> Iterator[tuple[str, int]]:
        names = self._local_heap(heap)
        for node in self._leaves(tree, kind=0, key_bytes=8):
            head = self._at(node, 8)
            if head[:4] != b"SNOD":
                raise ValueError("a group without its nodes")
            count = int.from_bytes(head[6:8], "little")
            data = self._at(node + 8, count * _SYMBOL_BYTES)
            for at in range(0, len(data), _SYMBOL_BYTES):
                begin = _number(data, at)
                name = names[begin : names.find(b"\0", begin)].decode("utf-8", "replace")
                if int.from_bytes(data[at + 16 : at + 20], "little") != 2:  # noqa: PLR2004 - a soft link
                    yield name, _number(data, at + 8)

    def _local_heap(self, address: int) -> bytes:
        head = self._at(address, 32)
        if head[:4] != b"HEAP":
            raise ValueError("a group without its names")
        return self._at(_number(head, 24), _number(head, 8))

    def _leaves(self, address: int, *, kind: int, key_bytes: int) -> Iterator[int]:
        """What the leaves of a tree of version 1 lead to."""
        for _, child in self._entries(address, kind=kind, key_bytes=key_bytes):
            yield child

    def _entries(self, address: int, *, kind: int, key_bytes: int) -> Iterator[tuple[bytes, int]]:
        waiting, seen = [address], set()
        while waiting:
            node = waiting.pop()
            if node == _UNDEFINED:
                continue
            if node in seen:
                raise ValueError("a tree that leads back to itself")
            seen.add(node)
            head = self._at(node, 24)
            if head[:4] != b"TREE" or head[4] != kind:
                raise ValueError("a tree without its nodes")
            count = int.from_bytes(head[6:8], "little")
            data = self._at(node + 24, count * (key_bytes + 8))
            for at in range(0, len(data), key_bytes + 8):
                child = _number(data, at + key_bytes)
                if head[5]:
                    waiting.append(child)
                else:
                    yield data[at : at + key_bytes], child

    def _link(self, path: str, data: bytes) -> Iterator[tuple[str, int]]:
        flags, at = data[1], 2
        kind = _HARD
        if flags & 8:
            kind, at = data[at], at + 1
        at += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = int.from_bytes(data[at : at + width], "little")
        name = data[at + width : at + width + length].decode("utf-8", "replace")
        at += width + length
        if kind == _HARD:
            yield name, _number(data, at)
        elif kind >= _EXTERNAL:
            target = data[at + 3 :].partition(b"\0")[0].decode("utf-8", "replace")
            self._seen.outside(f"{path.rstrip('/')}/{name}", f"is a link to the file {target!r}")

    # Values ------------------------------------------------------------------------------------------------

    def _attribute(self, path: str, data: bytes) -> None:
        version = data[0]
        name_size, type_size, space_size = struct.unpack_from("<HHH", data, 2)
        at = 9 if version == 3 else 8  # noqa: PLR2004 - with the encoding of its name
        name = data[at : at + name_size].rstrip(b"\0").decode("utf-8", "replace")
        at += _padded(name_size, version)
        datatype = data[at : at + type_size]
        value = data[at + _padded(type_size, version) + _padded(space_size, version) :]
        place = f"{path}@{name}"
        if version > 1 and data[1] & 1:  # its type is kept elsewhere; what the value holds is read as bytes
            datatype = b"\x03"
        if datatype[:1] and datatype[0] & 0xF == _VARIABLE_LENGTH:
            for at in range(0, len(value) - 15, 16):
                length = int.from_bytes(value[at : at + 4], "little")
                if length:
                    self._seen.value(place, self._global_heap(_number(value, at + 4), value[at + 12 : at + 16]))
        else:
            self._seen.value(place, value)

    def _global_heap(self, address: int, index: bytes) -> bytes:
        if address not in self._heaps:
            head = self._at(address, 16)
            if head[:4] != b"GCOL":
                raise ValueError("values without their heap")
            data, at = self._at(address, _number(head, 8)), 16
            self._heaps = {address: {}}  # values of one heap follow each other
            while at + 16 <= len(data):
                number, size = int.from_bytes(data[at : at + 2], "little"), _number(data, at + 8)
                if number == 0:
                    break
                self._heaps[address][number] = data[at + 16 : at + 16 + size]
                at += 16 + ((size + 7) & ~7)
        return self._heaps[address].get(int.from_bytes(index, "little"), b"")

    # Datasets ----------------------------------------------------------------------------------------------

    def _dataset(self, path: str, found: _Object) -> None:
        layout = found.layout
        if not layout:
            return
        version, kind = layout[0], layout[1] if layout[0] > 2 else layout[2]  # noqa: PLR2004 - older layouts
        if version == 4 and kind == _VIRTUAL:  # noqa: PLR2004 - where virtual datasets came
            self._seen.outside(path, "is made of other files (a virtual dataset)")
        if kind != _CHUNKED or not found.filters:
            return  # its bytes lie in the file as they are, and were searched there
        if version != 3:  # noqa: PLR2004 - the one that h5py writes
            raise NotFollowedError("packed datasets of the newest format")
        if unknown := {number for number, _ in found.filters} - {_DEFLATE, _SHUFFLE, _CHECKSUM}:
            raise NotFollowedError(f"a dataset packed by the filter {min(unknown)}")
        dimensions = layout[2]
        for key, address in self._entries(_number(layout, 3), kind=1, key_bytes=8 + 8 * dimensions):
            size, mask = struct.unpack_from("<II", key)
            self._seen.chunk(path, self._unpacked(self._at(address, size), found.filters, mask))

    def _unpacked(self, data: bytes, filters: list[tuple[int, tuple[int, ...]]], mask: int) -> bytes:
        for number in reversed(range(len(filters))):
            kind, values = filters[number]
            if mask >> number & 1:
                continue
            if kind == _CHECKSUM:
                data = data[:-4]
            elif kind == _DEFLATE:
                inflating = zlib.decompressobj()
                data = inflating.decompress(data, _VALUE_BYTES)
                self._seen.spend(len(data))
                if inflating.unconsumed_tail:
                    raise NotFollowedError(f"a chunk of over {_VALUE_BYTES:,} bytes")
            elif values and values[0] > 1:
                width = values[0]
                whole = len(data) // width * width
                count = whole // width
                made = bytearray(whole)
                for at in range(width):
                    made[at::width] = data[at * count : (at + 1) * count]
                data = bytes(made) + data[whole:]
        return data


def _number(data: bytes, at: int) -> int:
    if at + 8 > len(data):
        raise EOFError("a structure is cut off")
    return int.from_bytes(data[at : at + 8], "little")


def _padded(size: int, version: int) -> int:
    return (size + 7) & ~7 if version == 1 else size


def _refuse_dense(data: bytes, index_bytes: int) -> None:
    """Names or attributes that are too many for an object header lie in a heap of another kind."""
    at = 2 + (index_bytes if data[1] & 1 else 0)
    if _number(data, at) != _UNDEFINED:
        raise NotFollowedError("links or attributes in a heap of the newest format")


def _filters(data: bytes) -> list[tuple[int, tuple[int, ...]]]:
    version, count = data[0], data[1]
    at = 8 if version == 1 else 2
    found = []
    for _ in range(count):
        number = int.from_bytes(data[at : at + 2], "little")
        named = version == 1 or number >= 256  # noqa: PLR2004 - of the library itself
        length = int.from_bytes(data[at + 2 : at + 4], "little") if named else 0
        at += 4 if named else 2
        _, values = struct.unpack_from("<HH", data, at)
        at += 4 + ((length + 7) & ~7 if version == 1 else length)
        found.append((number, struct.unpack_from(f"<{values}I", data, at)))
        at += 4 * (values + (values % 2 if version == 1 else 0))
    return found
