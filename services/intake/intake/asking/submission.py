"""A request for help is taken: one transaction in which it is written down and said."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.transaction import Transaction
from contracts.ids import IntakeId, PatientId, new_coverage_id, new_intake_id, new_patient_id
from contracts.intake import ConsentRecorded, CoverageReported, PatientRegistered, RiskFlagged, RiskLevel, Submitted
from intake.asking import store
from intake.asking.model import HelpRequest
from intake.asking.store import StoredCard
from intake.card_reading.store import add_coverage
from intake.clinic import Clinic

CARD_READING: Final = "card_reading"
"""The outside task that reads a card; its purpose is the intake's id."""

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No two of these are easily taken for one another, read out or written down."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """`reference` is for the person to quote; `receipt` opens the confirmation page."""

    patient_id: PatientId
    intake_id: IntakeId
    reference: str
    receipt: str


async def submit(tx: Transaction, request: HelpRequest, cards: Sequence[StoredCard], clinic: Clinic) -> Accepted:
    """Register the patient, write down what they asked and agreed to, and say so."""
    patient = new_patient_id()
    await store.add_patient(tx.connection, patient, request, tx.now)
    accepted = await _add_intake(tx, patient, request)
    await store.add_cards(tx.connection, accepted.intake_id, cards, tx.now)
    tx.emit(
        PatientRegistered(name=request.name, phone=request.phone, email=request.email, birth_date=request.birth_date),
        subject=patient,
    )
    if request.consents_to_texts:
        await _consent_to_texts(tx, patient, clinic)
    if request.in_danger:
        tx.emit(RiskFlagged(level=RiskLevel.UNASSESSED, source="intake_form"), subject=patient)
    tx.emit(_submitted(accepted, request, cards), subject=patient)
    await _report_coverage(tx, accepted, request, cards)
    return accepted


async def _add_intake(tx: Transaction, patient: PatientId, request: HelpRequest) -> Accepted:
    intake = new_intake_id()
    receipt = secrets.token_urlsafe(16)
    while True:
        reference = new_reference()
        if await store.add_intake(
            tx.connection, intake, patient, request, tx.now, reference=reference, receipt=receipt
        ):
            return Accepted(patient, intake, reference, receipt)


def new_reference() -> str:
    """`7KMQ-2XPD`: short enough to read out, random, and made of nothing about the person."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


async def _consent_to_texts(tx: Transaction, patient: PatientId, clinic: Clinic) -> None:
    texts = clinic.consents.texts
    await store.add_consent(tx.connection, patient, tx.now, kind="texts", wording=texts.wording, version=texts.version)
    tx.emit(
        ConsentRecorded(kind="texts", wording=texts.wording, wording_version=texts.version, given_at=tx.now),
        subject=patient,
    )


def _submitted(accepted: Accepted, request: HelpRequest, cards: Sequence[StoredCard]) -> Submitted:
    return Submitted(
        intake_id=accepted.intake_id,
        reference=accepted.reference,
        insured=request.insured,
        treatment=request.treatment,
        in_danger=request.in_danger is True,
        card_received=bool(cards),
        coverage_typed=request.coverage_typed,
    )


async def _report_coverage(
    tx: Transaction, accepted: Accepted, request: HelpRequest, cards: Sequence[StoredCard]
) -> None:
    """A card is read before its coverage is told; without one, what was typed is all there will be."""
    if cards:
        await tx.ask_outside(
            CARD_READING,
            accepted.intake_id,
            {"intake_id": accepted.intake_id},
            subject=accepted.patient_id,
        )
    elif request.payer is not None and request.member_id is not None:
        coverage = CoverageReported(
            coverage_id=new_coverage_id(), payer=request.payer, member_id=request.member_id, source="typed"
        )
        await add_coverage(tx.connection, accepted.intake_id, coverage, tx.now)
        tx.emit(coverage, subject=accepted.patient_id)
