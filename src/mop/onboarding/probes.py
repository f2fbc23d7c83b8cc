"""MOP's own inputs: what every model of a modality must answer by contract."""

from __future__ import annotations

import base64
import functools
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

LONG_TEXT_CHARACTERS = 5000


@dataclass(frozen=True)
class Probe:
    """One MOP input and a name for messages."""

    name: str
    item: dict[str, Any]


def probes_for(modality: str) -> tuple[Probe, ...]:
    """The inputs of a modality: the same for every model, so that results compare.

    Raises:
        ValueError: the modality is not Text, Image or ImageAndText.
    """
    makers = {"Text": _texts, "Image": _images, "ImageAndText": _images_and_texts}
    if modality not in makers:
        raise ValueError(f"unknown modality {modality!r}")
    return makers[modality]()


@functools.cache
def _texts() -> tuple[Probe, ...]:
    sentence = "The quick brown fox jumps over the lazy dog while seven wizards brew quiet potions. "
    long_text = (sentence * (LONG_TEXT_CHARACTERS // len(sentence) + 1))[:LONG_TEXT_CHARACTERS]
    return (
        Probe("short text", {"text": "Have a nice day."}),
        Probe("long text", {"text": long_text}),
        Probe("almost empty text", {"text": " "}),
        Probe(
            "Unicode text",
            {"text": "Füße, 你好, שלום, здравствуйте, e\u0301, 👩\u200d👩\u200d👧, \u202eabc\u202c, \U0001d518"},
        ),
        Probe("text with markup", {"text": '<b>"quoted"</b> & {json: [1, 2]}\n\tnew line \\ backslash %s %(x)s'}),
    )


@functools.cache
def _images() -> tuple[Probe, ...]:
    return tuple(
        Probe(f"{name} image of {width}x{height}", {"image": _picture(width, height), "width": width, "height": height})
        for name, width, height in (("square", 224, 224), ("small", 16, 16), ("wide", 640, 120), ("tall", 90, 480))
    )


@functools.cache
def _images_and_texts() -> tuple[Probe, ...]:
    return (
        Probe(
            "text with one image",
            {"text": "What is in this picture? ##{image_0}", "images": [_picture(224, 224)]},
        ),
        Probe(
            "text with two images",
            {
                "text": "First ##{image_0} and then ##{image_1}, side by side.",
                "images": [_picture(64, 64), _picture(320, 200)],
            },
        ),
        Probe("text without images", {"text": "There is no picture here.", "images": []}),
        Probe("Unicode text with one image", {"text": "你好 ##{image_0} 👋", "images": [_picture(16, 16)]}),
    )


@functools.cache
def _picture(width: int, height: int) -> str:
    """A JPEG with gradients and a block of another colour, as base64: the same bytes for the same size."""
    red = Image.linear_gradient("L").resize((width, height))
    green = red.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    blue = Image.radial_gradient("L").resize((width, height))
    picture = Image.merge("RGB", (red, green, blue))
    picture.paste((200, 30, 60), (width // 4, height // 4, width // 2, height // 2))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
