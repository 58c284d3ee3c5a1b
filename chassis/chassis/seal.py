"""Seals what must not lie in the clear in the database: parked records and kept answers."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_SHORTEST_KEY: Final = 32


class SealBroken(ValueError):
    """What was to be opened was not sealed with this key in this context, or has been changed since."""


class Seal:
    """AES-256-GCM under a key derived from the seal key.

    Sealed bytes are a version byte, a random nonce of 12 bytes, then the ciphertext with its tag. The context
    says where the bytes belong (a table and a row): moved elsewhere, they do not open.
    """

    def __init__(self, key: str) -> None:
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"the seal key has {len(key)} characters; at least {_SHORTEST_KEY} are needed")
        derivation = HKDF(SHA256(), length=32, salt=None, info=b"stillwater seal, version 1")
        self._cipher = AESGCM(derivation.derive(key.encode()))

    def seal(self, clear: bytes, *, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, clear, _VERSION + context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Raises SealBroken; its text tells nothing of the content."""
        version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if version != _VERSION:
            raise SealBroken("sealed by a version that is not known here")
        if len(rest) < _TAG_BYTES:
            raise SealBroken("the sealed bytes are cut short")
        try:
            return self._cipher.decrypt(nonce, rest, _VERSION + context)
        except InvalidTag:
            raise SealBroken("sealed with another key, for another place, or changed since") from None
