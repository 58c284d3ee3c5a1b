"""What was said about a person: remembered, whatever came first; then they are told what is due."""

from __future__ import annotations

from chassis.transaction import Transaction
from contracts.billing import CoverageInactive, CoverageUndetermined, CoverageVerified, VerificationNeedsStaff
from contracts.envelope import Envelope
from contracts.intake import CardRead, ConsentRecorded, CoverageReported, PatientRegistered, RiskFlagged, Submitted
from contracts.scheduling import AppointmentBooked, AppointmentRescheduled
from notify.messages import facts
from notify.messages.model import Coverage, CoverageStatus
from notify.messages.telling import Telling

TEXTS = "texts"
"""The kind of consent that allows text messages."""


class Hearing:
    """Each handler: lock the person, learn, tell what is due."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    async def on_registered(self, tx: Transaction, event: PatientRegistered, envelope: Envelope) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_registered(tx.connection, envelope.subject, event)
        await self._telling.tell(tx, envelope.subject)

    async def on_consent(self, tx: Transaction, event: ConsentRecorded, envelope: Envelope) -> None:
        if event.kind != TEXTS:
            return
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_consent(tx.connection, envelope.subject, event.given_at)
        await self._telling.tell(tx, envelope.subject)

    async def on_submitted(self, tx: Transaction, event: Submitted, envelope: Envelope) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_submitted(tx.connection, envelope.subject, event, envelope.time)
        await self._telling.tell(tx, envelope.subject)

    async def on_risk_flagged(self, tx: Transaction, event: RiskFlagged, envelope: Envelope) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_danger(tx.connection, envelope.subject)

    async def on_card_read(self, tx: Transaction, event: CardRead, envelope: Envelope) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_card(tx.connection, envelope.subject, event, envelope.time)
        await self._telling.tell(tx, envelope.subject)

    async def on_coverage_reported(self, tx: Transaction, event: CoverageReported, envelope: Envelope) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_reported(tx.connection, envelope.subject, event.coverage_id, event.payer)

    async def on_booked(
        self, tx: Transaction, event: AppointmentBooked | AppointmentRescheduled, envelope: Envelope
    ) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_appointment(tx.connection, envelope.subject, event)
        await self._telling.tell(tx, envelope.subject)

    async def on_verified(self, tx: Transaction, event: CoverageVerified, envelope: Envelope) -> None:
        concluded = Coverage(
            event.coverage_id,
            status=CoverageStatus.ACTIVE,
            payer=event.payer,
            service_date=event.service_date,
            plan=event.plan,
            benefits=event.benefits,
        )
        await self._concluded(tx, concluded, envelope)

    async def on_inactive(self, tx: Transaction, event: CoverageInactive, envelope: Envelope) -> None:
        concluded = Coverage(
            event.coverage_id,
            status=CoverageStatus.INACTIVE,
            owner=event.owner,
            payer=event.payer,
            service_date=event.service_date,
            ended_on=event.ended_on,
        )
        await self._concluded(tx, concluded, envelope)

    async def on_undetermined(self, tx: Transaction, event: CoverageUndetermined, envelope: Envelope) -> None:
        concluded = Coverage(
            event.coverage_id,
            status=CoverageStatus.UNDETERMINED,
            owner=event.owner,
            payer=event.payer,
            service_date=event.service_date,
            asking_again=event.asking_again_at is not None,
        )
        await self._concluded(tx, concluded, envelope)

    async def on_needs_staff(self, tx: Transaction, event: VerificationNeedsStaff, envelope: Envelope) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.left_to_staff(tx.connection, envelope.subject, event.coverage_id)
        await self._telling.tell(tx, envelope.subject)

    async def _concluded(self, tx: Transaction, coverage: Coverage, envelope: Envelope) -> None:
        await facts.lock_person(tx.connection, envelope.subject)
        await facts.learn_coverage(tx.connection, envelope.subject, coverage)
        await self._telling.tell(tx, envelope.subject)
