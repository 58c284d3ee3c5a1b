"""What scheduling says: when, where and with whom."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from contracts.event import Event, Instant
from contracts.ids import AppointmentId


class AppointmentKind(StrEnum):
    ASSESSMENT = "assessment"


class AppointmentBooked(Event):
    """A time, a clinician and a room are held for a patient."""

    type: ClassVar[str] = "scheduling.appointment_booked.v1"
    appointment_id: AppointmentId
    version: int
    """Counts the changes of this appointment from 1."""
    kind: AppointmentKind
    starts_at: Instant
    ends_at: Instant
    time_zone: str
    """IANA name of the clinic's zone, in which the times are told."""
    clinician: str
    """Display name."""
    room: str
    place: str
    """The clinic's address, as a person would write it."""
    urgent: bool = False
    """Booked sooner because the person may be in danger."""
