"""safetensors: a header of JSON, and raw numbers."""

from __future__ import annotations

import json
from typing import Any

from mop.scanning.formats.base import Format, Head, Part

HEADER_BYTES = 100_000_000
"""What the library itself takes."""
_PARSED_BYTES = 16 * 1024**2
_BITS = {
    "F64": 64,
    "I64": 64,
    "U64": 64,
    "C64": 64,
    "F32": 32,
    "I32": 32,
    "U32": 32,
    "F16": 16,
    "BF16": 16,
    "I16": 16,
    "U16": 16,
    "I8": 8,
    "U8": 8,
    "BOOL": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
}


class Safetensors(Format):
    """By the length of its header, and the brace that opens it."""

    name = "safetensors"
    runs = "nothing"
    seen = "the header; that tensors follow each other and fill the file; a search of the numbers"
    is_searched = True
    urgency = 4

    def recognises(self, head: Head) -> bool:
        """By the first nine bytes."""
        length = int.from_bytes(head.data[:8], "little")
        fits = head.size is None or length + 8 <= head.size
        return len(head.data) > 9 and 2 <= length <= HEADER_BYTES and head.data[8:9] == b"{" and fits  # noqa: PLR2004 - {}

    def examine(self, part: Part) -> None:
        """Hold the header against the bytes."""
        length = int.from_bytes(part.reader.exactly(8), "little")
        if length > _PARSED_BYTES:
            part.look.incomplete(part.name, f"a header of over {_PARSED_BYTES:,} bytes")
            return
        try:
            header = json.loads(part.reader.exactly(length))
            end = _end(header)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            part.look.incomplete(part.name, f"a header that cannot be read: {type(error).__name__}")
            return
        part.reader.skip(end)
        if part.reader.peek(1):
            part.look.incomplete(part.name, "other bytes follow the tensors")


def _end(header: dict[str, Any]) -> int:
    """Where the last tensor ends; tensors follow each other without gaps.

    Raises:
        ValueError: they do not.
    """
    places = []
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        begin, end = tensor["data_offsets"]
        count = _BITS[tensor["dtype"]]
        for number in tensor["shape"]:
            count *= number
        if (end - begin) * 8 != count:
            raise ValueError("a tensor of another size")
        places.append((begin, end))
    at = 0
    for begin, end in sorted(places):
        if begin != at:
            raise ValueError("tensors that do not follow each other")
        at = end
    return at
