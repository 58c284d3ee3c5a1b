"""One coverage with all that staff need to decide about it, read by a bounded number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Final

import asyncpg

from billing.benefits.shown import OrderShown
from billing.verification import changing, insured, shown, store
from billing.verification.changing import ChangedShown
from billing.verification.insured import Coverage
from billing.verification.question import Asked, Insured
from billing.verification.shown import ChangeShown, CoverageShown, VerificationShown

QUESTIONS_SHOWN: Final = 20
CHANGES_SHOWN: Final = 20
LARGEST_SHOWN: Final = 256 * 1024
"""Bytes of an answer; the usual one has a few thousand."""
COVERAGES_SHOWN: Final = 20
"""Of one patient, looked at together: which pays first is decided among these."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose coverage it is. The name is None until intake has registered them."""

    name: str | None
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class AskedOnce:
    """One question of a coverage, without what was sent and came back."""

    trace: str
    verification_id: str
    number: int
    reason: str
    payer: str
    service_date: date
    decided_at: datetime
    ended_at: datetime | None
    result: str | None
    answer_bytes: int | None

    @property
    def answered(self) -> bool:
        return self.answer_bytes is not None

    @property
    def too_large(self) -> bool:
        """Larger than a page can show in a moment; `GET /verifications/{id}` has it whole."""
        return (self.answer_bytes or 0) > LARGEST_SHOWN


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with the question it has to fit."""

    trace: str
    verification_id: str
    ended_at: datetime | None
    asked: Asked
    payer: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Case:
    """One coverage. `seen` changes with every fact that may be corrected."""

    coverage: Coverage
    person: Person
    verification: VerificationShown | None
    questions: Sequence[AskedOnce]
    changes: Sequence[ChangeShown]
    order: OrderShown
    order_by_hand: str | None
    answers_changed: Sequence[ChangedShown]
    others: Sequence[CoverageShown]

    @property
    def to_be_done(self) -> list[ChangedShown]:
        """Changes that somebody has to act on."""
        return [one for one in self.answers_changed if one.to_do and one.done_at is None]

    @property
    def seen(self) -> str:
        return mark(self.coverage, self.person)


def mark(coverage: Coverage, person: Person) -> str:
    """The same for the same facts."""
    facts = (coverage.payer_id, coverage.member_id, coverage.holder, person.name, person.birth_date)
    return sha256(repr(facts).encode()).hexdigest()[:24]


async def read_case(connection: asyncpg.Connection, coverage_id: str) -> Case | None:
    coverage = await insured.coverage(connection, coverage_id)
    if coverage is None:
        return None
    of_patient = await shown.coverages_shown(connection, coverage.patient_id, COVERAGES_SHOWN)
    this = next((one for one in of_patient if one.coverage_id == coverage_id), None)
    return Case(
        coverage=coverage,
        person=await read_person(connection, coverage.patient_id),
        verification=this.verification if this else await _last(connection, coverage_id),
        questions=await _questions(connection, coverage_id),
        changes=await shown.changes_shown(connection, coverage_id, CHANGES_SHOWN),
        order=this.order if this else shown.UNDECIDED,
        order_by_hand=this.order_by_hand if this else None,
        answers_changed=await changing.of_coverage(connection, coverage_id, CHANGES_SHOWN),
        others=[one for one in of_patient if one.coverage_id != coverage_id],
    )


async def _last(connection: asyncpg.Connection, coverage_id: str) -> VerificationShown | None:
    """Of a coverage that is older than those which are looked at together."""
    last = (await store.last_verifications(connection, [coverage_id])).get(coverage_id)
    return await shown.one_verification(connection, last.id) if last else None


async def read_person(connection: asyncpg.Connection, patient_id: str) -> Person:
    row = await connection.fetchrow("SELECT name, birth_date FROM patient WHERE patient_id = $1", patient_id)
    return Person(row["name"], row["birth_date"]) if row else Person(None, None)


async def _questions(connection: asyncpg.Connection, coverage_id: str) -> list[AskedOnce]:
    """Newest first, over the last verifications of the coverage."""
    rows = await connection.fetch(
        "SELECT q.trace, v.verification_id, q.number, v.reason, v.payer, v.service_date, q.decided_at, q.ended_at, "
        "q.result, octet_length(q.answer) AS answer_bytes FROM (SELECT * FROM verification WHERE coverage_id = $1 "
        "ORDER BY requested_at DESC, verification_id DESC LIMIT $2) v JOIN question q USING (verification_id) "
        "ORDER BY v.requested_at DESC, v.verification_id DESC, q.number DESC LIMIT $2",
        coverage_id,
        QUESTIONS_SHOWN,
    )
    return [AskedOnce(**dict(row)) for row in rows]


async def read_answer(connection: asyncpg.Connection, coverage_id: str, trace: str) -> Answer | None:
    """What came back to one question about this coverage; None where nothing did."""
    row = await connection.fetchrow(
        "SELECT q.trace, q.answer, q.ended_at, v.verification_id, v.payer, v.service_date, v.service_types, "
        "c.member_id, c.holder, p.name, p.birth_date FROM question q JOIN verification v USING (verification_id) "
        "JOIN coverage c USING (coverage_id) LEFT JOIN patient p ON p.patient_id = v.patient_id "
        "WHERE q.trace = $1 AND v.coverage_id = $2 AND q.answer IS NOT NULL",
        trace,
        coverage_id,
    )
    if row is None:
        return None
    insured = Insured(row["name"] or "", row["birth_date"], row["member_id"], row["holder"])
    asked = Asked(insured, row["trace"], row["service_date"], tuple(row["service_types"]))
    return Answer(row["trace"], row["verification_id"], row["ended_at"], asked, row["payer"], row["answer"])
