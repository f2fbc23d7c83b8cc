"""MOP's own inputs: what every model of a modality must answer by contract."""

from __future__ import annotations

import base64
import functools
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mop.deferred import deferred

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = deferred("PIL.Image")


LONG_TEXT_CHARACTERS = 5000
# Each is one sign to the reader and several characters to Python: 👩‍👩‍👧‍👦 is seven, 🏳️‍🌈 four, 🇩🇪 two, 👍🏽 two
EMOJI = "👩\u200d👩\u200d👧\u200d👦🏳\ufe0f\u200d🌈🇩🇪👍\U0001f3fd"
COMBINING = (
    "Cre\u0300me bru\u0302le\u0301e, Z\u0351\u036b\u0343\u036a\u0302a\u0348\u0353\u0331l\u0347\u0333go\u0338, "
    "नमस्ते, ส้มตำ"
)
RIGHT_TO_LEFT = "שלום עולם, مرحبا بالعالم (123) \u202eabc\u202c end"


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
        Probe("Unicode text", {"text": "Füße, 你好, здравствуйте, \U0001d518, \u00a0\u2028 and \ufeff"}),
        Probe("emoji", {"text": EMOJI * 60}),  # longer than usual limits of tokens, so that most cuts break a sign
        Probe("combining characters", {"text": COMBINING}),
        Probe("right-to-left text", {"text": RIGHT_TO_LEFT}),
        Probe("text with NUL", {"text": "before\x00after"}),
        Probe("very long word", {"text": "antidisestablishment" * (LONG_TEXT_CHARACTERS // 20)}),
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
        Probe(
            "Unicode text with one image",
            {"text": f"你好 {EMOJI} ##{{image_0}} {COMBINING} {RIGHT_TO_LEFT} \x00", "images": [_picture(16, 16)]},
        ),
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
