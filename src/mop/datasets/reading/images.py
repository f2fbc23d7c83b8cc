"""Images of strangers: whether the bytes decode to the end, within a bound of pixels."""

from __future__ import annotations

import binascii
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pybase64
from PIL import Image, UnidentifiedImageError

from mop.datasets.reading.faults import FaultKind
from mop.datasets.reading.spec import Limits

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
_ONE_PICTURE = frozenset({"JPEG", "MPO"})  # MPO: further pictures of the camera stand behind the JPEG
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "LA": 4, "I;16": 2}
"""What Pillow takes for a pixel; 4 bytes for each other mode."""
_PICTURES_HELD = {"GIF": 3, "WEBP": 4}
"""How many pictures a decoder of animations holds: those before and after, and copies of them."""
_COEFFICIENT_BYTES = 2
_ROW_COPIES = 4  # in the window, as a line, as cells, and decoded from base64


class Examined(NamedTuple):
    """What an image is: its fault, or its size in pixels as it is stored, EXIF rotation not applied."""

    fault: FaultKind | None
    size: tuple[int, int] | None = None


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pillow warns of large and odd images on standard error; what matters of that is a fault here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def examine(cell: bytes, limits: Limits, *, row_bytes: int = 0) -> Examined:
    """Decode an image from base64, to the end of its data.

    The header alone finds no truncated file, so every image is decoded. JPEG is decoded in grey at an eighth of its
    size: all of its data is read, and a small part of the time and of the memory is used.

    Args:
        cell: the base64.
        limits: bounds of pixels, frames and memory.
        row_bytes: of the row that is held meanwhile, if it is longer than the cell.
    """
    try:
        content = pybase64.b64decode(cell, validate=True)
    except binascii.Error:
        return Examined(FaultKind.BAD_BASE64)
    file = io.BytesIO(content)
    size = fault = None
    try:
        with Image.open(file, formats=FORMATS) as image:
            size = image.size
            if size[0] * size[1] > limits.pixels:
                fault = FaultKind.TOO_MANY_PIXELS
            elif _ROW_COPIES * max(row_bytes, len(cell)) + decoding_bytes(image) > limits.image_memory_bytes:
                fault = FaultKind.IMAGE_NEEDS_MEMORY
            else:
                fault = _decode(image, file, limits)
    except Image.DecompressionBombError:
        fault = FaultKind.TOO_MANY_PIXELS
    except UnidentifiedImageError:
        fault = FaultKind.NOT_AN_IMAGE
    except Exception:  # noqa: BLE001 - decoders of hostile bytes raise anything; each means that they can't be decoded
        fault = FaultKind.BROKEN_IMAGE
    return Examined(fault, size)


def decoding_bytes(image: Any) -> int:
    """The memory that `examine` takes for an opened image beside its file, from above.

    A JPEG is held at an eighth of its size, a progressive one as the coefficients of all its components too. Any other
    image is held whole.
    """
    pixels = int(image.size[0] * image.size[1])
    if image.format not in _ONE_PICTURE:
        held = _PICTURES_HELD.get(image.format, 1)
        return pixels * (4 if held > 1 else _PIXEL_BYTES.get(image.mode, 4)) * held
    if not image.info.get("progressive"):
        return pixels // 16
    samplings = [(across, down) for _, across, down, _ in image.layer]
    largest = max(across for across, _ in samplings) * max(down for _, down in samplings)
    share = sum(across * down for across, down in samplings) / largest
    return int(pixels * _COEFFICIENT_BYTES * share) + pixels // 16


def _decode(image: Image.Image, file: io.BytesIO, limits: Limits) -> FaultKind | None:
    if image.format in _ONE_PICTURE:
        image.draft("L", (1, 1))
        image.load()
        return None
    if not _decode_frames(image, limits):
        return FaultKind.TOO_MANY_PIXELS
    # Pillow takes the end of the bytes for the end of a GIF; behind the last frame stands a semicolon
    if image.format == "GIF" and file.getvalue()[file.tell() - 1 : file.tell()] != b";":
        return FaultKind.BROKEN_IMAGE
    return None


def _decode_frames(image: Image.Image, limits: Limits) -> bool:
    """Decode every frame; False when they are too many. The number of frames that a file tells is not believed."""
    pixels = frames = 0
    while True:
        pixels += image.size[0] * image.size[1]
        frames += 1
        if pixels > limits.pixels or frames > limits.frames:
            return False
        image.load()
        try:
            image.seek(frames)
        except EOFError:
            return True


_POSITIVE = re.compile(rb"[1-9][0-9]{0,8}")


def positive_integer(cell: bytes) -> int | None:
    """The number that a cell holds in digits; None if it is no positive integer."""
    return int(cell) if _POSITIVE.fullmatch(cell) else None
