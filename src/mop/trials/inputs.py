"""The input of a try, checked before anything is asked: it is somebody's, and may be hostile."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mop.catalog.models import Modality
from mop.deferred import deferred
from mop.errors import ValidationFailedError

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = deferred("PIL.Image")

TEXT_CHARACTERS_MAX = 100_000
IMAGES_MAX = 20
INPUT_BYTES_MAX = 4 * 1024**2  # as JSON; the portal takes bodies of 5 MiB
SIDE_MAX = 20_000
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
_PLACEHOLDER = re.compile(r"##\{image_(\d{1,3})\}")


def mop_input(modality: str, *, text: str = "", images: Sequence[bytes] = ()) -> dict[str, Any]:
    """The MOP input of one sample, as the contract knows it.

    Args:
        modality: Text, Image or ImageAndText.
        text: for Text and ImageAndText; there with a placeholder for each image, from 0 in order.
        images: files as they were uploaded: one for Image, up to 20 for ImageAndText.

    Raises:
        ValidationFailedError: it is no input of this modality; `fields` names text or images.
    """
    item = _item(modality, text, images)
    if len(json.dumps(item)) > INPUT_BYTES_MAX:
        raise _wrong("images" if images else "text", f"The input has more than {INPUT_BYTES_MAX // 1024**2} MiB.")
    return item


def decoded_images(texts: Sequence[str]) -> list[bytes]:
    """Images that were given in base64.

    Raises:
        ValidationFailedError: one is not base64, or there are too many.
    """
    if len(texts) > IMAGES_MAX:
        raise _wrong("images", f"At most {IMAGES_MAX} images are taken.")
    try:
        return [base64.b64decode(text, validate=True) for text in texts]
    except (binascii.Error, ValueError) as error:
        raise _wrong("images", "Each image is base64.") from error


def _item(modality: str, text: str, images: Sequence[bytes]) -> dict[str, Any]:
    if modality == Modality.IMAGE:
        if len(images) != 1:
            raise _wrong("images", "Give one image.")
        width, height = _size_of(images[0])
        return {"image": _base64(images[0]), "width": width, "height": height}
    if not text:
        raise _wrong("text", "Give a text.")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise _wrong("text", f"At most {TEXT_CHARACTERS_MAX:,} characters are taken.")
    if modality == Modality.TEXT:
        if images:
            raise _wrong("images", "The model takes text alone.")
        return {"text": text}
    _check_placeholders(text, len(images))
    for image in images:
        _size_of(image)
    return {"text": text, "images": [_base64(image) for image in images]}


def _check_placeholders(text: str, count: int) -> None:
    if count > IMAGES_MAX:
        raise _wrong("images", f"At most {IMAGES_MAX} images are taken.")
    found = [int(number) for number in _PLACEHOLDER.findall(text)]
    if found != list(range(count)):
        wanted = ", ".join(f"##{{image_{number}}}" for number in range(count)) or "none"
        raise _wrong("text", f"The text has one placeholder for each image, in order: {wanted}.")


def _size_of(image: bytes) -> tuple[int, int]:
    """Width and height, read from the head of the file; the picture itself is not decoded."""
    try:
        with Image.open(io.BytesIO(image), formats=FORMATS) as opened:
            width, height = opened.size
    except Exception as error:  # a decoder raises what it likes on a hostile file
        raise _wrong("images", f"An image cannot be read as one of {', '.join(FORMATS)}.") from error
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
        raise _wrong("images", f"An image has at most {SIDE_MAX:,} pixels a side.")
    return width, height


def _base64(image: bytes) -> str:
    return base64.b64encode(image).decode("ascii")


def _wrong(field: str, message: str) -> ValidationFailedError:
    return ValidationFailedError(f"{field}: {message}", fields={field: [message]})
