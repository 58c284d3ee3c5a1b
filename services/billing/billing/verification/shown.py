"""Coverages and verifications as they are shown, and the queries behind them. A page is one query, never one a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import asyncpg
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter

from billing import paging
from billing.benefits.by_service import HAS_SECONDARY, PAYS_SECOND, lowered
from billing.benefits.order import Insurance, Order, OtherPayer, Place, decide
from billing.benefits.shown import OrderShown, OtherPayerShown, ServiceShown
from billing.verification.answer import Outcome
from billing.verification.model import Reason, State
from contracts.billing import Benefit, Owner


class VerificationShown(BaseModel):
    """One verification. Whatever the payer did not say is null, never zero and never "no"."""

    verification_id: str
    coverage_id: str
    patient_id: str
    payer_id: str | None
    payer: str
    service_date: date = Field(description="The day that was asked about")
    service_types: list[str] = Field(description="X12 service type codes that were asked about")
    reason: Reason
    state: State
    outcome: Outcome | None = Field(description="null until the first answer or failure")
    cause_code: str | None
    cause: str | None
    owner: Owner | None = Field(description="Who has to act for it to become known")
    to_do: str | None = Field(description="What a person was asked to do")
    questions: int = Field(description="How often the payer was asked")
    asking_again_at: datetime | None
    plan: str | None
    plan_begins: date | None
    plan_ends: date | None
    benefits: list[Benefit] = Field(description="By X12 service type, as the answer states them")
    services: list[ServiceShown] = Field([], description="By the clinic's own services; empty unless active")
    other_payers: list[OtherPayerShown] = Field([], description="Further payers that the answer names")
    benefit_year_ends: date | None = Field(None, description="Last day that deductibles and limits are of")
    requested_at: datetime
    answered_at: datetime | None
    concluded_at: datetime | None


UNDECIDED = OrderShown(order="unknown", decided_by="nobody", reason="Nothing is known of it yet.")


class CoverageShown(BaseModel):
    """One insurance of a patient and what is known of it last."""

    coverage_id: str
    patient_id: str
    payer_stated: str = Field(description="As the card or the person says it")
    payer_id: str | None = Field(description="null while it is not clear which payer is meant")
    payer_confidence: float = Field(description="0 to 1")
    member_id: str
    group_number: str | None
    holder: str | None
    source: str
    confidence: float | None = Field(description="Of the member number as read, 0 to 1; null where typed")
    reported_at: datetime
    order_by_hand: Place | None = Field(None, description="What a person has said of the order")
    order: OrderShown = Field(UNDECIDED, description="Which of the patient's insurances pays first")
    verification: VerificationShown | None = Field(description="The latest one; null while the visit is awaited")


def _as_text(raw: object) -> object:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


Raw = Annotated[str | None, BeforeValidator(_as_text)]
"""Bytes as they were sent or came, shown as text."""


class QuestionShown(BaseModel):
    """One question to the payer: the evidence of a verification."""

    number: int
    trace: str
    control_number: int
    decided_at: datetime
    asked_at: datetime | None
    ended_at: datetime | None
    result: str | None = Field(description="An outcome, or the cause of there being none")
    sent: Raw = Field(description="The 270 as sent")
    answer: Raw = Field(description="What came back, as it came")


class ChangeShown(BaseModel):
    """What somebody did by hand."""

    at: datetime
    actor: str
    role: str
    what: str
    fields: list[str] = Field(description="Names of the fields that were corrected")


VERIFICATION = """
    verification_id, coverage_id, patient_id, payer_id, payer, service_date, service_types, reason, state, outcome,
    cause_code, cause, owner, to_do, questions, asking_again_at, plan, plan_begins, plan_ends, benefits, services,
    other_payers, benefit_year_ends, requested_at, answered_at, concluded_at
"""
_COVERAGES = TypeAdapter(list[CoverageShown])
_JSON: dict[str, TypeAdapter[Any]] = {
    "benefits": TypeAdapter(list[Benefit]),
    "services": TypeAdapter(list[ServiceShown]),
    "other_payers": TypeAdapter(list[OtherPayerShown]),
}


def verification_shown(row: Mapping[str, Any]) -> VerificationShown:
    fields: dict[str, Any] = dict(row)
    read: dict[str, Any] = {name: kind.validate_json(fields[name]) for name, kind in _JSON.items()}
    return VerificationShown(**fields | read)


async def coverages_shown(connection: asyncpg.Connection, patient_id: str, limit: int) -> list[CoverageShown]:
    """Newest first, each with its latest verification, and in the light of the others."""
    rows = await connection.fetch(
        f"""
        SELECT coalesce(jsonb_agg(shown ORDER BY reported_at DESC), '[]') AS found FROM (
            SELECT reported_at, to_jsonb(c) || jsonb_build_object('verification', to_jsonb(v)) AS shown
            FROM coverage c LEFT JOIN LATERAL (
                SELECT {VERIFICATION} FROM verification WHERE coverage_id = c.coverage_id
                ORDER BY requested_at DESC, verification_id DESC LIMIT 1
            ) v ON true
            WHERE c.patient_id = $1 ORDER BY reported_at DESC LIMIT $2
        ) newest
        """,  # noqa: S608
        patient_id,
        limit,
    )
    return _together(_COVERAGES.validate_json(rows[0]["found"]))


def _together(coverages: list[CoverageShown]) -> list[CoverageShown]:
    """Which pays first, and what a visit costs if another of them pays a part."""
    orders = decide([_insurance(one) for one in coverages])
    active = {one.coverage_id for one in coverages if one.verification and one.verification.outcome is Outcome.ACTIVE}
    return [_beside(one, orders[one.coverage_id], bool(active - {one.coverage_id})) for one in coverages]


def _insurance(one: CoverageShown) -> Insurance:
    """Where nothing is known of it, it may be active; only the payer's no makes it inactive."""
    last = one.verification
    others = [
        OtherPayer(other.name, other.pays, tuple(segment.position for segment in other.segments))
        for other in (last.other_payers if last else ())
    ]
    active = last.outcome is Outcome.ACTIVE if last and last.outcome in (Outcome.ACTIVE, Outcome.INACTIVE) else None
    return Insurance(one.coverage_id, one.reported_at, active, one.order_by_hand, tuple(others))


def _beside(one: CoverageShown, order: Order, another_pays: bool) -> CoverageShown:
    last = one.verification
    segments = [segment for other in (last.other_payers if last else ()) for segment in other.segments]
    shown = OrderShown(
        order=order.place,
        decided_by=order.decided_by,
        reason=order.reason,
        segments=[segment for segment in segments if segment.position in order.evidence],
    )
    if last is not None and another_pays:
        why = HAS_SECONDARY if order.place == "primary" else PAYS_SECOND
        services = [service.model_copy(update={"cost": lowered(service.cost, why)}) for service in last.services]
        last = last.model_copy(update={"services": services})
    return one.model_copy(update={"order": shown, "verification": last})


async def verification_page(
    connection: asyncpg.Connection, state: State, owner: Owner | None, after: paging.Place | None, limit: int
) -> list[VerificationShown]:
    """Oldest first: what waits longest comes first."""
    rows = await connection.fetch(
        f"SELECT {VERIFICATION} FROM verification WHERE state = $1 AND ($2::text IS NULL OR owner = $2) "  # noqa: S608
        "AND ($3::timestamptz IS NULL OR (requested_at, verification_id) > ($3, $4)) "
        "ORDER BY requested_at, verification_id LIMIT $5",
        state,
        owner,
        after and after.at,
        after and after.id,
        limit,
    )
    return [verification_shown(row) for row in rows]


async def one_verification(connection: asyncpg.Connection, verification_id: str) -> VerificationShown | None:
    row = await connection.fetchrow(
        f"SELECT {VERIFICATION} FROM verification WHERE verification_id = $1",  # noqa: S608
        verification_id,
    )
    return verification_shown(row) if row else None


async def questions_shown(connection: asyncpg.Connection, verification_id: str, limit: int) -> list[QuestionShown]:
    """Newest first."""
    rows = await connection.fetch(
        "SELECT number, trace, control_number, decided_at, asked_at, ended_at, sent, answer, result FROM question "
        "WHERE verification_id = $1 ORDER BY number DESC LIMIT $2",
        verification_id,
        limit,
    )
    return [QuestionShown.model_validate(dict(row)) for row in rows]


async def changes_shown(connection: asyncpg.Connection, coverage_id: str, limit: int) -> list[ChangeShown]:
    """Newest first."""
    rows = await connection.fetch(
        "SELECT at, actor, role, what, fields FROM change_by_hand WHERE coverage_id = $1 ORDER BY id DESC LIMIT $2",
        coverage_id,
        limit,
    )
    return [ChangeShown.model_validate(dict(row)) for row in rows]
