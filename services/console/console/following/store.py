"""Writing what is known: the row of a person, their open tasks, and the journal. Every statement goes by a key."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from chassis.seal import Seal
from console.following.coverage import standing_of
from console.following.model import DONE_KEPT, Done, Known, stage_of
from console.following.tasks import Task, TaskKind, TaskRules
from contracts.envelope import Envelope
from contracts.event import Event
from contracts.registry import EVENT_TYPES

Connection = asyncpg.Connection


# The journal

_WRITE: Final = """
INSERT INTO journal (event_id, subject, at, type, sequence, correlation_id, causation_id, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (event_id) DO NOTHING RETURNING true
"""


async def write_down(connection: Connection, seal: Seal, event: Event, envelope: Envelope) -> bool:
    """Returns False where this event is in the journal already."""
    body = seal.seal(event.model_dump_json(exclude_none=True).encode(), context=_place(envelope.id))
    return bool(
        await connection.fetchval(
            _WRITE,
            envelope.id,
            envelope.subject,
            envelope.time,
            envelope.type,
            envelope.sequence,
            envelope.correlation_id,
            envelope.causation_id,
            body,
        )
    )


def open_body(seal: Seal, event_id: str, type: str, body: bytes) -> Event:
    """What an event of the journal said. Raises SealBroken."""
    return EVENT_TYPES[type].model_validate_json(seal.open(body, context=_place(event_id)))


def _place(event_id: str) -> bytes:
    return b"journal\0" + event_id.encode()


# A person


async def lock(connection: Connection, patient_id: str) -> Known | None:
    """What is known of a person, who is ours until the transaction ends."""
    facts = await connection.fetchval("SELECT facts FROM patient WHERE patient_id = $1 FOR UPDATE", patient_id)
    return Known.model_validate_json(facts) if facts else None


async def lock_for_task(connection: Connection, task_id: int) -> tuple[str, Known] | None:
    """The person whom a task is about, as `lock`."""
    row = await connection.fetchrow(
        "SELECT patient_id, facts FROM patient "
        "WHERE patient_id = (SELECT patient_id FROM task WHERE id = $1) FOR UPDATE",
        task_id,
    )
    return (row["patient_id"], Known.model_validate_json(row["facts"])) if row else None


async def add(connection: Connection, patient_id: str, known: Known) -> bool:
    """A row for somebody new. Returns False where another transaction was first: lock the row then."""
    done = await connection.execute(
        "INSERT INTO patient (patient_id, arrived_at, stage, coverage, reference, name_words, facts) "
        "VALUES ($1, $2, $3, $4, $5, array_to_tsvector($6), $7) ON CONFLICT (patient_id) DO NOTHING",
        patient_id,
        *_row(known),
    )
    return done == "INSERT 0 1"


async def save(connection: Connection, patient_id: str, known: Known) -> None:
    await connection.execute(
        "UPDATE patient SET arrived_at = $2, stage = $3, coverage = $4, reference = $5, "
        "name_words = array_to_tsvector($6), facts = $7 WHERE patient_id = $1",
        patient_id,
        *_row(known),
    )


def _row(known: Known) -> tuple[object, ...]:
    return (
        known.arrived_at,
        stage_of(known),
        standing_of(known).state,
        known.reference,
        words_of(known.name) if known.name else None,
        known.model_dump_json(exclude_none=True),
    )


def words_of(name: str) -> list[str]:
    """A name as it is searched for: "Zoë O'Brien-Smith" → brien, o, smith, zoe."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
    spaced = "".join(one if one.isalnum() else " " for one in bare)
    return sorted(set(spaced.split()))


# Tasks

_SETTLE: Final = """
UPDATE task SET settled_at = $2 WHERE patient_id = $1 AND settled_at IS NULL
AND NOT (kind, about) IN (SELECT * FROM unnest($3::text[], $4::text[]))
"""

_OPEN: Final = """
INSERT INTO task (patient_id, kind, about, rank, owner, since, person_from)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::smallint[], $5::text[], $6::timestamptz[], $7::timestamptz[])
ON CONFLICT (patient_id, kind, about) WHERE settled_at IS NULL DO UPDATE
SET rank = excluded.rank, owner = excluded.owner, since = excluded.since, person_from = excluded.person_from
WHERE (task.rank, task.owner, task.since, task.person_from)
    IS DISTINCT FROM (excluded.rank, excluded.owner, excluded.since, excluded.person_from)
"""


async def keep_tasks(
    connection: Connection, patient_id: str, tasks: Sequence[Task], rules: TaskRules, now: datetime
) -> None:
    """Open what is new of these, settle what is not among them any more."""
    kinds, abouts = [one.kind for one in tasks], [one.about for one in tasks]
    await connection.execute(_SETTLE, patient_id, now, kinds, abouts)
    if tasks:
        await connection.execute(
            _OPEN,
            patient_id,
            kinds,
            abouts,
            [rules[one.kind].rank for one in tasks],
            [one.owner for one in tasks],
            [one.since for one in tasks],
            [one.person_from for one in tasks],
        )


@dataclass(frozen=True, slots=True)
class TaskRow:
    kind: TaskKind
    about: str
    settled_at: datetime | None
    done_by: str | None


async def task(connection: Connection, task_id: int) -> TaskRow:
    """A task that there is, of a person who is locked."""
    row = await connection.fetchrow("SELECT kind, about, settled_at, done_by FROM task WHERE id = $1", task_id)
    assert row is not None
    return TaskRow(TaskKind(row["kind"]), row["about"], row["settled_at"], row["done_by"])


async def end_by_hand(connection: Connection, task_id: int, at: datetime, by: str) -> None:
    await connection.execute("UPDATE task SET settled_at = $2, done_by = $3 WHERE id = $1", task_id, at, by)


async def add_done(connection: Connection, patient_id: str, done: Done) -> None:
    await connection.execute(
        "INSERT INTO marked_done (patient_id, kind, things, marked_by, at) VALUES ($1, $2, $3, $4, $5)",
        patient_id,
        done.kind,
        done.things,
        done.by,
        done.at,
    )


async def done_before(connection: Connection, patient_id: str) -> list[Done]:
    """What was marked as done for a person, the newest last: more than the streams can tell."""
    rows = await connection.fetch(
        "SELECT kind, things, marked_by AS by, at FROM marked_done WHERE patient_id = $1 ORDER BY id DESC LIMIT $2",
        patient_id,
        DONE_KEPT,
    )
    return [Done.model_validate(dict(row)) for row in reversed(rows)]
