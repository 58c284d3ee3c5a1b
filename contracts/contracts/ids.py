"""Typed ids: random, the kind in front (`patient_0198c5f2-…`), never made from a name or a number."""

from __future__ import annotations

from typing import NewType

from uuid_utils import uuid7

PatientId = NewType("PatientId", str)
IntakeId = NewType("IntakeId", str)
CoverageId = NewType("CoverageId", str)
VerificationId = NewType("VerificationId", str)
AppointmentId = NewType("AppointmentId", str)
MessageId = NewType("MessageId", str)
EventId = NewType("EventId", str)


def new_event_id() -> EventId:
    """A UUIDv7 by the machine's clock: ids made later sort later, which keeps the inbox's index compact."""
    return EventId(str(uuid7()))


def new_patient_id() -> PatientId:
    return PatientId(f"patient_{uuid7()}")


def new_intake_id() -> IntakeId:
    return IntakeId(f"intake_{uuid7()}")


def new_coverage_id() -> CoverageId:
    return CoverageId(f"coverage_{uuid7()}")


def new_verification_id() -> VerificationId:
    return VerificationId(f"verification_{uuid7()}")


def new_appointment_id() -> AppointmentId:
    return AppointmentId(f"appointment_{uuid7()}")


def new_message_id() -> MessageId:
    return MessageId(f"message_{uuid7()}")
