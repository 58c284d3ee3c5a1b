"""A record as it came from the broker."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import NamedTuple

from pydantic_core import to_json

from contracts.envelope import Headers

LONGEST_KEY_BYTES = 256
"""Of a key that is stored as it is. Ours have some forty."""


class Record(NamedTuple):
    """Raw, and not trusted: any of it may be garbage."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: Headers
    body: bytes
    said_at: float = 0.0
    """Seconds since the epoch by the broker's or the producer's clock; 0 where it is not known."""

    @property
    def key_text(self) -> str:
        """The key as text that any database index takes: what is not UTF-8 is escaped, what is too long is hashed."""
        if len(self.key) > LONGEST_KEY_BYTES:
            return f"sha256:{hashlib.sha256(self.key).hexdigest()}"
        return self.key.decode("utf-8", "backslashreplace").replace("\0", "\\x00")

    def packed(self) -> bytes:
        """As bytes, for storing."""
        parts = {"as": "base64", "key": self.key, "headers": self.headers, "body": self.body}
        return to_json(parts, bytes_mode="base64")

    @classmethod
    def unpacked(cls, packed: bytes, *, topic: str, partition: int, offset: int) -> Record:
        stored = json.loads(packed)
        read = base64.urlsafe_b64decode if stored.get("as") == "base64" else base64.b85decode  # that was how, at first
        headers = [(name, read(value)) for name, value in stored["headers"]]
        return cls(topic, partition, offset, read(stored["key"]), headers, read(stored["body"]))
