"""What a case holds: one model item of the task's modality, checked and written as JSON.

Messages name the field and the reason, never what stands there.
"""

from __future__ import annotations

import binascii
import csv
import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
import pybase64

from mop.catalog.models import Modality
from mop.deferred import deferred

if TYPE_CHECKING:
    import PIL
    from PIL import Image

    from mop.datasets.reading import images as reading_images
else:
    PIL = deferred("PIL")
    Image = deferred("PIL.Image")
    reading_images = deferred("mop.datasets.reading.images")

CONTENT_BYTES_MAX = 12 * 1024**2
TEXT_MAX = 200_000
IMAGES_MAX = 20
PIXELS_MAX = 50_000_000

# Images in base64 are longer than the default. The limit is one for the whole process: it stands here, once, for every
# reader of content from CSV; readers of other CSV have limits of their own.
csv.field_size_limit(CONTENT_BYTES_MAX)
FIELDS = {
    Modality.TEXT: ("text",),
    Modality.IMAGE: ("image", "width", "height"),
    Modality.IMAGE_AND_TEXT: ("text", "images"),
}
_PLACEHOLDER = re.compile(r"##\{image_([0-9]+)\}")

Add = Callable[[str, str], None]
"""Takes the field and what is wrong with it."""


def item_bytes(modality: str, given: Mapping[str, Any], add: Add) -> bytes:
    """The item as JSON; empty where something is wrong, which `add` is told."""
    faults: list[str] = []

    def tell(field: str, message: str) -> None:
        faults.append(field)
        add(field, message)

    known = FIELDS[Modality(modality)]
    for field in given.keys() - set(known):
        tell(
            field if field in {"text", "image", "images", "width", "height"} else "content",
            f"The content of a case of modality {modality} has {', '.join(known)} and nothing else.",
        )
    item = _ITEMS[Modality(modality)](given, tell)
    if faults:
        return b""
    try:
        body = orjson.dumps(item)
    except orjson.JSONEncodeError:  # a lone surrogate
        add("text", "The text is not valid Unicode.")
        return b""
    if len(body) > CONTENT_BYTES_MAX:
        add("content", f"The content has {len(body):,} bytes; at most {CONTENT_BYTES_MAX:,} are possible.")
        return b""
    return body


def images_of(item: Mapping[str, Any]) -> list[str]:
    """The images of an item, base64."""
    return [item["image"]] if "image" in item else list(item.get("images", ()))


def media_type(image: str) -> str:
    """The media type of a checked image, for browsers."""
    data = io.BytesIO(pybase64.b64decode(image))
    with reading_images.quiet_pillow(), Image.open(data, formats=reading_images.FORMATS) as found:
        return Image.MIME.get(found.format or "", "application/octet-stream")


def _text(given: Mapping[str, Any], add: Add) -> dict[str, Any]:
    return {"text": _checked_text(given.get("text"), add)}


def _image(given: Mapping[str, Any], add: Add) -> dict[str, Any]:
    size = _checked_image(given.get("image"), "image", add)
    return {"image": given.get("image"), "width": size[0], "height": size[1]}


def _image_and_text(given: Mapping[str, Any], add: Add) -> dict[str, Any]:
    text = _checked_text(given.get("text"), add)
    images = given.get("images") or []
    if not isinstance(images, list) or len(images) > IMAGES_MAX:
        add("images", f"Give a list of at most {IMAGES_MAX} images, each base64.")
        return {}
    for place, image in enumerate(images):
        _checked_image(image, f"image_{place}", add)
    named = [int(number[:3]) for number in _PLACEHOLDER.findall(text)]
    if named != list(range(len(images))):
        add(
            "text",
            f"The text names {len(named)} images and there are {len(images)}: write ##{{image_0}}, ##{{image_1}} and "
            "so on where they stand, each once, in order.",
        )
    return {"text": text, "images": images}


_ITEMS = {Modality.TEXT: _text, Modality.IMAGE: _image, Modality.IMAGE_AND_TEXT: _image_and_text}


def _checked_text(text: Any, add: Add) -> str:
    if not isinstance(text, str) or not text.strip():
        add("text", "The text is missing or empty.")
        return ""
    if len(text) > TEXT_MAX:
        add("text", f"The text has {len(text):,} characters; at most {TEXT_MAX:,} are possible.")
    elif fault := unstorable(text):
        add("text", fault)
    return text


def unstorable(text: str) -> str:
    """Why a text cannot be kept; empty where it can."""
    if "\0" in text:
        return "The text holds a NUL character."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "The text is not valid UTF-8."
    return ""


def _checked_image(image: Any, field: str, add: Add) -> tuple[int, int]:
    """The size in pixels of an image. Its header alone is read: models decode it in their cage."""
    nothing = (0, 0)
    if not isinstance(image, str) or not image:
        add(field, "The image is missing.")
        return nothing
    if len(image) > CONTENT_BYTES_MAX:
        add(field, f"The image has {len(image):,} characters of base64; at most {CONTENT_BYTES_MAX:,} are possible.")
        return nothing
    try:
        data = pybase64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        add(field, "The image is not valid base64. Leave out line breaks and a leading data: part.")
        return nothing
    try:
        with reading_images.quiet_pillow(), Image.open(io.BytesIO(data), formats=reading_images.FORMATS) as found:
            size = found.size
    except (PIL.UnidentifiedImageError, Image.DecompressionBombError):
        add(
            field,
            f"This is no image of a known format ({', '.join(reading_images.FORMATS)}), or one of too many pixels.",
        )
        return nothing
    except Exception:  # noqa: BLE001 - readers of hostile headers raise anything; each means that it can't be read
        add(field, "The header of the image is damaged.")
        return nothing
    if size[0] * size[1] > PIXELS_MAX:
        add(field, f"The image has {size[0] * size[1]:,} pixels; at most {PIXELS_MAX:,} are possible.")
    return size
