"""What an image must be, and that the short way to the size of a JPEG agrees with Pillow."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mop.gateway.images import _size_of, _size_of_jpeg, check_image
from mop.gateway.wire_errors import WireError


def jpeg(width: int = 80, height: int = 60, mode: str = "RGB", **options: Any) -> bytes:
    made = io.BytesIO()
    Image.effect_noise((width, height), 50).convert(mode).save(made, "JPEG", **options)
    return made.getvalue()


EXIF = Image.Exif()
EXIF[0x010E] = "description"
KINDS: list[dict[str, Any]] = [
    {},
    {"mode": "L"},
    {"mode": "CMYK"},
    {"progressive": True},
    {"optimize": True, "quality": 95},
    {"exif": EXIF.tobytes()},
    {"comment": b"a comment"},
    {"dpi": (300, 300), "icc_profile": b"x" * 100_000},
    {"restart_marker_rows": 1},
]


@pytest.mark.parametrize("kind", KINDS, ids=[", ".join(kind) or "plain" for kind in KINDS])
def test_the_size_of_a_jpeg_is_that_which_pillow_reads(kind: dict[str, Any]):
    image = jpeg(width=301, height=57, **kind)
    assert _size_of_jpeg(image) == (301, 57) == _size_of(image)


def readable(image: bytes) -> tuple[int, int] | None:
    try:
        return _size_of(image)
    except Exception:  # noqa: BLE001 - as in `check_image`
        return None


PLAIN = jpeg()
HEAD = PLAIN.index(b"\xff\xda") + 14


def test_a_head_that_is_cut_off_is_read_as_by_pillow():
    for end in range(HEAD + 1):
        cut = PLAIN[:end]
        assert (_size_of_jpeg(cut) or readable(cut)) == readable(cut), end


@given(place=st.integers(0, HEAD - 1), value=st.integers(0, 255))
def test_where_the_short_way_finds_a_size_pillow_finds_the_same_or_a_fault_in_a_table(place: int, value: int):
    image = PLAIN[:place] + bytes([value]) + PLAIN[place + 1 :]
    found = _size_of_jpeg(image)
    assert found is None or readable(image) in (found, None)


@pytest.mark.parametrize(
    "image", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"GIF89a", b"\xff\xd8" + b"\xff\xe0\x00\x02" * 200]
)
def test_what_is_no_image_is_refused(image: bytes):
    assert _size_of_jpeg(image) is None
    with pytest.raises(WireError):
        check_image(image, "image.content")


@pytest.mark.parametrize("size", [(49, 60), (60, 49), (2049, 60), (60, 2049)])
def test_sides_have_limits_in_every_format(size: tuple[int, int]):
    for form in ("JPEG", "PNG"):
        made = io.BytesIO()
        Image.new("RGB", size).save(made, form)
        with pytest.raises(WireError, match="pixels"):
            check_image(made.getvalue(), "image.content")
