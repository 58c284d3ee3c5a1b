"""Reading for the worklist. Every list goes by an index, begins after a place, and ends at a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import asyncpg

from billing.paging import Place
from billing.verification.answer import Outcome
from billing.verification.model import State
from billing.worklist.filter import NO_PAYER, Filter
from contracts.billing import Owner

Connection = asyncpg.Connection

NEEDS_PERSON: Final = "(state = 'with_person' OR (state = 'waiting' AND to_do IS NOT NULL))"
WAITS: Final = "state = 'waiting' AND to_do IS NULL"
"""As in the indexes of the same names."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a list: one verification, and whose it is. `since` is when it began."""

    verification_id: str
    coverage_id: str
    patient_id: str
    name: str | None
    payer_id: str | None
    payer: str
    reason: str
    state: State
    outcome: Outcome | None
    cause_code: str | None
    cause: str | None
    owner: Owner | None
    to_do: str | None
    service_date: date
    questions: int
    since: datetime
    asking_again_at: datetime | None
    concluded_at: datetime | None
    plan: str | None

    @property
    def place(self) -> Place:
        """In the list of what needs a person."""
        return Place(self.since, self.verification_id, self.owner)


_ITEM: Final = """
    v.verification_id, v.coverage_id, v.patient_id, p.name, v.payer_id, v.payer, v.reason, v.state, v.outcome,
    v.cause_code, v.cause, v.owner, v.to_do, v.service_date, v.questions, v.requested_at AS since, v.asking_again_at,
    v.concluded_at, v.plan
"""


def _item(row: asyncpg.Record) -> Item:
    fields: dict[str, Any] = dict(row)
    fields |= {
        "state": State(fields["state"]),
        "outcome": Outcome(fields["outcome"]) if fields["outcome"] else None,
        "owner": Owner(fields["owner"]) if fields["owner"] else None,
    }
    return Item(**fields)


class _Narrowed:
    """Conditions of a filter, with their arguments from $n on."""

    def __init__(self, shows: Filter, now: datetime, *arguments: object) -> None:
        self.arguments: list[object] = list(arguments)
        self.conditions: list[str] = []
        known = [payer for payer in shows.payers if payer != NO_PAYER]
        if shows.payers:
            missing = " OR payer_id IS NULL" if NO_PAYER in shows.payers else ""
            self.conditions.append(f"(payer_id = ANY({self.add(known)}::text[]){missing})")
        if shows.age:
            self.conditions.append(f"requested_at <= {self.add(now - shows.age.span)}")

    def add(self, argument: object) -> str:
        self.arguments.append(argument)
        return f"${len(self.arguments)}"

    def of(self, *conditions: str) -> str:
        return " AND ".join([*conditions, *self.conditions])


async def needing_person(
    connection: Connection, shows: Filter, now: datetime, *, after: Place | None = None, limit: int
) -> list[Item]:
    """At most `limit` of each owner's, the oldest first; whose turn it is in the order of `OWNERS`.

    After a place: the rest of that owner's, and all of those that come after it.
    """
    owners = list(shows.owners)
    if after and after.owner and after.owner in owners:
        owners = owners[owners.index(after.owner) :]
    narrowed = _Narrowed(shows, now, owners, limit)
    conditions = [NEEDS_PERSON, "owner = wanted.owner"]
    if after:
        at, id = narrowed.add(after.at), narrowed.add(after.id)
        same = f"wanted.owner <> {narrowed.add(after.owner)}::text OR " if after.owner else ""
        conditions.append(f"({same}(requested_at, verification_id) > ({at}, {id}))")
    rows = await connection.fetch(
        f"SELECT {_ITEM} FROM unnest($1::text[]) WITH ORDINALITY AS wanted (owner, turn) CROSS JOIN LATERAL ("  # noqa: S608  (our own words only)
        f"SELECT * FROM verification WHERE {narrowed.of(*conditions)} ORDER BY requested_at, verification_id LIMIT $2"
        ") v LEFT JOIN patient p USING (patient_id) ORDER BY wanted.turn, v.requested_at, v.verification_id",
        *narrowed.arguments,
    )
    return [_item(row) for row in rows]


async def waiting(
    connection: Connection, shows: Filter, now: datetime, *, after: Place | None = None, limit: int
) -> list[Item]:
    """What is asked again by itself, the next one first."""
    narrowed = _Narrowed(shows, now, limit)
    conditions = [WAITS]
    if shows.owner:
        conditions.append(f"owner = {narrowed.add(shows.owner)}")
    if after:
        conditions.append(f"(asking_again_at, verification_id) > ({narrowed.add(after.at)}, {narrowed.add(after.id)})")
    return await _list(connection, narrowed, conditions, "asking_again_at, verification_id")


async def concluded(
    connection: Connection, shows: Filter, now: datetime, *, after: Place | None = None, limit: int
) -> list[Item]:
    """What became known, the newest first. Nobody has to act for it, so that owners do not matter."""
    narrowed = _Narrowed(shows, now, limit)
    conditions = ["state = 'concluded'"]
    if after:
        conditions.append(f"(concluded_at, verification_id) < ({narrowed.add(after.at)}, {narrowed.add(after.id)})")
    return await _list(connection, narrowed, conditions, "concluded_at DESC, verification_id DESC")


async def _list(connection: Connection, narrowed: _Narrowed, conditions: Sequence[str], order: str) -> list[Item]:
    """`$1` is the limit."""
    rows = await connection.fetch(
        f"SELECT {_ITEM} FROM (SELECT * FROM verification WHERE {narrowed.of(*conditions)} "  # noqa: S608  (our own words only)
        f"ORDER BY {order} LIMIT $1) v LEFT JOIN patient p USING (patient_id) ORDER BY {order}",
        *narrowed.arguments,
    )
    return [_item(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Changed:
    """A change between two answers that somebody has to act on, and whose insurance it is."""

    id: int
    since: datetime
    coverage_id: str
    patient_id: str
    name: str | None
    payer: str
    to_do: str

    place: None = None
    """It stands in no list of what needs a person to become known."""


async def changed(
    connection: Connection, shows: Filter, now: datetime, *, after: Place | None = None, limit: int
) -> list[Changed]:
    """What nobody has dealt with yet, the oldest first."""
    if shows.owner not in (None, Owner.STAFF):
        return []
    payers = [payer for payer in shows.payers if payer != NO_PAYER]
    rows = await connection.fetch(
        "SELECT x.id, x.at AS since, x.coverage_id, x.patient_id, p.name, v.payer, x.to_do FROM ("
        "SELECT * FROM coverage_change AS one WHERE to_do IS NOT NULL AND done_at IS NULL AND id > $2 AND at <= $3 "
        "AND ($4::text[] = '{}' OR EXISTS (SELECT FROM coverage WHERE coverage_id = one.coverage_id "
        "AND payer_id = ANY($4::text[]))) ORDER BY id LIMIT $1"
        ") x JOIN verification v USING (verification_id) LEFT JOIN patient p ON p.patient_id = x.patient_id "
        "ORDER BY x.id",
        limit,
        int(after.id) if after and after.id.isdecimal() else 0,
        now - shows.age.span if shows.age else now,
        payers,
    )
    return [Changed(**dict(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many stand where, over all payers. `known_today` are those concluded since midnight, by outcome."""

    needs_person: dict[Owner, int]
    changed: int
    waiting: int
    asking: int
    known_today: dict[Outcome, int]

    @property
    def people(self) -> int:
        return sum(self.needs_person.values())


_COUNT_OPEN: Final = f"""
SELECT 'needs' AS what, owner, count(*) AS found FROM verification WHERE {NEEDS_PERSON} GROUP BY owner
UNION ALL SELECT 'waits', NULL, count(*) FROM verification WHERE {WAITS}
UNION ALL SELECT 'asking', NULL, count(*) FROM verification WHERE state = 'asking'
UNION ALL SELECT 'changed', NULL, count(*) FROM coverage_change WHERE to_do IS NOT NULL AND done_at IS NULL
"""  # noqa: S608  (our own words only)


async def count(connection: Connection, midnight: datetime) -> Counts:
    """Reads as much of the indexes as there is open, and became known today, however much came before."""
    rows = await connection.fetch(_COUNT_OPEN)
    today = await connection.fetch(
        "SELECT outcome, count(*) AS found FROM verification WHERE state = 'concluded' AND concluded_at >= $1 "
        "GROUP BY outcome",
        midnight,
    )
    alone = {row["what"]: row["found"] for row in rows if row["what"] != "needs"}
    return Counts(
        needs_person={Owner(row["owner"]): row["found"] for row in rows if row["what"] == "needs" and row["owner"]},
        changed=alone["changed"],
        waiting=alone["waits"],
        asking=alone["asking"],
        known_today={Outcome(row["outcome"]): row["found"] for row in today if row["outcome"]},
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for one payer, and when the first of it is asked again."""

    waiting: int
    first_at: datetime | None


@dataclass(frozen=True, slots=True)
class ForEngines:
    """What waits for an engine to answer it, and since when the first of it."""

    waiting: int
    since: datetime


async def for_engines(connection: Connection) -> dict[str, ForEngines]:
    """By payer id; those whose engines have answered everything are left out."""
    rows = await connection.fetch(
        "SELECT engine_payer, count(*) AS waiting, min(decided_at) AS since FROM question "
        "WHERE engine_payer IS NOT NULL AND ended_at IS NULL GROUP BY engine_payer"
    )
    return {row["engine_payer"]: ForEngines(row["waiting"], row["since"]) for row in rows}


async def queues(connection: Connection) -> dict[str, Queue]:
    """By payer id; those that nothing waits for are left out."""
    rows = await connection.fetch(
        "SELECT payer_id, count(*) AS waiting, min(asking_again_at) AS first_at FROM verification "
        "WHERE state = 'waiting' AND payer_id IS NOT NULL GROUP BY payer_id"
    )
    return {row["payer_id"]: Queue(row["waiting"], row["first_at"]) for row in rows}
