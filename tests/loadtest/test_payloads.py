from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mop.loadtest.jpeg import encode
from mop.loadtest.payloads import payload_for, picture


@pytest.mark.parametrize(
    ("modality", "sha256"),
    [
        ("Text", "16bf0a8a2ed41849721a8001c6b5fb46007c28954780609a6c13a1ee7273f36c"),
        ("Image", "e5653ac4f8a2689261217184aa9f4b2b342c021676c39043ccacc4ff85cc53df"),
        ("ImageAndText", "eab231377724ab234ed18fd7203320b898cff8a7210a796ec4465457fa642814"),
    ],
)
def test_the_payload_of_a_modality_is_the_same_bytes_everywhere(modality: str, sha256: str):
    assert payload_for(modality).sha256 == sha256


def test_text_has_a_thousand_characters():
    assert len(payload_for("Text").item["text"]) == 1000


def test_an_image_is_a_jpeg_of_224_by_224():
    item = payload_for("Image").item
    image = Image.open(io.BytesIO(base64.b64decode(item["image"])))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (224, 224))
    assert (item["width"], item["height"]) == image.size


def test_image_and_text_has_two_thousand_characters_and_one_jpeg_of_640_by_640():
    item = payload_for("ImageAndText").item
    assert len(item["text"]) == 2000
    assert item["text"].count("##{image_0}") == 1
    (encoded,) = item["images"]
    image = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 640))


def test_another_modality_has_no_payload():
    with pytest.raises(ValueError, match="unknown modality"):
        payload_for("Sound")


def test_the_picture_is_no_plain_area():
    # a model's own decoder and scaler have something to do
    assert 10_000 < len(picture(224)) < 40_000
    assert 50_000 < len(picture(640)) < 150_000


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32), st.sampled_from(["flat", "noise"]))
def test_what_is_encoded_is_decoded_by_others_to_nearly_the_same(rows: int, columns: int, seed: int, kind: str):
    random = np.random.Generator(np.random.PCG64(seed))
    shape = (8 * rows, 8 * columns, 3)
    if kind == "flat":
        pixels = np.broadcast_to(random.integers(0, 256, 3), shape).astype(np.uint8)
    else:
        pixels = random.integers(0, 256, shape).astype(np.uint8)
    decoded = np.asarray(Image.open(io.BytesIO(encode(pixels)))).astype(int)
    assert decoded.shape == shape
    assert np.abs(decoded - pixels).mean() < (4 if kind == "flat" else 25)


def test_a_size_that_is_no_multiple_of_eight_is_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        encode(np.zeros((8, 9, 3), dtype=np.uint8))
