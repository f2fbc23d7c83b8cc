"""The bodies of text:analyze and image:analyze, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
import pybase64

from mop.gateway.categories import BY_NAME, Category, OutputType
from mop.gateway.images import BYTES_MAX, check_image
from mop.gateway.wire_errors import WireError, invalid

TEXT_CHARACTERS_MAX = 10_000
BLOCKLISTS_MAX = 100
_OUTPUTS, _IMAGE_OUTPUTS = tuple(OutputType), (OutputType.FOUR,)
_FOUR = OutputType.FOUR
_TEXT_FIELDS = frozenset({"text", "categories", "blocklistNames", "haltOnBlocklistHit", "outputType"})
_IMAGE_FIELDS = frozenset({"image", "categories", "outputType"})
_IMAGE_BEGINS = re.compile(rb'\s*\{\s*"image"\s*:\s*\{\s*"content"\s*:\s*"')


class TextRequest(NamedTuple):
    """A text to analyze.

    Attributes:
        categories: those that were asked for; None: every one that is released.
    """

    text: str
    categories: tuple[Category, ...] | None
    blocklists: tuple[str, ...]
    halts: bool
    output: OutputType

    def item(self) -> bytes:
        """What a model service takes."""
        return orjson.dumps({"text": self.text})


class ImageRequest(NamedTuple):
    """An image to analyze.

    Attributes:
        content: the file in base64; empty where `blob_url` names it.
        categories: those that were asked for; None: every one that is released.
    """

    content: bytes | memoryview
    blob_url: str
    categories: tuple[Category, ...] | None

    def item(self) -> bytes:
        """What a model service takes; base64 needs no escapes in JSON."""
        return b"".join((b'{"image":"', self.content, b'"}'))


def read_text_request(body: bytes | bytearray) -> TextRequest:
    """The request of a body.

    Raises:
        WireError: it is not what the contract asks for.
    """
    data = read_object(body, _TEXT_FIELDS)
    text = data.get("text")
    if not isinstance(text, str) or not text:
        raise invalid("The field text is required, and is not empty.", "text")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise invalid(f"The text has {len(text):,} characters; {TEXT_CHARACTERS_MAX:,} are allowed.", "text")
    halts = data.get("haltOnBlocklistHit")
    if halts is not None and not isinstance(halts, bool):
        raise invalid("haltOnBlocklistHit is true or false.", "haltOnBlocklistHit")
    return TextRequest(
        text=text,
        categories=_categories(data.get("categories")),
        blocklists=_names(data.get("blocklistNames")),
        halts=bool(halts),
        output=_output_type(data.get("outputType"), _OUTPUTS),
    )


def read_image_request(body: bytes | bytearray) -> ImageRequest:
    """The request of a body; an image in it is checked.

    Raises:
        WireError: it is not what the contract asks for.
    """
    data, content, decoded = _image_taken_out(body) or (read_object(body, _IMAGE_FIELDS), memoryview(b""), b"")
    categories = _categories(data.get("categories"))
    _output_type(data.get("outputType"), _IMAGE_OUTPUTS)
    if content:
        check_image(decoded, "image.content")
        return ImageRequest(content, "", categories)
    image = data.get("image")
    if not isinstance(image, dict):
        raise invalid('The field image is required: {"content": base64} or {"blobUrl": url}.', "image")
    text, url = image.get("content"), image.get("blobUrl")
    if (text is None) == (url is None):
        raise invalid("Give either image.content or image.blobUrl.", "image")
    if url is not None:
        if not isinstance(url, str) or not url:
            raise invalid("image.blobUrl is a url.", "image.blobUrl")
        return ImageRequest(b"", url, categories)
    if not isinstance(text, str):
        raise invalid("image.content is the image in base64.", "image.content")
    if len(text) > BYTES_MAX * 4 // 3 + 4:
        raise invalid(f"The image has more than {BYTES_MAX:,} bytes.", "image.content")
    try:
        decoded = pybase64.b64decode(text, validate=True)
    except ValueError:
        raise invalid("image.content is not base64.", "image.content") from None
    check_image(decoded, "image.content")
    return ImageRequest(text.encode(), "", categories)


def _image_taken_out(body: bytes | bytearray) -> tuple[Mapping[str, Any], memoryview, bytes] | None:
    """The rest of a body that begins as clients write it, its base64, and that decoded; None of any other body.

    Of a body nearly all is the image, and to read that as JSON takes longer than all else that is done with it. So its
    base64 is taken out as it stands, and the rest is read with nothing in its place. Base64 has neither quotes nor
    escapes: what can be decoded is what JSON would have given. Any other body is read whole, also to say what is wrong.
    """
    begin = _IMAGE_BEGINS.match(body)
    end = body.find(b'"', begin.end()) if begin else -1
    if begin is None or end < 0:
        return None
    content = memoryview(body)[begin.end() : end]  # copied once, into what the model's service gets
    try:
        data = read_object(body[: begin.end()] + body[end:], _IMAGE_FIELDS)
        decoded = pybase64.b64decode(content, validate=True)
    except (WireError, ValueError):
        return None
    alone = data["image"] == {"content": ""}  # otherwise it is named twice, or something stands beside it
    return (data, content, decoded) if content and alone else None


def read_object(body: bytes | bytearray, fields: frozenset[str]) -> Mapping[str, Any]:
    """The JSON object of a body; fields that the contract does not know are refused.

    Raises:
        WireError: it is none.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise invalid("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise invalid("The body is not a JSON object.")
    if unknown := data.keys() - fields:
        names = ", ".join(sorted(fields))
        raise invalid(f"The body has {len(unknown)} unknown fields; the fields are {names}.")
    return data


def _categories(value: Any) -> tuple[Category, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) and one in BY_NAME for one in value):
        raise invalid(f"categories is a list of {', '.join(BY_NAME)}.", "categories")
    # an empty list and a missing one are the same to the service's own clients
    return tuple(BY_NAME[name] for name in BY_NAME if name in value) or None


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or len(value) > BLOCKLISTS_MAX:
        raise invalid(f"blocklistNames is a list of at most {BLOCKLISTS_MAX} names.", "blocklistNames")
    return tuple(dict.fromkeys(value))


def _output_type(value: Any, allowed: tuple[OutputType, ...]) -> OutputType:
    if value is None:
        return _FOUR
    if not isinstance(value, str) or value not in allowed:
        raise invalid(f"outputType is {' or '.join(allowed)}.", "outputType")
    return OutputType(value)
