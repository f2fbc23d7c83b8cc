"""What an image must be: one of six formats, at most 4 MB, 50 to 2,048 pixels a side. Only its head is read here."""

from __future__ import annotations

import io

from PIL import Image

from mop.gateway.wire_errors import invalid

BYTES_MAX = 4 * 1024 * 1024
SIDE_MIN, SIDE_MAX = 50, 2048
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")


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
        with Image.open(io.BytesIO(image), formats=FORMATS) as opened:
            width, height = opened.size
    except Exception:  # noqa: BLE001 - a reader of images raises what it likes on a hostile file
        raise invalid(f"The image cannot be read as one of {', '.join(FORMATS)}.", target) from None
    if not (SIDE_MIN <= width <= SIDE_MAX and SIDE_MIN <= height <= SIDE_MAX):
        raise invalid(
            f"The image has {width} x {height} pixels; {SIDE_MIN} x {SIDE_MIN} to {SIDE_MAX} x {SIDE_MAX} are allowed.",
            target,
        )
