"""The payload of each modality: the same bytes for every model, on every machine, so that results compare."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

SEED = 20_240_601
TEXT_CHARACTERS = 1000
LONG_TEXT_CHARACTERS = 2000
IMAGE_SIDE = 224
LARGE_IMAGE_SIDE = 640
PLACEHOLDER = "##{image_0}"
_WORDS = (  # noqa: SIM905 - 150 quoted words are harder to read
    "the of and to in is that it was for on are with they be at this have from or had by but what some we can out "
    "other were all there when up use your how said an each she which do their time if will way about many then them "
    "write would like so these her long make thing see him two has look more day could go come did number sound no "
    "most people my over know water than call first who may down side been now find any new work part take get place "
    "made live where after back little only round man year came show every good me give our under name very through "
    "just form sentence great think say help low line differ turn cause much mean before move right boy old too same "
    "tell does set three want air well also play small end put home read hand port large spell add even land here"
).split()


@dataclass(frozen=True)
class Payload:
    """One MOP input."""

    modality: str
    item: dict[str, Any]

    @property
    def body(self) -> bytes:
        """The item as JSON."""
        return json.dumps(self.item, separators=(",", ":")).encode("ascii")

    @property
    def sha256(self) -> str:
        """Of the body."""
        return hashlib.sha256(self.body).hexdigest()


def payload_for(modality: str) -> Payload:
    """Text: 1,000 characters. Image: a 224x224 JPEG. ImageAndText: 2,000 characters and a 640x640 JPEG.

    Raises:
        ValueError: another modality.
    """
    makers = {"Text": _text_item, "Image": _image_item, "ImageAndText": _image_and_text_item}
    if modality not in makers:
        raise ValueError(f"unknown modality {modality!r}")
    return Payload(modality, makers[modality]())


def _text_item() -> dict[str, Any]:
    return {"text": _text(TEXT_CHARACTERS)}


def _image_item() -> dict[str, Any]:
    return {"image": _base64(picture(IMAGE_SIDE)), "width": IMAGE_SIDE, "height": IMAGE_SIDE}


def _image_and_text_item() -> dict[str, Any]:
    text = f"{PLACEHOLDER} {_text(LONG_TEXT_CHARACTERS - len(PLACEHOLDER) - 1)}"
    return {"text": text, "images": [_base64(picture(LARGE_IMAGE_SIDE))]}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@functools.cache
def _text(characters: int) -> str:
    """Sentences of common words, exactly so long."""
    from numpy.random import PCG64  # noqa: PLC0415 - `mop --help` needs no numpy

    # the generator's raw output is the same in every version of numpy
    numbers = PCG64(SEED).random_raw(characters).tolist()
    words = [_WORDS[number % len(_WORDS)] for number in numbers]
    sentences = (" ".join(words[start : start + 9]).capitalize() + "." for start in range(0, len(words), 9))
    return " ".join(sentences)[: characters - 1] + "."


@functools.cache
def picture(side: int) -> bytes:
    """A square JPEG with gradients, discs and grain: a file, because an encoder's output changes with its version."""
    return resources.files("mop.loadtest").joinpath("pictures", f"{side}.jpg").read_bytes()
