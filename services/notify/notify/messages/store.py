"""The table of messages: what became of each decision to tell somebody something. And of what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg

from contracts.ids import MessageId
from contracts.notify import Channel
from notify.messages.model import Due

Connection = asyncpg.Connection


class Fate(StrEnum):
    WAITING = "waiting"
    """For an hour at which a text may be sent."""
    DECIDED = "decided"
    """On its way to the mail server or carrier."""
    SENT = "sent"
    """Taken by the mail server or carrier."""
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """No longer true, or no longer allowed, when it was about to be sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """One decision to tell somebody something by one channel."""

    id: MessageId
    patient_id: str
    purpose: str
    channel: Channel
    template: str
    about: str | None
    fate: Fate
    round: int
    cause: str | None
    reference: str | None
    said: str | None
    decided_at: datetime
    fated_at: datetime
    made_at: datetime
    """By the machine's clock."""

    @property
    def due(self) -> Due:
        return Due(self.purpose, self.template, self.channel, self.about)


async def decide(connection: Connection, id: MessageId, patient_id: str, due: Due, fate: Fate, now: datetime) -> bool:
    """Returns False where this was decided before, for the same purpose and channel."""
    new = await connection.fetchval(
        "INSERT INTO message "
        "(id, patient_id, purpose, channel, template, about, fate, decided_at, fated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (purpose, channel) DO NOTHING RETURNING true",
        id,
        patient_id,
        due.purpose,
        due.channel,
        due.template,
        due.about,
        fate,
        now,
    )
    return new is not None


async def decided(connection: Connection, patient_id: str) -> set[tuple[str, str]]:
    """Purpose and channel of the latest messages to a person."""
    rows = await connection.fetch(
        "SELECT purpose, channel FROM message WHERE patient_id = $1 ORDER BY id DESC LIMIT 200", patient_id
    )
    return {(row["purpose"], row["channel"]) for row in rows}


async def message(connection: Connection, id: str) -> Message | None:
    row = await connection.fetchrow("SELECT * FROM message WHERE id = $1", id)
    return _message(row) if row else None


async def lock_message(connection: Connection, id: str) -> Message | None:
    row = await connection.fetchrow("SELECT * FROM message WHERE id = $1 FOR UPDATE", id)
    return _message(row) if row else None


async def set_fate(
    connection: Connection,
    id: str,
    fate: Fate,
    now: datetime,
    *,
    cause: str | None = None,
    reference: str | None = None,
    said: str | None = None,
) -> None:
    await connection.execute(
        "UPDATE message SET fate = $2, fated_at = $3, cause = $4, reference = coalesce($5, reference), "
        "said = coalesce($6, said) WHERE id = $1",
        id,
        fate,
        now,
        cause,
        reference,
        said,
    )


async def keep_said(connection: Connection, id: str, said: str) -> None:
    """What a message said, where its fate was known before that."""
    await connection.execute("UPDATE message SET said = $2 WHERE id = $1", id, said)


async def next_round(connection: Connection, id: str, now: datetime) -> int:
    """Count a task for the message: the first, or another after one that ended without sending."""
    row = await connection.fetchrow(
        "UPDATE message SET fate = $3, fated_at = $2, round = round + 1 WHERE id = $1 RETURNING round",
        id,
        now,
        Fate.DECIDED,
    )
    assert row is not None, "a message is never deleted"
    return row["round"]


async def messages_to(connection: Connection, patient_id: str, before: str, limit: int) -> list[Message]:
    """The latest first."""
    rows = await connection.fetch(
        "SELECT * FROM message WHERE patient_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3", patient_id, before, limit
    )
    return [_message(row) for row in rows]


async def messages(connection: Connection, fate: Fate | None, before: str, limit: int) -> list[Message]:
    """The latest first."""
    rows = await (
        connection.fetch("SELECT * FROM message WHERE id < $1 ORDER BY id DESC LIMIT $2", before, limit)
        if fate is None
        else connection.fetch(
            "SELECT * FROM message WHERE fate = $3 AND id < $1 ORDER BY id DESC LIMIT $2", before, limit, fate
        )
    )
    return [_message(row) for row in rows]


async def note_reply(connection: Connection, sid: str, meaning: str, now: datetime) -> bool:
    """Returns False where the carrier told of this reply before."""
    new = await connection.fetchval(
        "INSERT INTO reply (sid, meaning, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
        sid,
        meaning,
        now,
    )
    return new is not None


def _message(row: asyncpg.Record) -> Message:
    columns: dict[str, Any] = dict(row)
    columns["channel"], columns["fate"] = Channel(row["channel"]), Fate(row["fate"])
    return Message(**columns)
