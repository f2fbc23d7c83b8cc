"""A baseline JPEG encoder in whole numbers only, so that the same picture gives the same bytes everywhere.

An imaging library's output changes with its version and with the processor. This one has what ITU-T T.81 demands of
an encoder and nothing more: no subsampling, one quantization table, and Huffman codes of equal length, which cost size
and save two long tables.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIDE = 8
# 4096 / 2 * cos(m * pi / 16), m = 0..8
_HALF_COSINES = (2048, 2009, 1892, 1703, 1448, 1138, 784, 400, 0)
_ROOT = 1448  # 4096 * sqrt(1 / 8)
_SCALE = 24  # bits, after two multiplications by 4096
# rows: Y, Cb, Cr of ITU-T T.871 in 1/65536
_YCC = ((19595, 38470, 7471), (-11059, -21709, 32768), (32768, -27439, -5329))
_ZIGZAG = sorted(
    ((row, column) for row in range(SIDE) for column in range(SIDE)),
    key=lambda at: (sum(at), at[0] if sum(at) % 2 else -at[0]),
)
_QUANTA = tuple(4 + 3 * (row + column) for row, column in _ZIGZAG)
_DC_SYMBOLS = bytes(range(12))
_AC_SYMBOLS = bytes([0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11))])
_DC_BITS, _AC_BITS = 4, 8
_END, _SIXTEEN_ZEROS = 0x00, 0xF0
_LONGEST_RUN = 15
_AC_CODES = {symbol: code for code, symbol in enumerate(_AC_SYMBOLS)}


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG file.

    Args:
        pixels: height x width x 3, red, green, blue; height and width are multiples of 8.

    Raises:
        ValueError: of another shape.
    """
    height, width = pixels.shape[:2]
    if pixels.shape[2:] != (3,) or height % SIDE or width % SIDE:
        raise ValueError("pixels are height x width x 3, and both are multiples of 8")
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03"
    frame += b"".join(bytes((component, 0x11, 0)) for component in (1, 2, 3))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, b"\0" + bytes(_QUANTA)),
            _segment(0xC0, frame),
            _segment(0xC4, b"\x00" + _lengths(_DC_BITS, len(_DC_SYMBOLS)) + _DC_SYMBOLS),
            _segment(0xC4, b"\x10" + _lengths(_AC_BITS, len(_AC_SYMBOLS)) + _AC_SYMBOLS),
            _segment(0xDA, b"\x03\x01\0\x02\0\x03\0\0\x3f\0"),
            _packed(_codes(_coefficients(pixels))).replace(b"\xff", b"\xff\0"),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _lengths(bits: int, count: int) -> bytes:
    """How many codes there are of each length from 1 to 16 bits: all of one."""
    return bytes(count if length == bits else 0 for length in range(1, 17))


def _coefficients(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Quantized coefficients in zigzag order: blocks x 3 components x 64."""
    height, width = pixels.shape[:2]
    components = (pixels.astype(np.int64) @ np.array(_YCC).T + (1 << 15)) >> 16
    components[..., 0] -= 128  # the others are centred already
    blocks = components.reshape(height // SIDE, SIDE, width // SIDE, SIDE, 3).transpose(0, 2, 4, 1, 3)
    cosines = np.array([[_cosine(row, place) for place in range(SIDE)] for row in range(SIDE)])
    transformed = (cosines @ blocks.reshape(-1, 3, SIDE, SIDE) @ cosines.T).reshape(-1, 3, SIDE * SIDE)
    ordered = transformed[:, :, [SIDE * row + column for row, column in _ZIGZAG]]
    quanta = np.array(_QUANTA, dtype=np.int64) << _SCALE
    rounded: NDArray[np.int64] = (ordered + quanta // 2) // quanta
    return rounded


def _cosine(row: int, place: int) -> int:
    if row == 0:
        return _ROOT
    step = (2 * place + 1) * row % 32
    step = min(step, 32 - step)
    return _HALF_COSINES[step] if step <= SIDE else -_HALF_COSINES[16 - step]


def _codes(coefficients: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Codes as value and number of bits."""
    before = [0, 0, 0]
    for block in coefficients.tolist():
        for component, values in enumerate(block):
            difference = values[0] - before[component]
            before[component] = values[0]
            size = abs(difference).bit_length()
            yield size, _DC_BITS
            yield _amplitude(difference, size), size
            run = 0
            for value in values[1:]:
                if not value:
                    run += 1
                    continue
                while run > _LONGEST_RUN:
                    yield _AC_CODES[_SIXTEEN_ZEROS], _AC_BITS
                    run -= _LONGEST_RUN + 1
                size = abs(value).bit_length()
                yield _AC_CODES[run << 4 | size], _AC_BITS
                yield _amplitude(value, size), size
                run = 0
            if run:
                yield _AC_CODES[_END], _AC_BITS


def _amplitude(value: int, size: int) -> int:
    return value if value >= 0 else value + (1 << size) - 1


def _packed(codes: Iterator[tuple[int, int]]) -> bytes:
    """Bits in a row, filled up with ones."""
    data = bytearray()
    pending, count = 0, 0
    for value, bits in codes:
        pending = pending << bits | value
        count += bits
        while count >= SIDE:
            count -= SIDE
            data.append(pending >> count)
            pending &= (1 << count) - 1
    if count:
        data.append(((pending + 1) << (SIDE - count)) - 1)
    return bytes(data)
