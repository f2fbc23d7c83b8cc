from __future__ import annotations

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mop.trials.sealing import KEY_BYTES, SealError, decrypt, encrypt, open_with, seal_for


def test_the_worker_that_made_the_key_opens_what_was_sealed_for_it_and_nobody_else():
    own, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sealed = seal_for(own.public_key().public_bytes_raw(), b"somebody's words")
    assert b"somebody" not in sealed
    assert open_with(own, sealed) == b"somebody's words"
    with pytest.raises(SealError):
        open_with(other, sealed)


@pytest.mark.parametrize("place", [0, 31, 32, -1])
def test_a_changed_byte_is_noticed(place: int):
    own = X25519PrivateKey.generate()
    sealed = bytearray(seal_for(own.public_key().public_bytes_raw(), b"words"))
    sealed[place] ^= 1
    with pytest.raises(SealError):
        open_with(own, bytes(sealed))


def test_the_same_words_look_different_each_time():
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    assert seal_for(public, b"words") != seal_for(public, b"words")


@pytest.mark.parametrize("key", [b"", b"short", bytes(KEY_BYTES)], ids=["empty", "short", "another"])
def test_an_answer_is_read_with_its_key_alone(key: bytes):
    own = secrets.token_bytes(KEY_BYTES)
    sealed = encrypt(own, b"answer")
    assert decrypt(own, sealed) == b"answer"
    with pytest.raises(SealError):
        decrypt(key, sealed)


@pytest.mark.parametrize("sealed", [b"", b"x", bytes(40)], ids=["empty", "short", "zeros"])
def test_what_was_not_sealed_is_refused(sealed: bytes):
    with pytest.raises(SealError):
        decrypt(secrets.token_bytes(KEY_BYTES), sealed)
    with pytest.raises(SealError):
        open_with(X25519PrivateKey.generate(), sealed)
