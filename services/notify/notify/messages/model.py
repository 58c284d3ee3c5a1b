"""What a person is to be told, and by which channel. Pure: what is known in, messages out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as phone_zones

from contracts.billing import Benefit, Owner
from contracts.intake import CardOutcome, Insured
from contracts.notify import Channel
from contracts.scheduling import AppointmentKind
from notify.clinic import Texts


class CoverageStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom we write to. None: not known, or not yet."""

    patient_id: str
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    texts_consented_at: datetime | None = None
    texts_stopped_at: datetime | None = None
    in_danger: bool = False
    intake_id: str | None = None
    submitted_at: datetime | None = None
    insured: Insured | None = None
    card_received: bool = False
    coverage_typed: bool = False
    card_outcome: CardOutcome | None = None
    card_complete: bool = False
    """The card gave both payer and member number."""
    card_read_at: datetime | None = None

    @property
    def may_be_texted(self) -> bool:
        """There is a number, and consent that was not taken back since."""
        given, stopped = self.texts_consented_at, self.texts_stopped_at
        return self.phone is not None and given is not None and (stopped is None or given > stopped)


@dataclass(frozen=True, slots=True)
class Appointment:
    id: str
    version: int
    kind: AppointmentKind
    moved: bool
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    clinician: str
    place: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What billing says. Without a status it has been reported and not concluded."""

    id: str
    revision: int = 0
    status: CoverageStatus | None = None
    owner: Owner | None = None
    payer: str | None = None
    service_date: date | None = None
    plan: str | None = None
    ended_on: date | None = None
    asking_again: bool = False
    benefits: tuple[Benefit, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one person: coming appointments in order, and coverages."""

    person: Person
    appointments: tuple[Appointment, ...] = ()
    coverages: tuple[Coverage, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """Something to tell. `purpose` names it for good; `about` is the id of the appointment or coverage."""

    purpose: str
    template: str
    channel: Channel
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    channels: tuple[Channel, ...]
    answers_the_person: bool = False


Templates = Mapping[str, Template]


def due(known: Known, now: datetime, templates: Templates, card_settles: timedelta) -> list[Due]:
    """Everything that holds now and that the person is to be told, whether they were already or not.

    Nothing before the form's own facts are complete: consent, say, may still be on its way. `PHONE` stands where
    neither e-mail nor texts are possible.
    """
    if known.person.submitted_at is None or known.person.name is None:
        return []
    news = _visits(known.appointments, now) + _insurance(known, now, card_settles)
    return [
        Due(purpose, template, channel, about)
        for purpose, template, about in news
        for channel in _channels(known.person, templates[template])
    ]


def card_settles_at(person: Person, card_settles: timedelta) -> datetime | None:
    """When a card that was read only in part counts as unreadable."""
    partly = person.card_outcome is CardOutcome.READ and not person.card_complete
    return person.card_read_at + card_settles if partly and person.card_read_at else None


News = tuple[str, str, str | None]
"""Purpose, template, and what it is about."""


def _visits(appointments: Sequence[Appointment], now: datetime) -> list[News]:
    return [
        (
            f"appointment_booked:{one.id}:{one.version}",
            "appointment_moved" if one.moved else "appointment_booked",
            one.id,
        )
        for one in appointments
        if one.starts_at > now
    ]


def _insurance(known: Known, now: datetime, card_settles: timedelta) -> list[News]:
    if known.coverages:
        return [
            (f"coverage:{one.id}:{one.revision}", f"coverage_{one.status}", one.id)
            for one in known.coverages
            if one.status is not None
        ]
    case = _without_coverage(known.person, now, card_settles)
    return [(f"coverage:{known.person.intake_id}:{case}", f"coverage_{case}", None)] if case else []


def _without_coverage(person: Person, now: datetime, card_settles: timedelta) -> str | None:
    """Why no payer will be asked; None while one still may be."""
    if person.coverage_typed:
        return None
    if person.card_received:
        settles_at = card_settles_at(person, card_settles)
        unread = person.card_outcome in (CardOutcome.UNREADABLE, CardOutcome.FAILED)
        return "card_unreadable" if unread or (settles_at and settles_at <= now) else None
    return "self_pay" if person.insured is Insured.NO else "no_card"


def _channels(person: Person, template: Template) -> list[Channel]:
    possible = {Channel.EMAIL: person.email is not None, Channel.SMS: person.may_be_texted}
    return [channel for channel in template.channels if possible[channel]] or [Channel.PHONE]


# When a text may come


def text_allowed_at(known: Known, template: Template, now: datetime, texts: Texts, clinic_zone: ZoneInfo) -> datetime:
    """The first moment, from now on, at which this text may be sent to this person."""
    asked_at = known.person.submitted_at
    if template.answers_the_person and asked_at and now - asked_at <= texts.answer_within:
        return now
    zones = _zones(known.person.phone, clinic_zone) if texts.zone == "recipient" else [clinic_zone]
    return _within_hours(now, texts, zones) or _within_hours(now, texts, [clinic_zone]) or now


def _zones(phone: str | None, clinic_zone: ZoneInfo) -> list[ZoneInfo]:
    """Where the number may be at home. A mobile may be elsewhere: nobody can tell."""
    try:
        names = phone_zones.time_zones_for_number(phonenumbers.parse(phone or ""))
    except phonenumbers.NumberParseException:
        names = ()
    return [ZoneInfo(name) for name in names if name != phone_zones.UNKNOWN_TIMEZONE] or [clinic_zone]


_STEP = timedelta(minutes=5)


def _within_hours(now: datetime, texts: Texts, zones: Sequence[ZoneInfo]) -> datetime | None:
    """The first moment that is within the hours in every zone; None where no moment of a day is."""
    whole = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    moments = [now, *(whole + step * _STEP for step in range(1, timedelta(days=1) // _STEP + 1))]
    inside = (moment for moment in moments if all(texts.hours.include(moment.astimezone(zone)) for zone in zones))
    return next(inside, None)
