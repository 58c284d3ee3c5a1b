"""Reading for pages and JSON. Every list goes by an index, begins after a place, and ends at a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from console.following.coverage import CoverageState
from console.following.model import Known, Stage
from console.following.store import words_of
from console.following.tasks import TaskKind, TaskOwner

Connection = asyncpg.Connection

MOST_NAMED: Final = 50
"""People shown of those whose name fits."""
_LOOKED_AT: Final = 500
"""Of those whose name fits, so many are looked at for the newest."""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    known: Known


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A row of the list of tasks, with whom it is about."""

    id: int
    kind: TaskKind
    about: str
    rank: int
    owner: TaskOwner
    since: datetime
    person_from: datetime
    person: Person

    @property
    def place(self) -> TaskPlace:
        return (self.rank, self.since, self.id)


@dataclass(frozen=True, slots=True)
class Line:
    """An event of the journal, its body still sealed."""

    event_id: str
    at: datetime
    type: str
    sequence: int
    correlation_id: str
    causation_id: str | None
    body: bytes


PatientPlace = tuple[datetime, str]
"""`arrived_at` and id of the person after whom a list goes on."""
TaskPlace = tuple[int, datetime, int]
"""Rank, `since` and id."""


async def people(
    connection: Connection,
    *,
    stage: Stage | None = None,
    coverage: CoverageState | None = None,
    after: PatientPlace | None = None,
    limit: int,
) -> list[Person]:
    """The newest first."""
    arguments: list[Any] = [limit]
    conditions: list[str] = []
    for column, wanted in (("stage", stage), ("coverage", coverage)):
        if wanted is not None:
            arguments.append(wanted)
            conditions.append(f"{column} = ${len(arguments)}")
    if after is not None:
        arguments += after
        conditions.append(f"(arrived_at, patient_id) < (${len(arguments) - 1}, ${len(arguments)})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT patient_id, facts FROM patient {where} ORDER BY arrived_at DESC, patient_id DESC LIMIT $1"  # noqa: S608  (our own words only)
    return _people(await connection.fetch(query, *arguments))


async def with_reference(connection: Connection, reference: str) -> list[Person]:
    """Whoever has this reference: one person, unless two were merged into one form."""
    rows = await connection.fetch(
        "SELECT patient_id, facts FROM patient WHERE reference = $1 ORDER BY patient_id LIMIT 10", reference
    )
    return _people(rows)


_NAMED: Final = """
SELECT patient_id, facts FROM (
    SELECT patient_id, arrived_at, facts FROM patient WHERE name_words @@ $1::tsquery LIMIT $2
) AS fitting ORDER BY arrived_at DESC, patient_id DESC LIMIT $3
"""


async def named(connection: Connection, name: str) -> list[Person]:
    """People whose names have words that begin so, the newest first, at most MOST_NAMED."""
    words = words_of(name)
    if not words:
        return []
    query = " & ".join(f"'{word}':*" for word in words)
    return _people(await connection.fetch(_NAMED, query, _LOOKED_AT, MOST_NAMED))


async def person(connection: Connection, patient_id: str) -> Person | None:
    row = await connection.fetchrow("SELECT patient_id, facts FROM patient WHERE patient_id = $1", patient_id)
    return _person(row) if row else None


# Tasks

_OPEN: Final = """
SELECT id, kind, about, rank, owner, since, person_from, patient_id, facts FROM (
    SELECT * FROM task WHERE settled_at IS NULL AND {conditions} ORDER BY rank, since, id LIMIT $1
) AS first JOIN patient USING (patient_id) ORDER BY rank, since, id
"""


async def open_tasks(
    connection: Connection,
    now: datetime,
    *,
    waiting: bool = False,
    owner: TaskOwner | None = None,
    in_danger: bool | None = None,
    after: TaskPlace | None = None,
    limit: int,
) -> list[OpenTask]:
    """What needs a person now, or with `waiting` what still waits for others; the most pressing first."""
    arguments: list[Any] = [limit, now]
    conditions = ["person_from > $2" if waiting else "person_from <= $2"]
    if owner is not None:
        arguments.append(owner)
        conditions.append(f"owner = ${len(arguments)}")
    if in_danger is not None:
        arguments.append(TaskKind.IN_DANGER)
        conditions.append(f"kind {'=' if in_danger else '<>'} ${len(arguments)}")
    if after is not None:
        arguments += after
        count = len(arguments)
        conditions.append(f"(rank, since, id) > (${count - 2}, ${count - 1}, ${count})")
    rows = await connection.fetch(_OPEN.format(conditions=" AND ".join(conditions)), *arguments)
    return [_task(row) for row in rows]


async def tasks_of(connection: Connection, one: Person) -> list[OpenTask]:
    """All that stands open for one person, what waits for others too."""
    rows = await connection.fetch(
        "SELECT id, kind, about, rank, owner, since, person_from, patient_id FROM task "
        "WHERE patient_id = $1 AND settled_at IS NULL ORDER BY rank, since, id LIMIT 50",
        one.id,
    )
    return [_task(row, one) for row in rows]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many stand open, and how today went: people by stage and by coverage who arrived since midnight."""

    in_danger: int
    tasks: int
    waiting: int
    today: int
    booked: int
    coverage: dict[CoverageState, int]


_COUNT_TASKS: Final = """
SELECT count(*) FILTER (WHERE kind = $2) AS in_danger,
       count(*) FILTER (WHERE kind <> $2 AND person_from <= $1) AS tasks,
       count(*) FILTER (WHERE person_from > $1) AS waiting
FROM task WHERE settled_at IS NULL
"""
_COUNT_TODAY: Final = """
SELECT coverage, count(*) AS people, count(*) FILTER (WHERE stage = $2) AS booked
FROM patient WHERE arrived_at >= $1 GROUP BY coverage
"""


async def count(connection: Connection, now: datetime, midnight: datetime) -> Counts:
    """Reads as many rows as there are open tasks and people who came today, however many came before."""
    tasks = await connection.fetchrow(_COUNT_TASKS, now, TaskKind.IN_DANGER)
    assert tasks is not None
    today = await connection.fetch(_COUNT_TODAY, midnight, Stage.BOOKED)
    return Counts(
        in_danger=tasks["in_danger"],
        tasks=tasks["tasks"],
        waiting=tasks["waiting"],
        today=sum(row["people"] for row in today),
        booked=sum(row["booked"] for row in today),
        coverage={CoverageState(row["coverage"]): row["people"] for row in today},
    )


# The journal

_LINES: Final = """
SELECT event_id::text, at, type, sequence, correlation_id, causation_id, body FROM journal
WHERE subject = $1 AND (at, event_id) < ($2, $3::uuid) ORDER BY at DESC, event_id DESC LIMIT $4
"""
JournalPlace = tuple[datetime, str]
_THE_END: Final[JournalPlace] = (datetime(9000, 1, 1, tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")


async def journal(
    connection: Connection, subject: str, *, before: JournalPlace | None = None, limit: int
) -> list[Line]:
    """The last events about somebody, the newest first."""
    at, event_id = before or _THE_END
    rows = await connection.fetch(_LINES, subject, at, event_id, limit)
    return [Line(**dict(row)) for row in rows]


def _people(rows: Sequence[asyncpg.Record]) -> list[Person]:
    return [_person(row) for row in rows]


def _person(row: asyncpg.Record) -> Person:
    return Person(row["patient_id"], Known.model_validate_json(row["facts"]))


def _task(row: asyncpg.Record, about: Person | None = None) -> OpenTask:
    return OpenTask(
        id=row["id"],
        kind=TaskKind(row["kind"]),
        about=row["about"],
        rank=row["rank"],
        owner=TaskOwner(row["owner"]),
        since=row["since"],
        person_from=row["person_from"],
        person=about or _person(row),
    )
