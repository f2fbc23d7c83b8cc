from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from PIL import Image

from mop.errors import ValidationFailedError
from mop.trials.inputs import decoded_images, mop_input


def picture(kind: str = "PNG", size: tuple[int, int] = (7, 5)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG whose head promises 60,000 pixels a side."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_an_image_goes_with_its_size(kind: str):
    image = picture(kind)
    item = mop_input("Image", images=[image])
    assert item == {"image": base64.b64encode(image).decode(), "width": 7, "height": 5}


def test_a_text_goes_as_it_is():
    assert mop_input("Text", text=" spaces stay ") == {"text": " spaces stay "}


def test_text_and_images_go_together_by_their_placeholders():
    item = mop_input("ImageAndText", text="a ##{image_0} b ##{image_1}", images=[picture(), picture()])
    assert len(item["images"]) == 2
    assert mop_input("ImageAndText", text="none")["images"] == []


@pytest.mark.parametrize(
    ("modality", "text", "images", "field"),
    [
        ("Text", "", [], "text"),
        ("Text", "x" * 100_001, [], "text"),
        ("Text", "x", [picture()], "images"),
        ("Image", "", [], "images"),
        ("Image", "", [picture(), picture()], "images"),
        ("Image", "", [b"no image"], "images"),
        ("Image", "", [b""], "images"),
        ("Image", "", [picture()[:20]], "images"),
        ("Image", "", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n"], "images"),
        ("Image", "", [bomb()], "images"),
        ("ImageAndText", "no placeholder", [picture()], "text"),
        ("ImageAndText", "##{image_1}", [picture()], "text"),
        ("ImageAndText", "##{image_0} ##{image_0}", [picture()], "text"),
        ("ImageAndText", "##{image_0}", [], "text"),
        ("ImageAndText", "".join(f"##{{image_{n}}}" for n in range(21)), [picture()] * 21, "images"),
        ("Image", "", [picture("BMP", (1500, 1500))], "images"),
    ],
)
def test_a_wrong_or_hostile_input_is_refused_at_its_field(modality: str, text: str, images: list[bytes], field: str):
    with pytest.raises(ValidationFailedError) as caught:
        mop_input(modality, text=text, images=images)
    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize("texts", [["?"], ["YQ"], ["YQ=="] * 21])
def test_what_is_not_base64_or_too_much_is_refused(texts: list[str]):
    with pytest.raises(ValidationFailedError):
        decoded_images(texts)
