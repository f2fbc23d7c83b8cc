"""Every reader takes any bytes: it ends, it raises nothing, and what it takes is bounded."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mop.scanning.findings import SCANNER_ENDED
from mop.scanning.limits import ScanLimits
from scanning.formats.reading import looked_at, rules
from security import hostile_kinds, ordinary

LIMITS = ScanLimits(expansion_floor_bytes=4_000_000, spool_bytes=1_000_000, seconds=20)
STARTS = (
    *(b"PK\x03\x04", b"\x80\x04", b"\x93NUMPY\x01\0v\0", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"]\0\0"),
    *(b"\x78\x9c", b"\x7fELF", b"\x89HDF\r\n\x1a\n", b"GGUF\x03\0\0\0", b"\x20\0\0\0\0\0\0\0{", b"CBM1"),
    *(b"\x08\x08\x12\x02", b"\x08\x01\x12\x33", b"\x0a\x08\x0a\x01x\x12\x03Foo", b"{", b"[", b"!!python/"),
    *(b"%TAG ! a\n--- !", b"c", b"(", b"S'", b"V", b"I", b'{"chat_template": "{{', b'{"auto_map": ["', b'\\"'),
)


@functools.cache
def corpus() -> tuple[bytes, ...]:
    """Small files of every kind."""
    found = [kind.build("/tmp/marker") for kind in hostile_kinds.ALL if "bomb" not in kind.name]
    with tempfile.TemporaryDirectory() as folder:
        for number, one in enumerate((*ordinary.of_larger_frameworks(), *ordinary.of_what_looks_odd())):
            path = Path(folder, str(number))
            one.write(path)
            found.append(path.read_bytes())
    return tuple(content for content in found if len(content) < 20_000)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file with some bits changed, bytes doubled, or its end gone."""
    content = bytearray(corpus()[draw(st.integers(0, len(corpus()) - 1))])
    for _ in range(draw(st.integers(0, 8))):
        if not content:
            break
        place = draw(st.integers(0, len(content) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case 1:
                del content[place:]
            case 2:
                content[place:place] = content[:place][-64:]
            case _:
                content[place : place + 8] = draw(st.sampled_from([b"\xff" * 8, bytes(8), b"\x7f\xff\xff\xff" * 2]))
    return bytes(content)


STARTED = st.tuples(st.sampled_from(STARTS), st.binary(max_size=2000)).map(b"".join)
REPEATED = st.tuples(
    st.sampled_from((b"", *STARTS)), st.sampled_from(STARTS) | st.binary(min_size=1, max_size=8), st.integers(1, 4000)
).map(lambda drawn: drawn[0] + drawn[1] * drawn[2])
"""The same few bytes again and again, which shows a reader that takes more than linear time."""


@given(content=damaged() | STARTED | REPEATED)
def test_no_reader_raises_whatever_it_reads(content: bytes):
    with tempfile.TemporaryDirectory() as folder:
        look = looked_at(Path(folder), content, limits=LIMITS)
    assert look.verdict().path == "file"
    assert SCANNER_ENDED not in rules(look)
    assert len(look.findings) <= 200
