"""A file sealed in authenticated chunks: AES-256-GCM in the STREAM construction.

A file is a header (magic and a random 7-byte nonce prefix), then chunks of 256 KiB, each followed by its
16-byte tag. A chunk's nonce is the prefix, the chunk's number and whether it is the last, so that a chunk
which is missing, repeated, moved, or taken from another file fails to open. Nothing is handed out before its
tag was checked.

Source: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance" (2015), section 7.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"stwseal1"
PREFIX_BYTES: Final = 7
HEADER_BYTES: Final = len(MAGIC) + PREFIX_BYTES
CHUNK_BYTES: Final = 256 * 1024
TAG_BYTES: Final = 16
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES


class SealBroken(Exception):
    """What was read is not what was written: cut off, altered, out of order, or under another key."""


def new_file_key() -> bytes:
    """A key for one file and no other."""
    return AESGCM.generate_key(bit_length=256)


class _Chunks:
    """Numbers the chunks of one file."""

    def __init__(self, key: bytes, header: bytes) -> None:
        self._cipher = AESGCM(key)
        self._header = header
        self._number = 0

    def seal(self, clear: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._next_nonce(last), clear, self._header)

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._next_nonce(last), sealed, self._header)
        except InvalidTag:
            raise SealBroken(f"chunk {self._number} of a sealed file does not open") from None

    def _next_nonce(self, last: bool) -> bytes:
        prefix = self._header[len(MAGIC) :]
        nonce = prefix + self._number.to_bytes(4) + bytes([last])
        self._number += 1
        return nonce


class Sealer:
    """Seals one file, a piece of any size at a time. Holds at most one chunk."""

    def __init__(self, key: bytes) -> None:
        self._header = MAGIC + secrets.token_bytes(PREFIX_BYTES)
        self._chunks = _Chunks(key, self._header)
        self._waiting = bytearray()
        self._begun = False

    def update(self, clear: bytes) -> bytes:
        """What can be written already; often nothing. One chunk waits, as only `finish` knows the last."""
        self._waiting += clear
        ready = bytearray(self._begin())
        while len(self._waiting) > CHUNK_BYTES:
            ready += self._chunks.seal(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]
        return bytes(ready)

    def finish(self) -> bytes:
        """The rest of the file."""
        return self._begin() + self._chunks.seal(bytes(self._waiting), last=True)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return self._header


class Opener:
    """Opens one sealed file, a piece of any size at a time. Holds at most one chunk. Raises SealBroken."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._chunks: _Chunks | None = None
        self._waiting = bytearray()

    def update(self, sealed: bytes) -> bytes:
        """The clear bytes proven so far: a true beginning of the file, not yet proven to be all of it."""
        self._waiting += sealed
        chunks = self._begin()
        if chunks is None:
            return b""
        clear = bytearray()
        while len(self._waiting) > SEALED_CHUNK_BYTES:
            clear += chunks.open(bytes(self._waiting[:SEALED_CHUNK_BYTES]), last=False)
            del self._waiting[:SEALED_CHUNK_BYTES]
        return bytes(clear)

    def finish(self) -> bytes:
        """The rest of the clear bytes; proves that none are missing."""
        chunks = self._begin()
        if chunks is None:
            raise SealBroken("a sealed file ends inside its header")
        return chunks.open(bytes(self._waiting), last=True)

    def _begin(self) -> _Chunks | None:
        if self._chunks is None and len(self._waiting) >= HEADER_BYTES:
            header = bytes(self._waiting[:HEADER_BYTES])
            if not header.startswith(MAGIC):
                raise SealBroken("not a sealed file")
            del self._waiting[:HEADER_BYTES]
            self._chunks = _Chunks(self._key, header)
        return self._chunks
