"""Bodies of image:analyze: the short way to the image finds what reading the whole JSON finds."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image

from mop.gateway.analyze_requests import read_image_request
from mop.gateway.categories import BY_NAME
from mop.gateway.wire_errors import WireError


def _image(colour: str = "red") -> str:
    made = io.BytesIO()
    Image.new("RGB", (60, 60), colour).save(made, "JPEG")
    return base64.b64encode(made.getvalue()).decode()


IMAGE, OTHER = _image(), _image("blue")
ESCAPED = IMAGE.replace("/", "\\/")


@pytest.mark.parametrize(
    "body",
    [
        f'{{"image":{{"content":"{IMAGE}"}}}}',
        f'  {{ "image" : {{ "content" :\n"{IMAGE}" }} }} ',
        f'{{"categories":["Hate"],"image":{{"content":"{IMAGE}"}}}}',
        f'{{"image":{{"content":"{IMAGE}"}},"categories":["Hate"],"outputType":"FourSeverityLevels"}}',
        f'{{"image":{{"content":"{ESCAPED}"}}}}',  # as PHP writes it
        f'{{"image":{{"content":"{IMAGE}","blobUrl":null}}}}',
        f'{{"image":{{"content":"{OTHER}","content":"{IMAGE}"}}}}',
        f'{{"image":{{"content":"{OTHER}"}},"image":{{"content":"{IMAGE}"}}}}',
        f'{{"im\\u0061ge":{{"content":"{IMAGE}"}}}}',
    ],
)
def test_an_image_is_that_which_the_json_says(body: str):
    for sent in (body.encode(), bytearray(body.encode())):
        found = read_image_request(sent)
        said = json.loads(body)
        assert bytes(found.content).decode() == said["image"]["content"] == IMAGE
        assert found.item() == b'{"image":"' + IMAGE.encode() + b'"}'
        assert found.categories == ((BY_NAME["Hate"],) if "categories" in said else None)


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (f'{{"image":{{"content":"{IMAGE}","blobUrl":"https://a"}}}}', "image"),
        (f'{{"image":{{"content":"{IMAGE}"}},"image":7}}', "image"),
        (f'{{"image":{{"content":"{IMAGE}!"}}}}', "image.content"),
        (f'{{"image":{{"content":"{IMAGE}\\n"}}}}', "image.content"),
        (f'{{"image":{{"content":"{IMAGE}"}},"categories":["Spam"]}}', "categories"),
        (f'{{"image":{{"content":"{IMAGE}"}},"outputType":"EightSeverityLevels"}}', "outputType"),
        ('{"image":{"content":""}}', "image.content"),
        ('{"image":{"content":"aGVsbG8="}}', "image.content"),
        (f'{{"image":{{"content":"{IMAGE}"}},"more":1}}', ""),
        (f'{{"image":{{"content":"{IMAGE}"}}', ""),
        (f'{{"image":{{"content":"{IMAGE}', ""),
        (f'{{"image":{{"content":"{IMAGE}"}}}} more', ""),
        (f'\v{{"image":{{"content":"{IMAGE}"}}}}', ""),
    ],
)
def test_what_is_wrong_with_a_body_is_told_as_by_the_json(body: str, target: str):
    with pytest.raises(WireError) as raised:
        read_image_request(body.encode())
    assert raised.value.target == target
