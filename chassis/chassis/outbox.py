"""The outbox: what a transaction decided to say, written with it, in an order that holds for each key."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import asyncpg

from contracts.envelope import Envelope, Headers
from contracts.event import Event
from contracts.ids import EventId

SHARDS = 12
"""As many as a topic has partitions. Stored with each row, so it can never change under waiting rows."""

LARGEST_EVENT_BYTES = 256 * 1024

_HEADER_NAMES = (
    "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "ce_sequence", "ce_correlationid",
    "ce_causationid", "traceparent",
)  # fmt: skip
_CONSTANT_HEADERS: Headers = [("ce_specversion", b"1.0"), ("content-type", b"application/json")]

_RAISE_HEADS = """
INSERT INTO stream_head (subject, sequence)
SELECT * FROM unnest($1::text[], $2::bigint[]) AS raised (subject, sequence) ORDER BY subject
ON CONFLICT (subject) DO UPDATE SET sequence = stream_head.sequence + excluded.sequence
RETURNING subject, sequence
"""

_ADD_ROWS = """
INSERT INTO outbox (shard, key, headers, body)
SELECT shard, key, headers, body
FROM unnest($1::smallint[], $2::bytea[], $3::bytea[], $4::bytea[])
     WITH ORDINALITY AS said (shard, key, headers, body, position)
ORDER BY position
"""


class EventTooLarge(ValueError):
    """An event above LARGEST_EVENT_BYTES. Large things are stored; events name them."""


@dataclass(slots=True)
class Saying:
    """An event that waits for its transaction's end to get its sequence."""

    id: EventId
    type: str
    subject: str
    body: bytes


def saying(id: EventId, event: Event, subject: str) -> Saying:
    body = event.model_dump_json(exclude_none=True).encode()
    if len(body) > LARGEST_EVENT_BYTES:
        raise EventTooLarge(f"{event.type} has {len(body)} bytes; at most {LARGEST_EVENT_BYTES} are allowed")
    return Saying(id, event.type, subject, body)


def shard_of(key: bytes) -> int:
    """A stable hash: the same key is in the same shard for ever, and in the same partition of a topic."""
    return zlib.crc32(key) % SHARDS


async def write(connection: asyncpg.Connection, said: list[Saying], envelope: Envelope) -> list[int]:
    """Write all that a transaction said, as the last thing before its commit. Returns the shards written to.

    Raising the subjects' heads comes first, in sorted order: it locks them, so that no other writer's row for
    the same subject can take an id between ours and our commit, and no two writers deadlock. `envelope` is the
    pattern from which each event's own is made.
    """
    counts: dict[str, int] = {}
    for one in said:
        counts[one.subject] = counts.get(one.subject, 0) + 1
    heads = await connection.fetch(_RAISE_HEADS, list(counts), list(counts.values()))
    following = {row["subject"]: row["sequence"] - counts[row["subject"]] for row in heads}
    keys, headers = [], []
    for one in said:
        following[one.subject] += 1
        keys.append(one.subject.encode())
        headers.append(_packed(one, envelope, following[one.subject]))
    shards = [shard_of(key) for key in keys]
    await connection.execute(_ADD_ROWS, shards, keys, headers, [one.body for one in said])
    return shards


def _packed(one: Saying, envelope: Envelope, sequence: int) -> bytes:
    values = (
        one.id, one.type, envelope.source, envelope.time.isoformat(), one.subject, str(sequence),
        envelope.correlation_id, envelope.causation_id or "", envelope.traceparent or "",
    )  # fmt: skip
    return "\n".join(values).encode()


def unpacked(headers: bytes) -> Headers:
    """The record headers of an outbox row, ready for the broker."""
    named = [(name, value) for name, value in zip(_HEADER_NAMES, headers.split(b"\n"), strict=True) if value]
    return _CONSTANT_HEADERS + named
