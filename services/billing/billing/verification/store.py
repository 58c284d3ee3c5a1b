"""The tables of verifications and their questions. Every query goes by an index, bounded by what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from billing.benefits.shown import OtherPayerShown, ServiceShown
from billing.verification.answer import Finding, Outcome
from billing.verification.insured import COVERAGE, Connection, Coverage
from billing.verification.model import Reason, State, Step, Verification
from billing.verification.question import Asked, Insured
from chassis.http import Actor
from contracts.billing import Benefit
from contracts.ids import VerificationId

# Verifications

_VERIFICATION = """
    verification_id AS id, coverage_id, patient_id, payer_id, payer, service_date, service_types, reason, state,
    requested_at, outcome, cause_code, to_do, questions, unanswered, plan_ends, benefit_year_ends
"""


def _verification(row: Mapping[str, Any]) -> Verification:
    known: dict[str, Any] = dict(row)
    known |= {
        "service_types": tuple(known["service_types"]),
        "reason": Reason(known["reason"]),
        "state": State(known["state"]),
        "outcome": Outcome(known["outcome"]) if known["outcome"] else None,
    }
    return Verification(**known)


_OPEN = """
WITH superseded AS (
    UPDATE verification SET latest = false, changed_at = clock_timestamp(), asking_again_at = NULL,
        state = CASE WHEN state = 'concluded' THEN state ELSE 'superseded' END
    WHERE coverage_id = $2 AND latest
), opened AS (
    INSERT INTO verification (verification_id, coverage_id, patient_id, payer_id, payer, service_date, service_types,
        reason, state, requested_at, questions, latest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $11::text IS NULL THEN 0 ELSE 1 END, $8 <> 'asked')
    RETURNING verification_id, requested_at
)
INSERT INTO question (trace, verification_id, number, control_number, decided_at)
SELECT $11, verification_id, 1, nextval('interchange_control_number'), requested_at FROM opened WHERE $11 IS NOT NULL
"""


async def open_verification(connection: Connection, one: Verification, trace: str | None = None) -> None:
    """Begin one, with its first question where a trace is given; what was under way for the coverage is superseded."""
    await connection.execute(
        _OPEN,
        one.id,
        one.coverage_id,
        one.patient_id,
        one.payer_id,
        one.payer,
        one.service_date,
        one.service_types,
        one.reason,
        one.state,
        one.requested_at,
        trace,
    )


async def verification(connection: Connection, verification_id: str) -> Verification | None:
    row = await connection.fetchrow(
        f"SELECT {_VERIFICATION} FROM verification WHERE verification_id = $1",  # noqa: S608
        verification_id,
    )
    return _verification(row) if row else None


async def last_verifications(connection: Connection, coverage_ids: Sequence[str]) -> dict[str, Verification]:
    """The latest verification of each coverage that has any."""
    rows = await connection.fetch(
        f"SELECT latest.* FROM unnest($1::text[]) AS wanted (id) CROSS JOIN LATERAL (SELECT {_VERIFICATION} "  # noqa: S608
        "FROM verification WHERE coverage_id = wanted.id ORDER BY requested_at DESC, verification_id DESC LIMIT 1"
        ") latest",
        coverage_ids,
    )
    return {row["coverage_id"]: _verification(row) for row in rows}


_WITH_LAST = f"""
    SELECT one.*, last.* FROM (
        SELECT {COVERAGE} FROM coverage WHERE patient_id = $1 ORDER BY reported_at DESC LIMIT $2
    ) one LEFT JOIN LATERAL (
        SELECT {_VERIFICATION} FROM verification WHERE coverage_id = one.id
        ORDER BY requested_at DESC, verification_id DESC LIMIT 1
    ) last ON true ORDER BY one.reported_at DESC
"""  # noqa: S608
_OF_COVERAGE = len(fields(Coverage))


async def coverages_with_last(
    connection: Connection, patient_id: str, limit: int = 20
) -> list[tuple[Coverage, Verification | None]]:
    """A patient's coverages, newest first, each with its latest verification if it has any."""
    found: list[tuple[Coverage, Verification | None]] = []
    for row in await connection.fetch(_WITH_LAST, patient_id, limit):
        both = list(row.items())
        last = dict(both[_OF_COVERAGE:])
        found.append((Coverage(**dict(both[:_OF_COVERAGE])), _verification(last) if last["id"] else None))
    return found


async def answered_on(
    connection: Connection, coverage_id: str, service_date: date, since: datetime
) -> Verification | None:
    """The verification of this coverage and day that the payer has answered since then."""
    row = await connection.fetchrow(
        f"SELECT {_VERIFICATION} FROM verification WHERE coverage_id = $1 AND requested_at >= $3 "  # noqa: S608
        "AND service_date = $2 AND outcome IN ('active', 'inactive') ORDER BY requested_at DESC LIMIT 1",
        coverage_id,
        service_date,
        since,
    )
    return _verification(row) if row else None


_BENEFITS = TypeAdapter(tuple[Benefit, ...])
_SERVICES = TypeAdapter(tuple[ServiceShown, ...])
_OTHER_PAYERS = TypeAdapter(tuple[OtherPayerShown, ...])


async def take_step(
    connection: Connection,
    one: Verification,
    finding: Finding,
    step: Step,
    benefits: tuple[Benefit, ...],
    now: datetime,
) -> None:
    """Keep what was found and what follows."""
    answered = finding.outcome is not Outcome.UNDETERMINED
    waiting = step.state is State.WAITING
    await connection.execute(
        "UPDATE verification SET state = $2, outcome = $3, cause_code = $4, cause = $5, owner = $6, "
        "to_do = CASE WHEN $16 THEN NULL ELSE coalesce($7, to_do) END, asking_again_at = $8, "
        "changed_at = clock_timestamp(), unanswered = CASE WHEN $9 THEN unanswered + 1 ELSE 0 END, "
        "plan = $10, plan_begins = $11, plan_ends = $12, benefits = $13, "
        "services = $17, other_payers = $18, benefit_year_ends = $19, "
        "answered_at = CASE WHEN $14 THEN $15 ELSE answered_at END, concluded_at = CASE WHEN $16 THEN $15 END "
        "WHERE verification_id = $1",
        one.id,
        step.state,
        finding.outcome,
        step.cause.code if step.cause else None,
        step.cause.sentence if step.cause else None,
        step.cause.owner if step.cause else None,
        step.tell_person,
        step.asking_again_at,
        waiting,
        finding.plan.name,
        finding.plan.begins,
        finding.plan.ends,
        _BENEFITS.dump_json(benefits, exclude_none=True).decode(),
        answered,
        now,
        step.state is State.CONCLUDED,
        _SERVICES.dump_json(finding.services, exclude_defaults=True).decode(),
        _OTHER_PAYERS.dump_json(finding.other_payers).decode(),
        finding.benefit_year_ends,
    )


# Questions


@dataclass(frozen=True, slots=True)
class Decided:
    """A question that is to be asked: all that writing it takes."""

    verification_id: VerificationId
    payer_id: str
    patient_id: str
    asked: Asked
    control_number: int
    decided_at: datetime
    counts: bool
    """Whether its answer would still decide something: the verification has not been superseded since."""


async def decide_question(connection: Connection, one: Verification, trace: str, now: datetime) -> None:
    """The next question of a verification that has been opened."""
    await connection.execute(
        "WITH counted AS (UPDATE verification SET state = 'asking', asking_again_at = NULL, questions = questions + 1, "
        "changed_at = clock_timestamp() "
        "WHERE verification_id = $2 RETURNING verification_id, questions) "
        "INSERT INTO question (trace, verification_id, number, control_number, decided_at) "
        "SELECT $1, verification_id, questions, nextval('interchange_control_number'), $3 FROM counted",
        trace,
        one.id,
        now,
    )


async def decided_questions(connection: Connection, traces: Sequence[str]) -> list[Decided]:
    """The questions under these traces, as many as there are."""
    rows = await connection.fetch(
        "SELECT q.trace, q.control_number, q.decided_at, v.verification_id, v.patient_id, v.payer_id, v.service_date, "
        "v.service_types, c.member_id, c.holder, p.name, p.birth_date, "
        "v.state = 'asking' AND q.number = v.questions AS counts "
        "FROM question q JOIN verification v USING (verification_id) "
        "JOIN coverage c USING (coverage_id) JOIN patient p ON p.patient_id = v.patient_id WHERE q.trace = ANY($1)",
        traces,
    )
    return [_decided(row) for row in rows]


def _decided(row: asyncpg.Record) -> Decided:
    insured = Insured(row["name"] or "", row["birth_date"], row["member_id"], row["holder"])
    asked = Asked(insured, row["trace"], row["service_date"], tuple(row["service_types"]))
    return Decided(
        row["verification_id"],
        row["payer_id"],
        row["patient_id"],
        asked,
        row["control_number"],
        row["decided_at"],
        row["counts"],
    )


async def question_is_open(connection: Connection, trace: str) -> bool:
    return bool(await connection.fetchval("SELECT true FROM question WHERE trace = $1 AND ended_at IS NULL", trace))


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a question: when, what was sent and came back, and an outcome or the cause of there being none."""

    asked_at: datetime
    ended_at: datetime
    sent: bytes | None
    answer: bytes | None
    result: str


async def end_question(connection: Connection, trace: str, ended: Ended) -> tuple[Verification, int] | None:
    """Keep what was sent and what came back. Returns the verification and the question's number in it."""
    row = await connection.fetchrow(
        "WITH ended AS (UPDATE question SET asked_at = $2, ended_at = $3, sent = $4, answer = $5, result = $6 "  # noqa: S608
        "WHERE trace = $1 RETURNING verification_id AS of, number AS nth) "
        f"SELECT nth, {_VERIFICATION} FROM ended JOIN verification ON verification_id = of",
        trace,
        ended.asked_at,
        ended.ended_at,
        ended.sent,
        ended.answer,
        ended.result,
    )
    if row is None:
        return None
    one = dict(row)
    nth = one.pop("nth")
    return _verification(one), nth


# By hand


async def note_change(
    connection: Connection, at: datetime, actor: Actor, coverage_id: str, what: str, fields: Sequence[str] = ()
) -> None:
    """Who did what by hand. Names of fields only."""
    await connection.execute(
        "INSERT INTO change_by_hand (at, actor, role, coverage_id, what, fields) VALUES ($1, $2, $3, $4, $5, $6)",
        at,
        actor.name,
        actor.role,
        coverage_id,
        what,
        fields,
    )
