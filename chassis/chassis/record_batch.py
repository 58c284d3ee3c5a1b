"""Kafka's record batch, format 2, from records that were encoded when they were written.

https://kafka.apache.org/documentation/#recordbatch. A relay that takes every event apart to have the client put it
together again spends three quarters of its time on that.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from functools import cache, lru_cache

import google_crc32c
from aiokafka.record.util import decode_varint

from contracts.envelope import Headers

RECORD_OVERHEAD_BYTES = 12
"""At most, for what stands before a record's key."""

_HEADER = struct.Struct(">qiibI")
"""Base offset, length of what follows it, leader epoch, format, checksum of what follows it."""
_CHECKED = struct.Struct(">hiqqqhii")
"""Attributes, last offset, first and last timestamp, the producer's id, epoch and sequence, and how many records."""
_LENGTH_COUNTS_FROM = 12


def encoded(key: bytes, headers: Headers, body: bytes) -> bytes:
    """A record from its key on: what does not depend on the batch that it will travel in."""
    parts = [_varint(len(key)), key, _varint(len(body)), body, _varint(len(headers))]
    for name, value in headers:
        written = name.encode()
        parts += (_varint(len(written)), written, _varint(len(value)), value)
    return b"".join(parts)


def decoded(record: bytes) -> tuple[bytes, Headers, bytes]:
    """Key, headers and body of what `encoded` wrote."""
    source, position = bytearray(record), 0

    def number() -> int:
        nonlocal position
        value, position = decode_varint(source, position)
        return value

    def run() -> bytes:
        nonlocal position
        length = number()
        position += length
        return record[position - length : position]

    key, body = run(), run()
    return key, [(run().decode(), run()) for _ in range(number())], body


class RecordBatch:
    """Encoded records, as aiokafka's producer takes a batch (`aiokafka.producer.message_accumulator.BatchBuilder`)."""

    def __init__(self, records: Sequence[bytes]) -> None:
        self._records = records
        self._producer = (-1, -1, -1)
        self._built: bytearray | None = None

    def record_count(self) -> int:
        return len(self._records)

    def close(self) -> None:
        """It is from the beginning."""

    def closed(self) -> bool:
        return True

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytearray:
        if self._built is None:
            self._built = self._written()
        return self._built

    def _written(self) -> bytearray:
        count, now = len(self._records), int(time.time() * 1000)
        parts = [_CHECKED.pack(0, count - 1, now, now, *self._producer, count)]
        for position, record in enumerate(self._records):
            place = _place(position)
            parts += (_varint(len(place) + len(record)), place, record)
        checked = b"".join(parts)
        length = _HEADER.size - _LENGTH_COUNTS_FROM + len(checked)
        return bytearray().join((_HEADER.pack(0, length, -1, 2, google_crc32c.value(checked)), checked))


@lru_cache(maxsize=4096)
def _varint(value: int) -> bytes:
    """A number that is not negative, zigzag and in groups of seven bits."""
    value <<= 1
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


@cache
def _place(position: int) -> bytes:
    """What stands before a record's key: attributes, the distance from the batch's timestamp, its position."""
    return b"\0\0" + _varint(position)
