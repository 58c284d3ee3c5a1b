"""What is known of one person, learned event by event. Pure: the same events end in the same knowledge."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict

from contracts import billing, intake, notify, scheduling
from contracts.envelope import Envelope
from contracts.event import Event

KEPT: Final = 24
"""Messages and appointments remembered of each person, the newest; the journal keeps all."""
DONE_KEPT: Final = 100
"""Of what was marked as done for each person, so much is remembered, the newest."""


class Fact(BaseModel):
    """Kept as JSON; fields only ever gain optional neighbours, so that rows written before stay readable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Card(Fact):
    """What came of a photographed card."""

    outcome: intake.CardOutcome
    read_at: datetime
    names: tuple[str, ...] = ()
    """Of the fields that could be read."""

    @property
    def is_enough(self) -> bool:
        """A payer can be asked with what it says."""
        return {"payer", "member_id"} <= set(self.names)


class Danger(Fact):
    since: datetime
    level: intake.RiskLevel


class Unplaced(Fact):
    """No time was free for the assessment."""

    since: datetime
    urgent: bool
    searched_until: date
    trying_again_at: datetime


class CoverageStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    UNDETERMINED = "undetermined"


class StaffLook(Fact):
    """Billing asks a person to look."""

    verification_id: str
    since: datetime
    cause_code: str
    what_to_do: str


class Coverage(Fact):
    """One insurance: what the person reported, and what billing found out. Either may be known before the other."""

    id: str
    payer: str | None = None
    reported_at: datetime | None = None
    source: str | None = None
    contradicted: tuple[str, ...] = ()
    asked_at: datetime | None = None
    """When the payer was last asked; None once it has answered."""
    status: CoverageStatus | None = None
    status_since: datetime | None = None
    service_date: date | None = None
    plan: str | None = None
    ended_on: date | None = None
    cause_code: str | None = None
    cause: str | None = None
    owner: billing.Owner | None = None
    asking_again_at: datetime | None = None
    staff_look: StaffLook | None = None
    benefits: tuple[billing.Benefit, ...] = ()
    last_active: date | None = None
    """The date of the last question that was answered with yes."""


class Appointment(Fact):
    id: str
    version: int
    kind: scheduling.AppointmentKind
    starts_at: datetime
    ends_at: datetime
    clinician: str
    room: str
    urgent: bool
    moved_from: datetime | None = None


class MessageFate(StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


class Message(Fact):
    id: str
    channel: notify.Channel
    fate: MessageFate
    at: datetime
    purpose: str = ""
    template: str = ""
    cause: str | None = None


class Done(Fact):
    """What somebody of the clinic marked as done, here and not on any stream."""

    kind: str
    things: tuple[str, ...]
    """What exactly was dealt with: ids of messages, or what a task was about and since when."""
    by: str
    at: datetime


class Known(Fact):
    """Everything that the lists and the page of a person show, but for the journal."""

    first_heard_at: datetime
    positions: dict[str, int] = {}
    """The sequence of the last event taken in, by stream."""
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    birth_date: date | None = None
    registered_at: datetime | None = None
    submitted_at: datetime | None = None
    reference: str | None = None
    insured: intake.Insured | None = None
    treatment: intake.Treatment | None = None
    card_received: bool = False
    coverage_typed: bool = False
    card: Card | None = None
    danger: Danger | None = None
    texts_consented_at: datetime | None = None
    texts_stopped_at: datetime | None = None
    unread_reply_at: datetime | None = None
    """When they last texted something that a person should read."""
    unplaced: Unplaced | None = None
    coverages: tuple[Coverage, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    messages: tuple[Message, ...] = ()
    done: tuple[Done, ...] = ()

    def with_done(self, *done: Done) -> Known:
        return self.model_copy(update={"done": (*self.done, *done)[-DONE_KEPT:]})

    def is_done(self, thing: str) -> bool:
        return any(thing in one.things for one in self.done)

    @property
    def arrived_at(self) -> datetime:
        return self.submitted_at or self.registered_at or self.first_heard_at

    def next_appointment(self, now: datetime) -> Appointment | None:
        return min((one for one in self.appointments if one.ends_at > now), key=lambda one: one.starts_at, default=None)


class Stage(StrEnum):
    HEARD_OF = "heard_of"
    """Another stream spoke of them first."""
    REGISTERED = "registered"
    ASKED = "asked"
    """Sent the form."""
    UNPLACED = "unplaced"
    BOOKED = "booked"


def stage_of(known: Known) -> Stage:
    if known.appointments:
        return Stage.BOOKED
    if known.unplaced:
        return Stage.UNPLACED
    if known.submitted_at:
        return Stage.ASKED
    return Stage.REGISTERED if known.registered_at else Stage.HEARD_OF


def stream_of(type: str) -> str:
    """`billing.coverage_verified.v1` → `billing`."""
    return type.partition(".")[0]


def learn(known: Known | None, event: Event, envelope: Envelope) -> Known:
    """What is known after an event. One that is older than what its stream said last changes nothing."""
    known = known or Known(first_heard_at=envelope.time)
    stream = stream_of(envelope.type)
    if envelope.sequence <= known.positions.get(stream, 0):
        return known
    changes = _changes(known, event, envelope.time)
    return known.model_copy(update=changes | {"positions": known.positions | {stream: envelope.sequence}})


Changes = dict[str, Any]


def _changes(known: Known, event: Event, at: datetime) -> Changes:
    match stream_of(event.type):
        case "intake":
            return _from_intake(known, event, at)
        case "scheduling":
            return _from_scheduling(known, event, at)
        case "billing":
            return _from_billing(known, event, at)
        case _:
            return _from_notify(known, event, at)


def _from_intake(known: Known, event: Event, at: datetime) -> Changes:
    match event:
        case intake.PatientRegistered():
            contact = {"name": event.name, "phone": event.phone, "email": event.email, "birth_date": event.birth_date}
            return {**contact, "registered_at": known.registered_at or at}
        case intake.Submitted():
            asked = event.model_dump(include={"reference", "insured", "treatment", "card_received", "coverage_typed"})
            danger = _endangered(known, at, intake.RiskLevel.UNASSESSED) if event.in_danger else known.danger
            return {**asked, "submitted_at": at, "danger": danger}
        case intake.RiskFlagged():
            return {"danger": _endangered(known, at, event.level)}
        case intake.ConsentRecorded(kind="texts"):
            return {"texts_consented_at": event.given_at}
        case intake.CardRead():
            names = tuple(field.name for field in event.fields)
            return {"card": Card(outcome=event.outcome, read_at=at, names=names)}
        case intake.CoverageReported():
            before = _coverage(known, event.coverage_id)
            reported = {"reported_at": at, "source": event.source, "contradicted": event.contradicted}
            return _with_coverage(known, before, {**reported, "payer": before.payer or event.payer})
        case _:
            return {}


_LEVELS: Final = tuple(intake.RiskLevel)
"""From the least to the greatest, but for `unassessed`: anything that was asked says more."""


def _endangered(known: Known, at: datetime, level: intake.RiskLevel) -> Danger:
    if known.danger is None:
        return Danger(since=at, level=level)
    return Danger(since=known.danger.since, level=max(known.danger.level, level, key=_LEVELS.index))


def _from_scheduling(known: Known, event: Event, at: datetime) -> Changes:
    match event:
        case scheduling.AppointmentBooked() | scheduling.AppointmentRescheduled():
            before = next((one for one in known.appointments if one.id == event.appointment_id), None)
            if before and before.version >= event.version:
                return {}
            facts = event.model_dump(include=set(Appointment.model_fields))
            moved_from = getattr(event, "previously_starts_at", None)
            after = Appointment(id=event.appointment_id, moved_from=moved_from, **facts)
            kept = sorted(_replaced(known.appointments, after), key=lambda one: one.starts_at)[-KEPT:]
            return {"appointments": tuple(kept), "unplaced": None}
        case scheduling.AssessmentUnplaced():
            since = known.unplaced.since if known.unplaced else at
            facts = event.model_dump(include=set(Unplaced.model_fields))
            return {"unplaced": Unplaced(since=since, **facts)}
        case _:
            return {}


def _from_billing(known: Known, event: Event, at: datetime) -> Changes:
    id = getattr(event, "coverage_id", None)
    if id is None:
        return {}
    before = _coverage(known, id)
    match event:
        case billing.VerificationRequested():
            asked = {"asked_at": at, "payer": event.payer, "staff_look": None}
            return _with_coverage(known, before, asked)
        case billing.CoverageVerified():
            answer = {"plan": event.plan, "ended_on": event.active_to, "benefits": event.benefits}
            answer |= {"last_active": event.service_date}
            return _with_coverage(known, before, _concluded(before, event, CoverageStatus.ACTIVE, at) | answer)
        case billing.CoverageInactive():
            answer = {"ended_on": event.ended_on, "cause": event.cause, "owner": event.owner}
            return _with_coverage(known, before, _concluded(before, event, CoverageStatus.INACTIVE, at) | answer)
        case billing.CoverageUndetermined():
            answer = event.model_dump(include={"cause_code", "cause", "owner", "asking_again_at"})
            return _with_coverage(known, before, _concluded(before, event, CoverageStatus.UNDETERMINED, at) | answer)
        case billing.VerificationNeedsStaff():
            look = StaffLook(since=at, **event.model_dump(include=set(StaffLook.model_fields)))
            return _with_coverage(known, before, {"staff_look": look})
        case _:
            return {}


_OF_AN_ANSWER: Final = ("plan", "ended_on", "cause_code", "cause", "owner", "asking_again_at", "asked_at")


def _concluded(
    before: Coverage,
    event: billing.CoverageVerified | billing.CoverageInactive | billing.CoverageUndetermined,
    status: CoverageStatus,
    at: datetime,
) -> Changes:
    """An answer takes the place of the one before. Only "still not known" leaves a request to staff standing."""
    look = before.staff_look
    same_question = look is not None and look.verification_id == event.verification_id
    return dict.fromkeys(_OF_AN_ANSWER) | {
        "status": status,
        "status_since": before.status_since if before.status is status else at,
        "payer": event.payer,
        "service_date": event.service_date,
        "benefits": (),
        "staff_look": look if same_question and status is CoverageStatus.UNDETERMINED else None,
    }


def _coverage(known: Known, id: str) -> Coverage:
    return next((one for one in known.coverages if one.id == id), Coverage(id=id))


def _with_coverage(known: Known, before: Coverage, changes: Changes) -> Changes:
    return {"coverages": _replaced(known.coverages, before.model_copy(update=changes))}


def _from_notify(known: Known, event: Event, at: datetime) -> Changes:
    match event:
        case notify.MessageSent() | notify.MessageFailed():
            failed = isinstance(event, notify.MessageFailed)
            message = Message(
                id=event.message_id,
                channel=event.channel,
                fate=MessageFate.FAILED if failed else MessageFate.SENT,
                at=at,
                purpose=event.purpose,
                template=event.template,
                cause=event.cause if failed else None,
            )
            return {"messages": _replaced(known.messages, message)[-KEPT:]}
        case notify.MessageDelivered():
            sent = next((one for one in known.messages if one.id == event.message_id), None)
            if sent is None:
                return {}
            delivered = sent.model_copy(update={"fate": MessageFate.DELIVERED, "at": at, "cause": None})
            return {"messages": _replaced(known.messages, delivered)}
        case notify.ReplyReceived(meaning=notify.ReplyMeaning.STOP):
            return {"texts_stopped_at": event.received_at}
        case notify.ReplyReceived(meaning=notify.ReplyMeaning.START):
            return {"texts_stopped_at": None}
        case notify.ReplyReceived():
            return {"unread_reply_at": event.received_at}
        case _:
            return {}


T = TypeVar("T", Coverage, Appointment, Message)


def _replaced(every: Iterable[T], one: T) -> tuple[T, ...]:
    """With `one` in the place of what had its id, or at the end."""
    found = {other.id: other for other in every}
    found[one.id] = one
    return tuple(found.values())
