"""What scheduling says: when, where and with whom."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar

from contracts.event import Event, Instant
from contracts.ids import AppointmentId, IntakeId


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


class AppointmentRescheduled(Event):
    """An appointment has another time, clinician or room than before. What it was before no longer holds."""

    type: ClassVar[str] = "scheduling.appointment_rescheduled.v1"
    appointment_id: AppointmentId
    version: int
    kind: AppointmentKind
    starts_at: Instant
    ends_at: Instant
    time_zone: str
    clinician: str
    room: str
    place: str
    urgent: bool = False
    previously_starts_at: Instant
    cause: str
    """`risk_flagged`: moved earlier because the person may be in danger."""


class AssessmentUnplaced(Event):
    """No time is free for an assessment within the clinic's horizon. A person has to find one; it is tried again."""

    type: ClassVar[str] = "scheduling.assessment_unplaced.v1"
    intake_id: IntakeId
    urgent: bool = False
    searched_until: date
    """The last day looked at, in the clinic's zone."""
    trying_again_at: Instant
