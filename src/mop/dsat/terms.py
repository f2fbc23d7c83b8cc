"""What finds a case: terms of its words, tags and trace id, and bands of its MinHash signature.

A term is a 64-bit digest under a key of the installation, so the index can not be read as words. Near duplicates have a
band in common; how similar they are is estimated from the whole signatures (Broder 1997; banding: Leskovec, Rajaraman,
Ullman, Mining of Massive Datasets, chapter 3.4). With 8 bands of 4 numbers, two cases of Jaccard similarity 0.8 meet
with a probability of 0.985, of 0.5 with 0.4, and of 0.3 with 0.06.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xxhash
from rensa import RMinHash

from mop.datasets.keyed import keyed_digest
from mop.dsat.content import images_of

NUMBERS = 64
BANDS, BAND_NUMBERS = 8, 4
SIGNATURE_VERSION = int(RMinHash.ALGORITHM_VERSION)
NEAR = 0.7
"""Estimated Jaccard similarity from which two cases are near duplicates."""
_SHINGLE = 5
_CHARACTERS_MAX = 20_000  # of a text that words and shingles are taken from
_TERMS_MAX = 2_000
_IMAGE_SHINGLES = 20  # an image weighs as much as a short sentence
_SEED = 42
_WORD = re.compile(r"\w+")
_SPACE = re.compile(r"\s+")


def words_of(text: str) -> set[str]:
    """The words of a text, as they are searched for."""
    return set(_WORD.findall(text[:_CHARACTERS_MAX].casefold()))


def word_term(word: str) -> int:
    """The term of a word."""
    return _term(f"w{word}")


def tag_term(tag: str) -> int:
    """The term of a whole tag, for the filter."""
    return _term(f"t{tag.casefold()}")


def word_terms(item: Mapping[str, Any] | None, *, description: str, tags: Sequence[str], trace_id: str) -> set[int]:
    """The terms by which a case is searched for."""
    text = str((item or {}).get("text", ""))
    words = words_of(text) | words_of(f"{description} {' '.join(tags)} {trace_id}")
    return {word_term(word) for word in sorted(words)[:_TERMS_MAX]} | {tag_term(tag) for tag in tags}


def signatures(items: Iterable[Mapping[str, Any]]) -> list[Sequence[int]]:
    """The MinHash signature of each item: 5-character shingles of its text, and its images as wholes."""
    digests: list[Sequence[int]] = RMinHash.digests_from_token_sets(
        [_shingles(item) for item in items], num_perm=NUMBERS, seed=_SEED
    )
    return digests


def band_terms(signature: Sequence[int]) -> list[int]:
    """The terms of a signature's bands."""
    data = np.asarray(signature[: BANDS * BAND_NUMBERS], dtype="<u4").tobytes()
    width = BAND_NUMBERS * 4
    seed = _seed()
    return [
        _signed(xxhash.xxh3_64_intdigest(b"%d:" % band + data[band * width : (band + 1) * width], seed))
        for band in range(BANDS)
    ]


def packed(signature: Sequence[int]) -> bytes:
    """A signature as it is kept."""
    return np.asarray(signature, dtype="<u4").tobytes()


def similarity(one: bytes, other: bytes) -> float:
    """Estimated Jaccard similarity, 0 to 1, of two kept signatures of the same version."""
    return float(np.mean(np.frombuffer(one, "<u4") == np.frombuffer(other, "<u4")))


def unpacked(signature: bytes) -> list[int]:
    """A kept signature as numbers."""
    numbers: list[int] = np.frombuffer(signature, "<u4").tolist()
    return numbers


def _shingles(item: Mapping[str, Any]) -> list[str]:
    text = _SPACE.sub(" ", str(item.get("text", ""))[:_CHARACTERS_MAX].casefold()).strip()
    found = {text[place : place + _SHINGLE] for place in range(max(1, len(text) - _SHINGLE + 1))} if text else set()
    for image in images_of(item):
        digest = hashlib.blake2b(image.encode(), digest_size=16).hexdigest()
        found.update(f"{digest}:{number}" for number in range(_IMAGE_SHINGLES))
    return list(found)


def _term(text: str) -> int:
    return _signed(xxhash.xxh3_64_intdigest(text.encode(), _seed()))


def _signed(number: int) -> int:
    """As a column of 64 bits with a sign takes it."""
    return number - 2**64 if number >= 2**63 else number


@functools.cache
def _seed() -> int:
    return int(keyed_digest("terms of dsat cases", "")[:16], 16)
