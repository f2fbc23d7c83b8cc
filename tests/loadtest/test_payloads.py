from __future__ import annotations

import base64
import hashlib
import io

import pytest
from PIL import Image

from mop.loadtest.payloads import payload_for, picture


@pytest.mark.parametrize(
    ("modality", "sha256"),
    [
        ("Text", "16bf0a8a2ed41849721a8001c6b5fb46007c28954780609a6c13a1ee7273f36c"),
        ("Image", "0c9983d4f9af7856617c8289d46bf4f4af7bcac682cbccdc501f788a62828694"),
        ("ImageAndText", "3e05b494c2aff7f80263a685885b1dfe7b96ceda42e165b09d5fbefa30223279"),
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


@pytest.mark.parametrize(
    ("side", "sha256"),
    [
        (224, "3f6eaff0bc521287dfec38fce7c7f7d8065c8390d81c7c3155f4a47f765f4885"),
        (640, "2ee3aac63b2dd264a60c83aacc48d50857dc96ab7a740a80b39774c4e7ad65d1"),
    ],
)
def test_the_pictures_are_the_files_that_were_made_once(side: int, sha256: str):
    assert hashlib.sha256(picture(side)).hexdigest() == sha256


def test_the_picture_is_no_plain_area():
    # a model's own decoder and scaler have something to do
    assert 10_000 < len(picture(224)) < 40_000
    assert 50_000 < len(picture(640)) < 150_000
