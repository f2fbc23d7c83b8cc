"""The search for pickles within bytes: every text that may name a global is found, wherever pieces and blocks end."""

from __future__ import annotations

import random
import re

import pytest

from mop.scanning.pickles.search import WINDOW, Search

TEXTS = (
    b"cos\nsystem\n",
    b"ios\nsystem\n",
    b"cx\nos.system\n",
    b"\x8c\x02os\x8c\x06system\x93",
    b"\x8c\x02os\x94\x8c\x06system\x94\x93",
    b"X\x02\0\0\0osX\x06\0\0\0system\x93",
    b"U\x02osU\x06system\x93",
    b"T\x02\0\0\0osT\x06\0\0\0system\x93",
    b"\x8d\x02\0\0\0\0\0\0\0os\x8d\x06\0\0\0\0\0\0\0system\x93",
    b"Vos\nVsystem\n\x93",
    b"V\\u006fs\nVsystem\n\x93",
    b"S'os'\nS'system'\n\x93",
    b"S'\\x6fs'\nS'system'\n\x93",
    b"csubprocess\nPopen\n",
    b"\x8c\x0asubprocess\x8c\x05Popen\x93",
)
"""Each leads to a dangerous global."""


def hits(data: bytes, *, piece: int) -> set[tuple[str, int]]:
    search = Search()
    for at in range(0, len(data), piece):
        search.feed(data[at : at + piece])
    search.end()
    return {(str(hit.name), hit.position) for hit in search.hits}


@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_a_text_is_found_at_every_place_of_a_block_and_of_a_piece(text: bytes):
    expected = hits(text, piece=WINDOW)
    assert len(expected) == 1
    ((name, _),) = expected
    noise = random.Random(7)  # noqa: S311 - any bytes
    filling = bytes(byte for byte in noise.randbytes(WINDOW + 70_000) if byte not in b"\nciUXTVS\x8c\x8d")
    edges = (0, 64 * 1024, 128 * 1024, WINDOW - 4096, len(filling))
    for edge in edges:
        for shift in (-len(text) - 1, -len(text), -len(text) // 2, -3, -2, -1, 0, 1):
            at = min(max(0, edge + shift), len(filling))
            data = filling[:at] + text + filling[at:]
            assert hits(data, piece=WINDOW) == {(name, at)}


@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_bytes_in_front_hide_nothing(text: bytes):
    for before in (b"c", b"i", b"abc", b"ccc", b"V", b"S'", b"\x8c", b"X\x05", b"\n", b"os\n", b"c" * 90):
        assert {name for name, _ in hits(text, piece=7)} <= {name for name, _ in hits(before + text, piece=7)}


def test_every_text_that_a_pattern_matches_is_a_place_to_look_at():
    """The comparisons of blocks are necessary conditions: nothing that the exact patterns match is left out."""
    name = rb"[A-Za-z_][A-Za-z0-9_.]"
    patterns = [
        re.compile(pattern)
        for pattern in (
            rb"(?=(c%b{0,100}\n%b{0,100}\n))" % (name, name),
            rb"(?=(\x8c[\x02-\x64]%b))" % name,
            rb"(?=(U[\x02-\x64]%b))" % name,
            rb"(?=(X[\x02-\x64]\0\0\0[A-Za-z_]))",
            rb"(?=(T[\x02-\x64]\0\0\0[A-Za-z_]))",
            rb"(?=(V[A-Za-z_\\][A-Za-z0-9_.\\]{1,100}\n))",
            rb"(?=(S['\"][A-Za-z_\\][A-Za-z0-9_.\\]{1,100}['\"]\n))",
            rb"(?=(\x8d[\x02-\x64]\0\0\0\0\0\0\0[A-Za-z_]))",
        )
    ]
    from mop.scanning.pickles.search import _places  # noqa: PLC0415 - what is tested

    drawn = random.Random(11)  # noqa: S311 - any bytes
    alphabet = b"ciXUTVS'\"\x8c\x8d\x02\x05\x64\x65\0\0\0\0\nosA_zZ9.\\\xff "
    matched = 0
    for _ in range(200):
        data = bytes(drawn.choices(alphabet, k=2_000))
        places = set(_places(data, 0, len(data)))
        for number, pattern in enumerate(patterns):
            for match in pattern.finditer(data):
                first_line_end = data.index(b"\n", match.start()) if number == 0 else 0
                place = first_line_end - 2 if number == 0 else match.start()
                assert place in places, match[1]
                matched += 1
    assert matched > 1_000
