"""Images of every kind that files may hold."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from datasets.made import IMAGE_HEADER, both_spec, image_row, image_spec, in_base64, picture, places, read, table
from mop.datasets.reading import FaultKind, Limits
from mop.datasets.reading.images import decoding_bytes, examine

LIMITS = Limits()
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
K = FaultKind


def examined(data: bytes, limits: Limits = LIMITS) -> object:
    return examine(in_base64(data).encode(), limits)


def frames(form: str, count: int, size: tuple[int, int] = (16, 12)) -> bytes:
    """An animated image whose frames differ."""
    pictures = [Image.new("RGB", size, (n * 20 % 256, n * 7 % 256, n % 256)) for n in range(count)]
    file = io.BytesIO()
    pictures[0].save(file, form, save_all=True, append_images=pictures[1:])
    return file.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        picture(form="JPEG"),
        picture(form="JPEG", mode="CMYK"),
        picture(form="JPEG", mode="L"),
        picture(form="JPEG", progressive=True),
        picture(form="JPEG", exif=exif(6)),
        picture(mode="P"),
        picture(mode="1"),
        picture(mode="I;16"),
        picture(mode="RGBA"),
        picture(form="GIF"),
        picture(form="BMP"),
        picture(form="WEBP"),
        picture(form="WEBP", lossless=True),
        picture(form="TIFF"),
        picture(form="TIFF", mode="CMYK", compression="tiff_lzw"),
    ],
    ids=lambda data: data[:4].hex(),
)
def test_an_image_that_decodes_to_the_end_has_its_size(data: bytes):
    assert examined(data) == (None, (8, 6))


def test_a_rotated_image_has_the_size_that_is_stored():
    data = picture(form="JPEG", exif=exif(6))
    rows = image_row(data, width=8, height=6, label="0"), image_row(data, width=6, height=8, label="1")
    assert places(read(table(IMAGE_HEADER, *rows), image_spec())) == {
        (K.WRONG_IMAGE_SIZE, "image_width_pixels", (3,)),
        (K.WRONG_IMAGE_SIZE, "image_height_pixels", (3,)),
    }


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_truncated_image_is_found_although_its_header_is_sound(form: str, share: float):
    noise = Image.frombytes("RGB", (64, 48), random.Random(1).randbytes(64 * 48 * 3))  # noqa: S311 - no secret
    file = io.BytesIO()
    noise.save(file, form)
    data = file.getvalue()
    assert examined(data) == (None, (64, 48))
    assert examined(data[: int(len(data) * share)]).fault in {K.BROKEN_IMAGE, K.NOT_AN_IMAGE}


def test_half_a_jpeg_passes_by_its_header_and_is_found_all_the_same():
    data = picture(200, 200, form="JPEG", quality=95)
    half = data[: len(data) // 2]
    with Image.open(io.BytesIO(half)) as image:
        image.verify()
    assert examined(half).fault is K.BROKEN_IMAGE


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animated_image_is_decoded_to_its_last_frame(form: str):
    data = frames(form, 5)
    assert examined(data) == (None, (16, 12))
    assert examined(data[: int(len(data) * 0.8)]).fault in {K.BROKEN_IMAGE, K.NOT_AN_IMAGE}


def test_all_frames_count_towards_the_limit_of_pixels():
    assert examined(frames("GIF", 5), Limits(pixels=5 * 16 * 12)).fault is None
    assert examined(frames("GIF", 5), Limits(pixels=5 * 16 * 12 - 1)).fault is K.TOO_MANY_PIXELS
    assert examined(frames("GIF", 5, (1, 1)), Limits(frames=4)).fault is K.TOO_MANY_PIXELS


def png(width: int, height: int) -> bytes:
    """A PNG whose header tells a size; its data are short."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(8000, 8000), (12_000, 12_000), (40_000, 40_000), (2**31 - 1, 2**31 - 1)])
def test_more_pixels_than_the_limit_are_told_by_the_header_and_never_decoded(size: tuple[int, int]):
    assert examined(png(*size)).fault is K.TOO_MANY_PIXELS


def test_an_image_of_8000_by_8000_is_too_large_and_is_taken_with_a_higher_limit():
    file = io.BytesIO()
    Image.new("L", (8000, 8000), 90).save(file, "JPEG")
    data = file.getvalue()
    row = image_row(data, width=8000, height=8000, label="0")
    sound = image_row(picture(), label="1")
    assert places(read(table(IMAGE_HEADER, row, sound), image_spec())) == {(K.TOO_MANY_PIXELS, "base64_image", (2,))}
    assert read(table(IMAGE_HEADER, row, sound), image_spec(pixels=64_000_000)).is_clean


def test_a_decompression_bomb_is_not_decoded_whole():
    # deflated zeros that claim to be a small picture: the decoder takes what the picture needs
    data = png(10, 10).replace(zlib.compress(b"\0" * 1000), zlib.compress(b"\0" * 20_000_000))
    assert examined(data).fault in {None, K.BROKEN_IMAGE}


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_ends_otherwise_than_in_a_verdict(seed: int):
    generator = random.Random(seed)  # noqa: S311 - no secret
    form = generator.choice(("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"))
    data = bytearray(frames(form, 3) if form in {"GIF", "WEBP", "TIFF"} else picture(40, 30, form=form))
    for _ in range(generator.randint(1, 12)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    assert examined(bytes(data)).fault in {None, K.BROKEN_IMAGE, K.NOT_AN_IMAGE, K.TOO_MANY_PIXELS}


def test_formats_that_models_do_not_read_are_no_images():
    image = Image.new("RGB", (8, 6))
    for form in ("PPM", "ICO", "TGA", "PCX", "EPS"):
        file = io.BytesIO()
        image.save(file, form)
        assert examined(file.getvalue()).fault is K.NOT_AN_IMAGE, form


@pytest.mark.parametrize("cell", [b"ab==cd", b"a", b"ab=", b"a b=", b"YWJj\x00", b"-_==", b"====", b"YQ==\n"])
def test_base64_is_strict(cell: bytes):
    assert examine(cell, LIMITS).fault is K.BAD_BASE64


def test_images_and_texts_of_one_row():
    image = in_base64(picture())
    header = ("text", "image_0", "image_1", "image_2", "label")
    data = table(
        header,
        ("no image at all", "", "", "", "0"),
        ("##{image_0} then ##{image_1}", image, image, "", "1"),
        ("an image that no text names", image, "", "", "1"),
        ("##{image_0}##{image_1}##{image_2}", image, image, image, "1"),
    )
    report = read(data, both_spec())
    assert report.is_clean
    assert report.rows == 4


def test_20_images_in_a_row():
    image = in_base64(picture())
    header = ("text", *(f"image_{n}" for n in range(20)), "label")
    text = " ".join(f"##{{image_{n}}}" for n in range(20))
    data = table(header, (text, *[image] * 20, "1"), ("none", *[""] * 20, "0"))
    assert read(data, both_spec()).is_clean


MB = 1_000_000


@pytest.mark.parametrize(
    ("data", "memory"),
    [
        (picture(1000, 1000, form="JPEG"), 0.0625),
        (picture(1000, 1000, form="JPEG", progressive=True, subsampling=2), 3.1),
        (picture(1000, 1000, form="JPEG", progressive=True, subsampling=0), 6.1),
        (picture(1000, 1000, form="JPEG", mode="CMYK", progressive=True), 8.1),
        (picture(1000, 1000, mode="P"), 1),
        (picture(1000, 1000, mode="I;16"), 2),
        (picture(1000, 1000), 4),
        (picture(1000, 1000, form="TIFF", compression="tiff_lzw"), 4),
        (picture(1000, 1000, form="GIF"), 12),
        (picture(1000, 1000, form="WEBP"), 16),
    ],
    ids=["jpeg", "half colours", "progressive", "cmyk", "palette", "16 bits", "png", "tiff", "gif", "webp"],
)
def test_an_image_that_takes_more_memory_than_it_may_is_refused_before_it_is_decoded(data: bytes, memory: float):
    with Image.open(io.BytesIO(data)) as image:
        assert decoding_bytes(image) == pytest.approx(memory * MB, rel=0.1)
    cell = in_base64(data).encode()
    needed = int(memory * MB * 1.1) + 4 * len(cell)
    assert examine(cell, Limits(image_memory_bytes=needed)).fault is None
    assert examine(cell, Limits(image_memory_bytes=int(memory * MB * 0.9))).fault is K.IMAGE_NEEDS_MEMORY
    # the other images of the row stand in memory too
    assert examine(cell, Limits(image_memory_bytes=needed), row_bytes=MB).fault is K.IMAGE_NEEDS_MEMORY


def test_padding_of_base64_that_is_too_long_is_found():
    assert examine(in_base64(picture(form="JPEG")).rstrip("=").encode() + b"=====", LIMITS).fault is K.BAD_BASE64
    assert examine(b"QQQQ=", LIMITS).fault is K.BAD_BASE64
