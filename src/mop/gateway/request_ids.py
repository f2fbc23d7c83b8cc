"""Request ids: random UUIDs (version 4) as texts, made from bytes that are fetched many at a time."""

from __future__ import annotations

import os

BYTES = 16
FETCHED_IDS = 256


class RequestIds:
    """Makes ids; one system call for hundreds of them, where each `uuid.uuid4()` is one."""

    def __init__(self) -> None:
        self._bytes = b""
        self._place = 0

    def next(self) -> str:
        """An id that was never given before."""
        if self._place == len(self._bytes):
            self._bytes, self._place = os.urandom(BYTES * FETCHED_IDS), 0
        begin, self._place = self._place, self._place + BYTES
        digits = self._bytes[begin : self._place].hex()
        # RFC 9562, 5.4: the version is 4, and the variant's two bits are 10
        variant = "89ab"[self._bytes[begin + 8] >> 6]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
