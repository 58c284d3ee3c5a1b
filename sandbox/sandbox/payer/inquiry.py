"""A 270 as the payer understands it (X12 005010X279A1, 270)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sandbox.payer.x12 import Interchange, Segment

SOURCE, RECEIVER, SUBSCRIBER, DEPENDENT = "20", "21", "22", "23"

_ABSENT = Segment()


@dataclass(slots=True)
class Asked:
    """A person as the question names them; empty where it does not."""

    name: Segment = _ABSENT
    """NM1 of 2100C or 2100D."""
    demographics: Segment = _ABSENT
    traces: list[Segment] = field(default_factory=lambda: list[Segment]())
    service_types: list[str] = field(default_factory=lambda: list[str]())
    procedures: list[str] = field(default_factory=lambda: list[str]())
    date: str = ""
    """DTP03 with qualifier 291; the first day, if it is a range."""

    @property
    def last_name(self) -> str:
        return self.name[3]

    @property
    def first_name(self) -> str:
        return self.name[4]

    @property
    def member_id(self) -> str:
        return self.name[9] if self.name[8] == "MI" else ""

    @property
    def birth_date(self) -> date | None:
        return parse_date(self.demographics[2]) if self.demographics[1] == "D8" else None


@dataclass(slots=True)
class Inquiry:
    """One real-time question: at most one patient (005010X279A1, 1.4.3)."""

    reference: str
    """BHT03, echoed by the answer."""
    asked_at: datetime | None
    """BHT04 and BHT05: the asker's now, without a zone."""
    payer: Segment = _ABSENT
    provider: Segment = _ABSENT
    subscribers: list[Asked] = field(default_factory=lambda: list[Asked]())
    dependents: list[Asked] = field(default_factory=lambda: list[Asked]())

    @property
    def subscriber(self) -> Asked:
        return self.subscribers[0]

    @property
    def dependent(self) -> Asked | None:
        return self.dependents[0] if self.dependents else None

    @property
    def patient(self) -> Asked:
        return self.dependent or self.subscriber

    @property
    def patients(self) -> int:
        return max(len(self.subscribers), len(self.dependents))


def parse_date(text: str) -> date | None:
    """CCYYMMDD as a date; None for anything else."""
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _moment(day: str, time: str) -> datetime | None:
    """CCYYMMDD and HHMM; midnight without a readable time."""
    known = parse_date(day)
    if known is None:
        return None
    clock = time[:4]
    hour, minute = (int(clock[:2]), int(clock[2:])) if len(clock) == 4 and clock.isdecimal() else (0, 0)
    return datetime(known.year, known.month, known.day, hour % 24, minute % 60)


def read_inquiry(asked: Interchange) -> Inquiry:
    """Gather the 270 of `asked`; what it lacks stays empty, for `faults.find` to refuse."""
    bht = asked.first("BHT")
    inquiry = Inquiry(reference=bht[3], asked_at=_moment(bht[4], bht[5]))
    level, person = "", Asked()
    for segment in asked.segments:
        if segment.id == "HL":
            level = segment[3]
            if level in (SUBSCRIBER, DEPENDENT):
                person = Asked()
                (inquiry.subscribers if level == SUBSCRIBER else inquiry.dependents).append(person)
        elif level == SOURCE and segment.id == "NM1":
            inquiry.payer = segment
        elif level == RECEIVER and segment.id == "NM1":
            inquiry.provider = segment
        elif level in (SUBSCRIBER, DEPENDENT):
            _note(person, segment, asked.separators.repetition)
    return inquiry


def _note(person: Asked, segment: Segment, repetition: str) -> None:
    match segment.id:
        case "TRN":
            person.traces.append(segment)
        case "NM1":
            person.name = segment
        case "DMG":
            person.demographics = segment
        case "DTP" if segment[1] == "291":
            person.date = segment[3].split("-")[0]
        case "EQ":
            person.service_types += [code for code in segment[1].split(repetition) if code]
            person.procedures += [segment[2]] if segment[2] else []
        case _:
            pass
