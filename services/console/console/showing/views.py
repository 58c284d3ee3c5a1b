"""What is shown of people, tasks and events, on pages and as JSON alike. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from chassis.http import Role
from console.following import tasks as derived
from console.following.coverage import Cause, CoverageState, standing_of
from console.following.model import Appointment, Coverage, Done, Known, Message, MessageFate, Stage, stage_of, stream_of
from console.following.tasks import Task, TaskKind, TaskOwner
from console.following.wording import Wording
from console.showing.reading import Line, OpenTask, Person
from contracts.billing import Benefit
from contracts.event import Event
from contracts.intake import CardOutcome, Insured, RiskLevel, Treatment
from contracts.notify import Channel


class DangerShown(BaseModel):
    since: datetime
    level: RiskLevel
    says: str


class CoverageShown(BaseModel):
    """The answer to "are they insured": never "no" where it is not known."""

    state: CoverageState
    cause: Cause
    because: str = Field(description="One sentence")
    owner: TaskOwner | None = Field(description="Who acts next; null where nobody has to")
    since: datetime
    payer: str | None = None
    plan: str | None = None
    service_date: date | None = Field(None, description="The date that the payer was asked about")
    ended_on: date | None = None
    asking_again_at: datetime | None = None
    last_active: date | None = Field(None, description="The last date for which the payer said yes")
    contradicted: list[str] = Field([], description="Fields in which card and form differ")
    benefits: list[Benefit] = []


class AppointmentShown(Appointment):
    """An appointment as it stands."""


class MessageShown(BaseModel):
    id: str
    channel: Channel
    fate: MessageFate
    at: datetime
    template: str
    matter: str = Field(description="What it is about, in words")
    purpose: str
    cause: str | None


class TaskShown(BaseModel):
    """Something that stands open. Before `person_from` it waits for others."""

    id: int
    patient_id: str
    name: str | None
    reference: str | None
    kind: TaskKind
    heading: str
    since: datetime
    person_from: datetime
    owner: TaskOwner = Field(description="Who acts next")
    owner_words: str
    why: str
    what_to_do: str
    late: bool = Field(description="It has stood for longer than it should")
    by_hand: bool = Field(description="A person may mark it done; the others end when a service says so")
    version: str = Field(description="What marking it done takes: another one when there is more to it than before")


class DoneShown(BaseModel):
    """Somebody of the clinic marked this as done."""

    kind: str
    heading: str
    by: str
    at: datetime


class PatientShown(BaseModel):
    """One line of the list."""

    id: str
    name: str | None = Field(description="null until intake has registered them")
    reference: str | None
    stage: Stage
    stage_words: str
    arrived_at: datetime
    in_danger: DangerShown | None
    coverage: CoverageShown
    appointment: AppointmentShown | None = Field(description="The next one")
    messages: list[MessageShown] = Field(description="The newest of each channel")


class EventShown(BaseModel):
    id: str
    type: str
    service: str
    at: datetime
    sequence: int = Field(description="Counts what this service said about this subject, from 1")
    correlation_id: str
    causation_id: str | None
    seconds_since_previous: float | None = Field(description="null for the first event there is")
    content: dict[str, Any] = Field(description="What it said, without what is marked as private where not for you")

    @property
    def words(self) -> str:
        """`billing.coverage_verified.v1` → `coverage verified`."""
        return self.type.split(".")[1].replace("_", " ")


class PatientDetail(PatientShown):
    """One person, all of it."""

    phone: str | None
    email: str | None
    birth_date: date | None
    insured: Insured | None
    treatment: Treatment | None
    card_received: bool
    card_outcome: CardOutcome | None
    registered_at: datetime | None
    submitted_at: datetime | None
    texts: Annotated[bool, Field(description="They agreed to texts, and have not stopped them since")]
    texts_stopped_at: datetime | None
    other_coverages: list[CoverageShown]
    appointments: list[AppointmentShown] = Field(description="The next first, then those that are over")
    all_messages: list[MessageShown] = Field(description="The newest first")
    tasks: list[TaskShown]
    done: list[DoneShown] = Field(description="What was marked as done by hand, the newest first")
    events: list[EventShown] = Field(description="In order; the newest page of them unless asked otherwise")
    earlier: str | None = Field(description="Ask with `before` set to this for the events before these")


class Views:
    """Puts what is known into what is shown, in the clinic's words."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._rules = wording.rules

    def patient(self, person: Person, now: datetime) -> PatientShown:
        known = person.known
        coming = known.next_appointment(now)
        return PatientShown(
            id=person.id,
            name=known.name,
            reference=known.reference,
            stage=stage_of(known),
            stage_words=self._stage(known, coming),
            arrived_at=known.arrived_at,
            in_danger=self._danger(known),
            coverage=self.coverage(known),
            appointment=_shown(coming) if coming else None,
            messages=list({one.channel: self._message(one) for one in known.messages}.values()),
        )

    def detail(
        self, person: Person, now: datetime, tasks: Iterable[OpenTask], events: list[EventShown], earlier: str | None
    ) -> PatientDetail:
        known = person.known
        stopped, agreed = known.texts_stopped_at, known.texts_consented_at
        taken = standing_of(known).coverage
        over = [one for one in reversed(known.appointments) if one.ends_at <= now]
        coming = [one for one in known.appointments if one.ends_at > now]
        return PatientDetail(
            **self.patient(person, now).model_dump(),
            **known.model_dump(include=_PLAIN),
            card_outcome=known.card.outcome if known.card else None,
            texts=agreed is not None and (stopped is None or agreed > stopped),
            other_coverages=[self._coverage_alone(one, known) for one in known.coverages if one != taken],
            appointments=[_shown(one) for one in (*coming, *over)],
            all_messages=[self._message(one) for one in reversed(known.messages)],
            tasks=self.tasks(tasks, now),
            done=[self._done(one) for one in reversed(known.done)],
            events=events,
            earlier=earlier,
        )

    def coverage(self, known: Known) -> CoverageShown:
        standing = standing_of(known)
        coverage = standing.coverage
        facts: dict[str, Any] = coverage.model_dump(include=_OF_COVERAGE) if coverage else {}
        return CoverageShown(
            state=standing.state,
            cause=standing.cause,
            because=(standing.sentence or self._wording.coverage_causes[standing.cause]).removesuffix("."),
            owner=TaskOwner(standing.owner.value) if standing.owner else None,
            since=standing.since,
            **facts,
        )

    def tasks(self, rows: Iterable[OpenTask], now: datetime) -> list[TaskShown]:
        """Rows as they stand now: one that has just ended, or was never made, is left out."""
        shown: list[TaskShown] = []
        for row in rows:
            current = derived.tasks_of(row.person.known, self._rules, now)
            task = next((one for one in current if (one.kind, one.about) == (row.kind, row.about)), None)
            if task is not None:
                shown.append(self._task(row, task, now))
        return shown

    def _done(self, done: Done) -> DoneShown:
        heading = self._wording.tasks[TaskKind(done.kind)].heading
        return DoneShown(kind=done.kind, heading=heading, by=done.by, at=done.at)

    def _task(self, row: OpenTask, task: Task, now: datetime) -> TaskShown:
        words, known = self._wording.tasks[row.kind], row.person.known
        return TaskShown(
            id=row.id,
            patient_id=row.person.id,
            name=known.name,
            reference=known.reference,
            kind=row.kind,
            heading=words.heading,
            since=row.since,
            person_from=row.person_from,
            owner=row.owner,
            owner_words=self._wording.owners[row.owner],
            why=self._why(known, task),
            what_to_do=words.what_to_do,
            late=now >= task.late_from,
            by_hand=words.by_hand,
            version=task.version,
        )

    def _why(self, known: Known, task: Task) -> str:
        match task.kind:
            case TaskKind.IN_DANGER:
                danger = self._danger(known)
                return danger.says if danger else ""
            case TaskKind.ASSESSMENT_UNPLACED if known.unplaced:
                return f"Nothing is free until {known.unplaced.searched_until:%-d %b %Y}."
            case TaskKind.ASSESSMENT_AWAITED:
                return "They asked for help, and no time has been given to them yet."
            case TaskKind.NO_CHANNEL:
                return f"No e-mail address, and no consent to texts. Not told of: {self._matters(known, phone=True)}."
            case TaskKind.MESSAGE_FAILED:
                return f"Not told of: {self._matters(known, phone=False)}."
            case TaskKind.REPLY_TO_READ:
                return "A text that is neither STOP nor START."
            case _:
                return f"{(task.why or self.coverage(known).because).removesuffix('.')}."

    def _matters(self, known: Known, *, phone: bool) -> str:
        of_kind = [one for one in derived.unreached(known) if (one.cause == derived.NO_CHANNEL) is phone]
        return ", ".join(dict.fromkeys(self._wording.matter(one.template) for one in of_kind))

    def _stage(self, known: Known, coming: Appointment | None) -> str:
        stage = stage_of(known)
        return self._wording.after_appointment if stage is Stage.BOOKED and not coming else self._wording.stages[stage]

    def _danger(self, known: Known) -> DangerShown | None:
        if known.danger is None:
            return None
        says = self._wording.risk_levels[known.danger.level]
        return DangerShown(since=known.danger.since, level=known.danger.level, says=says)

    def _coverage_alone(self, one: Coverage, known: Known) -> CoverageShown:
        return self.coverage(known.model_copy(update={"coverages": (one,)}))

    def _message(self, one: Message) -> MessageShown:
        return MessageShown(**one.model_dump(), matter=self._wording.matter(one.template))


_PLAIN: Final = {
    "phone",
    "email",
    "birth_date",
    "insured",
    "treatment",
    "card_received",
    "registered_at",
    "submitted_at",
    "texts_stopped_at",
}
_OF_COVERAGE: Final = {
    "payer",
    "plan",
    "service_date",
    "ended_on",
    "asking_again_at",
    "last_active",
    "contradicted",
    "benefits",
}


def _shown(one: Appointment) -> AppointmentShown:
    return AppointmentShown(**one.model_dump())


def percent(share: str) -> str:
    """`0.2` → `20 %`."""
    return f"{(Decimal(share) * 100).normalize():f} %"


# Events

_PRIVATE_FROM: Final[dict[Role, frozenset[str]]] = {
    Role.STAFF: frozenset({"intake", "scheduling", "billing", "notify"}),
    Role.CLINICIAN: frozenset({"intake", "scheduling", "billing", "notify"}),
    Role.BILLING: frozenset({"intake", "billing"}),
}
"""The streams whose private fields a role may read (minimum necessary, 45 CFR 164.502(b))."""


def may_read_private(role: Role, type: str) -> bool:
    return stream_of(type) in _PRIVATE_FROM.get(role, ())


def content_of(event: Event, *, private: bool) -> dict[str, Any]:
    """What an event says, as JSON values. Fields that are marked as PHI only with `private`."""
    return _content(event, private=private)


def _content(value: BaseModel, *, private: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    plain = value.model_dump(mode="json", exclude_none=True)
    for name, field in type(value).model_fields.items():
        if name not in plain or (not private and field.json_schema_extra == {"x-phi": True}):
            continue
        inner: Any = getattr(value, name)
        match inner:
            case BaseModel():
                kept[name] = _content(inner, private=private)
            case tuple() if inner and isinstance(inner[0], BaseModel):
                kept[name] = [_content(one, private=private) for one in inner]
            case _:
                kept[name] = plain[name]
    return kept


def event_shown(line: Line, content: dict[str, Any], before: Line | None) -> EventShown:
    return EventShown(
        id=line.event_id,
        type=line.type,
        service=stream_of(line.type),
        at=line.at,
        sequence=line.sequence,
        correlation_id=line.correlation_id,
        causation_id=line.causation_id,
        seconds_since_previous=(line.at - before.at).total_seconds() if before else None,
        content=content,
    )
