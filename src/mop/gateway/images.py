"""What an image must be: one of six formats, at most 4 MB, 50 to 2,048 pixels a side. Only its head is read here."""

from __future__ import annotations

import io

from PIL import Image

from mop.gateway.wire_errors import invalid

BYTES_MAX = 4 * 1024 * 1024
SIDE_MIN, SIDE_MAX = 50, 2048
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
_SEGMENTS_MAX = 64
_QUANTIZATION, _SCAN = 0xDB, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # of sizes; the others are tables
_TABLE_BYTES = 65


def check_image(image: bytes, target: str) -> None:
    """Refuse what the contract does not allow.

    Raises:
        WireError: it is too large, not of a known format, or has too few or too many pixels.
    """
    if not image:
        raise invalid("The image is empty.", target)
    if len(image) > BYTES_MAX:
        raise invalid(f"The image has {len(image):,} bytes; {BYTES_MAX:,} are allowed.", target)
    try:
        width, height = _size_of_jpeg(image) or _size_of(image)
    except Exception:  # noqa: BLE001 - a reader of images raises what it likes on a hostile file
        raise invalid(f"The image cannot be read as one of {', '.join(FORMATS)}.", target) from None
    if not (SIDE_MIN <= width <= SIDE_MAX and SIDE_MIN <= height <= SIDE_MAX):
        raise invalid(
            f"The image has {width} x {height} pixels; {SIDE_MIN} x {SIDE_MIN} to {SIDE_MAX} x {SIDE_MAX} are allowed.",
            target,
        )


def _size_of(image: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(image), formats=FORMATS) as opened:
        return opened.size


def _size_of_jpeg(image: bytes) -> tuple[int, int] | None:
    """Width and height of a usual JPEG whose head is whole; None of anything else, which Pillow then judges.

    Most images are such, and Pillow takes ten times as long, more than the rest of what the gateway does with one.
    """
    if image[:2] != b"\xff\xd8":
        return None
    place, size = 2, None
    for _ in range(_SEGMENTS_MAX):
        head = image[place : place + 10]
        if len(head) < 10 or head[0] != 0xFF:  # noqa: PLR2004 - marker, length, and what a frame begins with
            return None
        marker, length = head[1], head[2] << 8 | head[3]
        end = place + 2 + length
        if marker in _FRAMES and head[4] == 8:  # noqa: PLR2004 - bits of a sample
            size = (head[7] << 8 | head[8], head[5] << 8 | head[6])
        elif marker in _FRAMES or (marker == _QUANTIZATION and (length - 2) % _TABLE_BYTES):
            return None
        if marker == _SCAN or length < 2 or end > len(image):  # noqa: PLR2004 - bytes of the length itself
            return size if marker == _SCAN and end <= len(image) else None
        place = end
    return None
