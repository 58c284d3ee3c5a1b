"""What other services say about a patient who asked for help."""

from __future__ import annotations

from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.scheduling import AppointmentBooked, AppointmentKind
from intake.patients import store


async def on_appointment_booked(tx: Transaction, booked: AppointmentBooked, envelope: Envelope) -> None:
    """Whoever has an assessment booked waits no more."""
    if booked.kind is AppointmentKind.ASSESSMENT:
        await store.assessment_booked(tx.connection, envelope.subject, tx.now)
