from __future__ import annotations

import base64
import io
import json
import re
import unicodedata

import pytest
from PIL import Image

from mop.onboarding.contract import MODALITIES
from mop.onboarding.probes import LONG_TEXT_CHARACTERS, probes_for


def picture(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_model_of_a_modality_gets_the_same_inputs(modality: str):
    probes = probes_for(modality)
    assert len({probe.name for probe in probes}) == len(probes) >= 4
    assert json.dumps([probe.item for probe in probes]) == json.dumps([probe.item for probe in probes_for(modality)])
    probes_for.__globals__["_picture"].cache_clear()
    probes_for.__globals__["_images"].cache_clear()
    assert [probe.item for probe in probes_for(modality)] == [probe.item for probe in probes]


def test_texts_are_short_long_nearly_empty_and_unicode():
    texts = [probe.item["text"] for probe in probes_for("Text")]
    assert all(set(probe.item) == {"text"} for probe in probes_for("Text"))
    assert max(map(len, texts)) == LONG_TEXT_CHARACTERS
    assert any(not text.strip() or len(text.strip()) <= 1 for text in texts)
    assert any(not text.isascii() for text in texts)
    assert any(ord(character) > 0xFFFF for text in texts for character in text)


def test_texts_hold_what_breaks_careless_code():
    texts = [probe.item["text"] for probe in probes_for("Text")]
    assert any("\0" in text for text in texts)
    assert any(len(word) == LONG_TEXT_CHARACTERS for text in texts for word in text.split())
    directions = {unicodedata.bidirectional(character) for text in texts for character in text}
    assert {"R", "AL", "RLO"} <= directions
    assert any(unicodedata.normalize("NFC", text) != text for text in texts)
    emoji = next(probe.item["text"] for probe in probes_for("Text") if probe.name == "emoji")
    joined = [place for place, character in enumerate(emoji) if character == "\u200d"]
    assert len(joined) > 100  # between the people of a family: a cut there makes other signs of them
    for text in texts:
        text.encode()  # no halves of surrogate pairs: what goes over HTTP is UTF-8


def test_images_are_jpegs_of_the_size_that_is_told():
    sizes = set()
    for probe in probes_for("Image"):
        image = picture(probe.item["image"])
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert image.size == (probe.item["width"], probe.item["height"])
        sizes.add(image.size)
    assert len(sizes) >= 3
    assert any(width != height for width, height in sizes)


def test_every_placeholder_of_a_text_has_its_image():
    counts = set()
    for probe in probes_for("ImageAndText"):
        places = re.findall(r"##\{image_(\d+)\}", probe.item["text"])
        assert [int(place) for place in places] == list(range(len(probe.item["images"])))
        for image in probe.item["images"]:
            picture(image).verify()
        counts.add(len(places))
    assert {0, 1, 2} <= counts


def test_an_unknown_modality_is_a_bug():
    with pytest.raises(ValueError, match="Sound"):
        probes_for("Sound")
