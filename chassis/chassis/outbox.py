"""The outbox: what a transaction decided to say, written with it, in an order that holds for each key."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, replace

import asyncpg

from chassis.record_batch import encoded
from contracts.envelope import Envelope
from contracts.event import Event

SHARDS = 12
"""As many as a topic has partitions, and as the outbox has tables. Stored with each row, so it can never change under
waiting rows."""

LARGEST_EVENT_BYTES = 256 * 1024

# Arrays of text only: before any other kind, each connection of asyncpg first reads the catalog, for some 20 ms.
_RAISE_HEADS = """
INSERT INTO stream_head (subject, sequence)
SELECT subject, sequence::bigint FROM unnest($1::text[], $2::text[]) AS raised (subject, sequence) ORDER BY subject
ON CONFLICT (subject) DO UPDATE SET sequence = stream_head.sequence + excluded.sequence
RETURNING subject, sequence
"""

_ADD_ROW = "INSERT INTO outbox (shard, record) VALUES ($1, $2)"


class EventTooLarge(ValueError):
    """An event above LARGEST_EVENT_BYTES. Large things are stored; events name them."""


@dataclass(slots=True)
class Saying:
    """An event that waits for its transaction's end: `envelope` lacks only its true sequence."""

    envelope: Envelope
    body: bytes

    def record(self, sequence: int) -> bytes:
        envelope = replace(self.envelope, sequence=sequence)
        return encoded(envelope.key, envelope.to_headers(), self.body)


def body_of(event: Event) -> bytes:
    """Raises EventTooLarge."""
    body = event.model_dump_json(exclude_none=True).encode()
    if len(body) > LARGEST_EVENT_BYTES:
        raise EventTooLarge(f"{event.type} has {len(body)} bytes; at most {LARGEST_EVENT_BYTES} are allowed")
    return body


def shard_of(key: bytes) -> int:
    """A stable hash: the same key is in the same shard for ever, and in the same partition of a topic."""
    return zlib.crc32(key) % SHARDS


async def write(connection: asyncpg.Connection, said: list[Saying]) -> list[int]:
    """Write all that a transaction said, as the last thing before its commit. Returns the shards written to.

    Raising the subjects' heads comes first, in sorted order: it locks them, so that no other writer's row for
    the same subject can take an id between ours and our commit, and no two writers deadlock.
    """
    counts = Counter(one.envelope.subject for one in said)
    heads = await connection.fetch(_RAISE_HEADS, list(counts), [str(count) for count in counts.values()])
    following = {row["subject"]: row["sequence"] - counts[row["subject"]] for row in heads}
    rows: list[tuple[int, bytes]] = []
    for one in said:
        following[one.envelope.subject] += 1
        rows.append((shard_of(one.envelope.key), one.record(following[one.envelope.subject])))
    await connection.executemany(_ADD_ROW, rows)  # one after another, in one exchange
    return [shard for shard, _ in rows]
