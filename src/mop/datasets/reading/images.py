"""Images of strangers: whether the bytes decode to the end, within a bound of pixels."""

from __future__ import annotations

import binascii
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from mop.datasets.reading.faults import FaultKind
from mop.datasets.reading.spec import Limits

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
_ONE_PICTURE = frozenset({"JPEG", "MPO"})  # MPO: further pictures of the camera stand behind the JPEG


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


def examine(cell: bytes, limits: Limits) -> Examined:
    """Decode an image from base64, to the end of its data.

    The header alone finds no truncated file, so every image is decoded. JPEG is decoded at an eighth of its size: all
    of its data is read, and a sixty-fourth of the memory is used.
    """
    try:
        content = binascii.a2b_base64(cell, strict_mode=True)
    except binascii.Error:
        return Examined(FaultKind.BAD_BASE64)
    file = io.BytesIO(content)
    size = fault = None
    try:
        with Image.open(file, formats=FORMATS) as image:
            size = image.size
            fault = _decode(image, file, limits)
    except Image.DecompressionBombError:
        fault = FaultKind.TOO_MANY_PIXELS
    except UnidentifiedImageError:
        fault = FaultKind.NOT_AN_IMAGE
    except Exception:  # noqa: BLE001 - decoders of hostile bytes raise anything; each means that they can't be decoded
        fault = FaultKind.BROKEN_IMAGE
    return Examined(fault, size)


def _decode(image: Image.Image, file: io.BytesIO, limits: Limits) -> FaultKind | None:
    if image.size[0] * image.size[1] > limits.pixels:
        return FaultKind.TOO_MANY_PIXELS
    if image.format in _ONE_PICTURE:
        image.draft(None, (1, 1))
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
