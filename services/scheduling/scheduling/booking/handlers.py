"""What booking does when somebody asks for help, when somebody may be in danger, and when it is time to try again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chassis.timers import Timer
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.ids import PatientId, new_appointment_id
from contracts.intake import RiskFlagged, Submitted
from contracts.scheduling import (
    AppointmentBooked,
    AppointmentKind,
    AppointmentRescheduled,
    AssessmentUnplaced,
)
from scheduling.booking import model, store
from scheduling.booking.metrics import BookingMetrics
from scheduling.booking.search import find
from scheduling.booking.store import Appointment, SlotTaken, Unplaced
from scheduling.clinic import Clinic

TRY_AGAIN = "place_assessment"
ASSESSMENT = AppointmentKind.ASSESSMENT


class Booking:
    """Exactly one assessment for each intake, at the earliest time that fits."""

    def __init__(self, clinic: Clinic, metrics: BookingMetrics) -> None:
        self._clinic = clinic
        self._metrics = metrics

    async def on_submitted(self, tx: Transaction, event: Submitted, envelope: Envelope) -> None:
        """Somebody asks for help: book their assessment, sooner if they may be in danger."""
        if await store.assessment_of(tx.connection, event.intake_id):
            return
        urgent = event.in_danger or await store.at_risk(tx.connection, envelope.subject)
        await self._place(tx, Unplaced(event.intake_id, PatientId(envelope.subject), urgent, tx.now))

    async def on_risk_flagged(self, tx: Transaction, event: RiskFlagged, envelope: Envelope) -> None:
        """Somebody may be in danger: what is booked or waiting for them may become sooner, never later."""
        await store.flag_risk(tx.connection, envelope.subject, tx.now)
        for waiting in await store.unplaced_of(tx.connection, envelope.subject):
            await self._place_waiting(tx, replace(waiting, urgent=True))
        for booked in await store.routine_ahead(tx.connection, envelope.subject, tx.now):
            await self._bring_forward(tx, booked)

    async def on_try_again(self, tx: Transaction, timer: Timer) -> None:
        """Something may have become free, or the horizon has moved on."""
        if waiting := await store.lock_unplaced(tx.connection, timer.key):
            await self._place_waiting(tx, waiting)

    async def _place_waiting(self, tx: Transaction, waiting: Unplaced) -> None:
        if await store.assessment_of(tx.connection, waiting.intake_id) or await self._place(tx, waiting):
            await store.placed(tx.connection, waiting.intake_id)
            await tx.cancel_timer(TRY_AGAIN, waiting.intake_id)

    async def _place(self, tx: Transaction, wanted: Unplaced) -> bool:
        """Book, or leave it to be tried again. Returns whether it is booked."""
        booked = await self._book_earliest(tx, wanted)
        if booked is None:
            await self._leave_unplaced(tx, wanted)
            return False
        tx.emit(self._said(booked), subject=booked.patient_id)
        self._metrics.booked(booked)
        return True

    async def _book_earliest(self, tx: Transaction, wanted: Unplaced) -> Appointment | None:
        need = model.need(self._clinic, ASSESSMENT, tx.now, urgent=wanted.urgent)
        while slot := await find(tx, self._clinic, need):
            one = Appointment(
                id=new_appointment_id(),
                patient_id=wanted.patient_id,
                intake_id=wanted.intake_id,
                kind=ASSESSMENT,
                urgent=wanted.urgent,
                version=1,
                starts_at=slot.span.starts_at,
                ends_at=slot.span.ends_at,
                clinician=slot.clinician.name,
                room=slot.room.name,
                booked_at=tx.now,
                cancelled_at=None,
            )
            try:
                async with tx.attempt():
                    await store.book(tx.connection, one, slot)
                    return one
            except SlotTaken:
                continue  # Its holder has committed, so the next look sees it.
        return None

    async def _leave_unplaced(self, tx: Transaction, wanted: Unplaced) -> None:
        again = tx.now + timedelta(minutes=self._clinic.try_again_minutes)
        await tx.set_timer(TRY_AGAIN, wanted.intake_id, again)
        self._metrics.unplaced(urgent=wanted.urgent)
        if await store.leave_unplaced(tx.connection, wanted):
            said = AssessmentUnplaced(
                intake_id=wanted.intake_id,
                urgent=wanted.urgent,
                searched_until=model.last_day(self._clinic, tx.now),
                trying_again_at=again,
            )
            tx.emit(said, subject=wanted.patient_id)

    async def _bring_forward(self, tx: Transaction, booked: Appointment) -> None:
        await store.make_urgent(tx.connection, booked.id)
        need = model.need_to_move(self._clinic, booked.kind, tx.now)
        latest = booked.starts_at - self._clinic.moving.sooner_by
        while (slot := await find(tx, self._clinic, need)) and slot.span.starts_at <= latest:
            moved = replace(
                booked,
                urgent=True,
                version=booked.version + 1,
                starts_at=slot.span.starts_at,
                ends_at=slot.span.ends_at,
                clinician=slot.clinician.name,
                room=slot.room.name,
            )
            try:
                async with tx.attempt():
                    await store.move(tx.connection, moved, slot, tx.now)
            except SlotTaken:
                continue
            await store.lower_floor(tx.connection, self._clinic.today(booked.starts_at))
            self._say_moved(tx, booked, moved)
            return

    def _said(self, one: Appointment) -> AppointmentBooked:
        return AppointmentBooked(
            appointment_id=one.id,
            version=one.version,
            kind=one.kind,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            time_zone=self._clinic.time_zone.key,
            clinician=one.clinician,
            room=one.room,
            place=self._clinic.place,
            urgent=one.urgent,
        )

    def _say_moved(self, tx: Transaction, before: Appointment, after: Appointment) -> None:
        facts = self._said(after).model_dump()
        said = AppointmentRescheduled(**facts, previously_starts_at=before.starts_at, cause="risk_flagged")
        tx.emit(said, subject=after.patient_id)
        self._metrics.moved("risk_flagged")
