"""Bare numbers without a header, such as TensorFlow's variables and torch's storages."""

from __future__ import annotations

from typing import Literal

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.reader import CHUNK

_VALUES_MIN = 16
_SAMPLES = 1024
_LEAST_SHARE = 0.95
_SMALLEST, _LARGEST = 1e-12, 1e12


class RawNumbers(Format):
    """Floating point numbers of ordinary size, one after the other, from the beginning to the end."""

    name = "raw numbers (float32, float64)"
    runs = "nothing"
    seen = "that every piece holds numbers of ordinary size; a search of all of it"
    is_searched = True
    urgency = 4

    def recognises(self, head: Head) -> bool:
        """By the numbers at the beginning."""
        return are_numbers(head.data)

    def examine(self, part: Part) -> None:
        """Look at each piece; one that is no numbers makes the file unknown."""
        while piece := part.reader.read(CHUNK):
            if not are_numbers(piece) and len(piece) >= 8 * _VALUES_MIN:
                part.look.incomplete(part.name, "numbers in which other bytes follow", rule="unknown-format")
                return


class Storage(Format):
    """A member of torch's archives that holds the numbers of a tensor: the archive says so, its bytes may be any."""

    name = "torch storage"
    runs = "nothing"
    seen = "a search of all of it"
    is_searched = True
    urgency = 4

    def recognises(self, head: Head) -> bool:  # noqa: ARG002 - only its archive tells
        """Never by content."""
        return False

    def examine(self, part: Part) -> None:
        """Nothing of it is looked at in particular."""


class Weights(Storage):
    """Numbers of a tensor in archives of torch.export and torch.package, whose members may be other files as well."""

    gives_way = True


def are_numbers(data: bytes) -> bool:
    """Whether a sample of the bytes reads as numbers of ordinary size; random bytes do in one case of three."""
    return not any(data) or max(_share(data, "<f4", 4), _share(data, "<f8", 8)) >= _LEAST_SHARE


def _share(data: bytes, kind: Literal["<f4", "<f8"], width: int) -> float:
    import numpy as np  # noqa: PLC0415 - not every folder holds numbers

    count = len(data) // width
    if count < _VALUES_MIN:
        return 0.0
    values = np.frombuffer(data, dtype=kind, count=count)[:: max(1, count // _SAMPLES)]
    sizes = np.abs(values)
    ordinary = (values == 0) | ((sizes >= _SMALLEST) & (sizes <= _LARGEST))
    return float(np.count_nonzero(ordinary)) / len(values)
