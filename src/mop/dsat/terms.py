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
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray
from rensa import RMinHash

from mop.datasets.keyed import keyed_digest
from mop.dsat.content import images_of

Matrix = NDArray[np.uint32]

NUMBERS = 64
BANDS, BAND_NUMBERS = 8, 4
SIGNATURE_VERSION = int(RMinHash.ALGORITHM_VERSION)
NEAR = 0.7
"""Estimated Jaccard similarity from which two cases are near duplicates."""
_SHINGLE = 5
_CHARACTERS_MAX = 20_000  # of a text that words and shingles are taken from
_TERMS_MAX = 2_000
_PAD = "\0" * (_SHINGLE - 1)
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64
)
"""Odd 64-bit numbers, one for each character of a sequence."""
_MIXER = np.uint64(0xBF58476D1CE4E5B9)
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


def signatures(items: Sequence[Mapping[str, Any]]) -> Matrix:
    """The MinHash signature of each item, one a row: the 5-character sequences of its text and of its images' digests.

    All texts are hashed at once, as one array of characters; 4 zeros stand behind each, so no sequence spans two.
    """
    texts = [_compared(item) for item in items]
    characters = np.frombuffer(_PAD.join([*texts, ""]).encode("utf-32-le", "replace"), "<u4").astype(np.uint64)
    sequences = np.zeros(len(characters), np.uint64)
    for place in range(_SHINGLE):
        sequences[: len(characters) - place] += characters[place:] * _FACTORS[place]
    sequences ^= sequences >> np.uint64(29)
    sequences *= _MIXER
    sequences ^= sequences >> np.uint64(32)
    rows = RMinHash.digest_matrix_from_flat_token_hashes(
        sequences[characters != 0], np.cumsum([0, *map(len, texts)], dtype=np.uint64), NUMBERS, _SEED
    )
    return np.asarray(rows.to_rows(), dtype="<u4").reshape(len(texts), NUMBERS)


def band_terms(signature: bytes) -> list[int]:
    """The terms of a kept signature's bands."""
    data = signature
    width = BAND_NUMBERS * 4
    seed = _seed()
    return [
        _signed(xxhash.xxh3_64_intdigest(b"%d:" % band + data[band * width : (band + 1) * width], seed))
        for band in range(BANDS)
    ]


def similarity(one: bytes, other: bytes) -> float:
    """Estimated Jaccard similarity, 0 to 1, of two kept signatures of the same version."""
    return float(np.mean(np.frombuffer(one, "<u4") == np.frombuffer(other, "<u4")))


def _compared(item: Mapping[str, Any]) -> str:
    """What of an item is compared: its text without differences of case and space, and digests of its images."""
    text = _SPACE.sub(" ", str(item.get("text", ""))[:_CHARACTERS_MAX].casefold()).strip()
    digests = [hashlib.blake2b(image.encode(), digest_size=16).hexdigest() for image in images_of(item)]
    return "\n".join([text, *digests]).replace("\0", " ")


def _term(text: str) -> int:
    return _signed(xxhash.xxh3_64_intdigest(text.encode(), _seed()))


def _signed(number: int) -> int:
    """As a column of 64 bits with a sign takes it."""
    return number - 2**64 if number >= 2**63 else number


@functools.cache
def _seed() -> int:
    return int(keyed_digest("terms of dsat cases", "")[:16], 16)
