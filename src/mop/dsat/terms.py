"""What finds a case: terms of its words, tags and trace id, and bands of its MinHash signature.

A term is a 64-bit digest under a key of the installation, so the index cannot be read as words. Near duplicates have a
band in common; how similar they are is estimated from the whole signatures (Broder 1997; banding: Leskovec, Rajaraman,
Ullman, Mining of Massive Datasets, chapter 3.4). With 8 bands of 4 numbers, two cases of Jaccard similarity 0.8 meet
with a probability of 0.985, of 0.5 with 0.4, and of 0.3 with 0.06.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mop.datasets.keyed import keyed_digest
from mop.deferred import deferred, np
from mop.dsat.content import images_of

if TYPE_CHECKING:
    import rensa
    import xxhash
    from numpy.typing import NDArray

    Matrix = NDArray[np.uint32]
else:
    Matrix = Any
    rensa = deferred("rensa")
    xxhash = deferred("xxhash")

NUMBERS = 64
BANDS, BAND_NUMBERS = 8, 4
NEAR = 0.7
"""Estimated Jaccard similarity from which two cases are near duplicates."""
_SHINGLE = 5
_CHARACTERS_MAX = 20_000  # of a text that words and shingles are taken from
_TERMS_MAX = 2_000
_PAD = "\0" * (_SHINGLE - 1)
_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)
"""Odd 64-bit numbers, one for each character of a sequence."""
_MIXER = 0xBF58476D1CE4E5B9
_SEED = 42
_BAND_PLACES = [(b"%d:" % band, 4 * BAND_NUMBERS * band, 4 * BAND_NUMBERS * (band + 1)) for band in range(BANDS)]
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


class Terms:
    """Terms of cases that are indexed together: each word is hashed once, and texts share most of their words."""

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._tags: dict[str, int] = {}

    def of(self, item: Mapping[str, Any] | None, *, description: str, tags: Sequence[str], trace_id: str) -> set[int]:
        """The terms by which a case is searched for.

        Of a text of very many words some are left out, and none of what people wrote of the case.
        """
        words: Collection[str] = words_of(str((item or {}).get("text", "")))
        if description or tags or trace_id:
            written = words_of(f"{description} {' '.join(tags)} {trace_id}")
            words = written.union(words) if len(written) + len(words) <= _TERMS_MAX else _first(written, words)
        elif len(words) > _TERMS_MAX:
            words = sorted(words)[:_TERMS_MAX]
        terms = _all(self._words, words, word_term)
        return terms | _all(self._tags, tags, tag_term) if tags else terms


def signature_version() -> int:
    """Of the algorithm: signatures of another one cannot be compared."""
    return int(rensa.RMinHash.ALGORITHM_VERSION)


def signatures(items: Sequence[Mapping[str, Any]]) -> Matrix:
    """The MinHash signature of each item, one a row: the 5-character sequences of its text and of its images' digests.

    All texts are hashed at once, as one array of characters; 4 zeros stand behind each, so no sequence spans two.
    """
    texts = [_compared(item) for item in items]
    characters = np.frombuffer(_PAD.join([*texts, ""]).encode("utf-32-le", "replace"), "<u4").astype(np.uint64)
    sequences = np.zeros(len(characters), np.uint64)
    for place in range(_SHINGLE):
        sequences[: len(characters) - place] += characters[place:] * np.uint64(_FACTORS[place])
    sequences ^= sequences >> np.uint64(29)
    sequences *= np.uint64(_MIXER)
    sequences ^= sequences >> np.uint64(32)
    rows = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        sequences[characters != 0], np.cumsum([0, *map(len, texts)], dtype=np.uint64), NUMBERS, _SEED
    )
    numbers = itertools.chain.from_iterable(rows.to_rows())
    return np.fromiter(numbers, "<u4", len(texts) * NUMBERS).reshape(len(texts), NUMBERS)


def band_terms(signature: bytes) -> list[int]:
    """The terms of a kept signature's bands."""
    seed = _seed()
    return [_signed(xxhash.xxh3_64_intdigest(name + signature[begin:end], seed)) for name, begin, end in _BAND_PLACES]


def similarity(one: bytes, other: bytes) -> float:
    """Estimated Jaccard similarity, 0 to 1, of two kept signatures of the same version."""
    return float(np.mean(np.frombuffer(one, "<u4") == np.frombuffer(other, "<u4")))


def _first(written: set[str], words: Collection[str]) -> Sequence[str]:
    return [*sorted(written), *sorted(set(words) - written)][:_TERMS_MAX]


def _all(known: dict[str, int], words: Iterable[str], term: Callable[[str], int]) -> set[int]:
    found = set()
    for word in words:
        if (number := known.get(word)) is None:
            number = known[word] = term(word)
        found.add(number)
    return found


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
