"""The clinic's working facts, read from YAML and checked: who, where, when, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from contracts.scheduling import AppointmentKind

OWN_FILE = Path(__file__).with_name("clinic.yaml")


class BadClinicFile(ValueError):
    """A clinic file that cannot be worked with: every fault with its place, and what is accepted."""


class Weekday(StrEnum):
    """In the order of `date.weekday()`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @classmethod
    def of(cls, day: date) -> Weekday:
        return list(cls)[day.weekday()]


def _wall_time(value: object) -> time:
    """`"08:30"`. YAML reads an unquoted 08:30 as a number, so a number is refused with a hint."""
    if isinstance(value, time):
        return value
    try:
        return datetime.strptime(value, "%H:%M").time() if isinstance(value, str) else _unquoted()
    except ValueError:
        raise ValueError('a time is written in quotes as "HH:MM", 24-hour') from None


def _unquoted() -> time:
    raise ValueError


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ValueError, OSError, KeyError):
        raise ValueError("an IANA time zone is wanted, such as America/New_York") from None


WallTime = Annotated[time, BeforeValidator(_wall_time)]
Number = Annotated[int, Field(gt=0, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


class Hours(_Part):
    """From one time of the day to a later one, by the clinic's wall clock."""

    from_: WallTime = Field(alias="from")
    to: WallTime

    @model_validator(mode="after")
    def _runs_forward(self) -> Hours:
        if self.from_ >= self.to:
            raise ValueError("`from` has to be before `to`")
        return self


Week = Mapping[Weekday, tuple[Hours, ...]]


class Days(_Part):
    """Whole days, both ends included."""

    from_: date = Field(alias="from")
    to: date
    why: str

    @model_validator(mode="after")
    def _runs_forward(self) -> Days:
        if self.from_ > self.to:
            raise ValueError("`from` has to be on or before `to`")
        return self

    def include(self, day: date) -> bool:
        return self.from_ <= day <= self.to


class Clinician(_Part):
    number: Number
    name: str = Field(min_length=1)
    skills: frozenset[AppointmentKind]
    hours: Week | None = None
    absences: tuple[Days, ...] = ()


class Room(_Part):
    number: Number
    name: str = Field(min_length=1)
    used_for: frozenset[AppointmentKind]


class Lead(_Part):
    routine: int = Field(ge=0)
    urgent: int = Field(ge=0)

    @model_validator(mode="after")
    def _urgent_is_sooner(self) -> Lead:
        if self.urgent > self.routine:
            raise ValueError("`urgent` may not be longer than `routine`")
        return self


class Kind(_Part):
    """How an appointment of one kind is made."""

    minutes: int = Field(gt=0, le=12 * 60)
    lead_minutes: Lead

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def lead(self, *, urgent: bool) -> timedelta:
        return timedelta(minutes=self.lead_minutes.urgent if urgent else self.lead_minutes.routine)


class Moving(_Part):
    """When an appointment is brought forward for somebody who may be in danger."""

    sooner_by_hours: int = Field(ge=1)
    notice_hours: int = Field(ge=0)

    @property
    def sooner_by(self) -> timedelta:
        return timedelta(hours=self.sooner_by_hours)

    @property
    def notice(self) -> timedelta:
        return timedelta(hours=self.notice_hours)


class HeldHours(Hours):
    """Hours of one clinician that only urgent appointments may use."""

    clinician: Number
    days: frozenset[Weekday]


class Clinic(_Part):
    """The whole file."""

    time_zone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    place: str = Field(min_length=1)
    grid_minutes: Literal[5, 10, 15, 20, 30, 60]
    horizon_days: int = Field(ge=1, le=366)
    try_again_minutes: int = Field(ge=1)
    opening_hours: Week
    closures: tuple[Days, ...] = ()
    clinicians: tuple[Clinician, ...] = Field(min_length=1)
    rooms: tuple[Room, ...] = Field(min_length=1)
    kinds: Mapping[AppointmentKind, Kind]
    held_for_urgent: tuple[HeldHours, ...] = ()
    moving: Moving
    digest: str = ""
    """Of the file's bytes: changes when anything in it does."""

    @model_validator(mode="after")
    def _holds_together(self) -> Clinic:
        numbers = [resource.number for resource in (*self.clinicians, *self.rooms)]
        if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
            raise ValueError(f"each clinician and room needs a number of its own; given twice: {twice}")
        known = {clinician.number for clinician in self.clinicians}
        if strangers := sorted({held.clinician for held in self.held_for_urgent} - known):
            raise ValueError(f"`held_for_urgent` names clinicians that are not listed: {strangers}")
        for kind in AppointmentKind:
            self._can_be_booked(kind)
        return self

    def _can_be_booked(self, kind: AppointmentKind) -> None:
        if kind not in self.kinds:
            raise ValueError(f"`kinds` lacks {kind.value}")
        if not any(kind in clinician.skills for clinician in self.clinicians):
            raise ValueError(f"no clinician has the skill {kind.value}")
        if not any(kind in room.used_for for room in self.rooms):
            raise ValueError(f"no room is used for {kind.value}")

    def today(self, now: datetime) -> date:
        return now.astimezone(self.time_zone).date()


def load_clinic(path: Path = OWN_FILE) -> Clinic:
    """Read and check a clinic file. Raises BadClinicFile, which names each fault and its place."""
    try:
        written = path.read_bytes()
        content: Any = yaml.safe_load(written)
    except OSError as error:
        raise BadClinicFile(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise BadClinicFile(f"{path}: not YAML{where}") from None
    try:
        clinic = Clinic.model_validate(content)
    except ValidationError as error:
        faults = "\n".join(f"  {_place(one['loc'])}: {_sentence(one['msg'])}" for one in error.errors())
        raise BadClinicFile(f"{path} cannot be used:\n{faults}") from None
    return clinic.model_copy(update={"digest": sha256(written).hexdigest()[:16]})


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in location) or "file"


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
