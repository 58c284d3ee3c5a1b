"""A verification: its states, and what follows from each finding. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from billing.clinic import Clinic
from billing.payers.directory import Payer
from billing.verification import causes
from billing.verification.answer import Finding, Next, Outcome
from billing.verification.causes import Cause
from contracts.ids import CoverageId, VerificationId


class State(StrEnum):
    """Where a verification stands.

    asking → waiting → asking … → concluded, or with_person; superseded once another has taken its place.
    """

    ASKING = "asking"
    WAITING = "waiting"
    WITH_PERSON = "with_person"
    CONCLUDED = "concluded"
    SUPERSEDED = "superseded"


class Reason(StrEnum):
    """Why a coverage is asked about."""

    REPORTED = "reported"
    VISIT = "visit"
    TURN = "turn"
    """The month, the plan or its year has turned."""
    CORRECTED = "corrected"
    BY_HAND = "by_hand"
    ASKED = "asked"
    """By a program that wants to know, about somebody who is no patient here."""
    FORCED = "forced"
    """By hand, although the payer had answered the same question that day."""


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification as it stands."""

    id: VerificationId
    coverage_id: CoverageId
    patient_id: str
    payer_id: str | None
    payer: str
    service_date: date
    service_types: tuple[str, ...]
    reason: Reason
    state: State
    requested_at: datetime
    outcome: Outcome | None = None
    cause_code: str | None = None
    to_do: str | None = None
    questions: int = 0
    unanswered: int = 0
    plan_ends: date | None = None
    benefit_year_ends: date | None = None

    @property
    def turns(self) -> tuple[date, ...]:
        """The first days on which what was answered need not hold any more."""
        ends = (self.plan_ends, self.benefit_year_ends)
        return tuple(end + timedelta(days=1) for end in ends if end is not None and end >= self.service_date)


@dataclass(frozen=True, slots=True)
class Step:
    """What a finding does to a verification. `tell_person` is what somebody is asked to do, once for each cause."""

    state: State
    cause: Cause | None
    asking_again_at: datetime | None = None
    tell_person: str | None = None


def step(verification: Verification, finding: Finding, now: datetime, clinic: Clinic) -> Step:
    """The next step after a finding. A passing failure is tried again by the clinic's schedule, then told a person.

    What a program asked is nobody's task here: it ends, and whoever asked is told the cause.
    """
    found = _step(verification, finding, now, clinic)
    if verification.reason is not Reason.ASKED:
        return found
    ended = State.CONCLUDED if found.state is State.WITH_PERSON else found.state
    return replace(found, state=ended, tell_person=None)


def _step(verification: Verification, finding: Finding, now: datetime, clinic: Clinic) -> Step:
    cause = finding.cause
    match finding.next:
        case Next.NOTHING:
            return Step(State.CONCLUDED, cause)
        case Next.PERSON:
            return Step(State.WITH_PERSON, cause, tell_person=_to_do(cause))
        case Next.WAIT_FOR_PAYER:
            until = now + timedelta(days=clinic.waits_for_payer_days)
            return Step(State.WAITING, causes.cause("payer_will_answer"), until)
        case Next.ASK_AGAIN:
            told = _to_do(cause) if finding.tell_person else None
            if finding.after is not None:
                return Step(State.WAITING, cause, now + finding.after, told)
            waits = clinic.asks_again_after_minutes
            if verification.unanswered < len(waits):
                return Step(State.WAITING, cause, now + timedelta(minutes=waits[verification.unanswered]), told)
            return Step(State.WITH_PERSON, cause, tell_person=_to_do(cause))


def _to_do(cause: Cause | None) -> str | None:
    return cause.to_do if cause else None


def visit_check_at(visit: datetime, now: datetime, payer: Payer, clinic: Clinic, last: Verification) -> datetime | None:
    """When to ask again for a visit; None when the last question will still do on that day.

    - As the visit's day comes inside the payer's window, unless it was inside already when the last question was asked.
    - At once, where it is inside: a question about another month than the visit's will not do, for plans turn with
      months and years. Nor will one about a day before the visit's if the plan ends or its year turns in between.
    - `verified_before_visit_hours` before the visit, but not before the month, the plan or its year has turned, unless
      it was asked on that day or later: what a payer says of the time after a turn is a forecast. Where the payer's
      window is shorter than these hours, that one is about the day it is asked on, and the visit's own day follows.
    """
    if now >= visit:
        return None
    day, asked_on = clinic.local(visit).date(), clinic.local(last.requested_at).date()
    turns = [turn for turn in last.turns if turn <= day]
    other_month = (last.service_date.year, last.service_date.month) != (day.year, day.month)
    opens = payer.opens_for(day)
    due: list[datetime] = []
    if other_month or (last.service_date < day if turns else last.service_date != day and asked_on < opens):
        due.append(_early(opens, clinic))
    turned = _early(max([day.replace(day=1), *turns]), clinic)
    fresh_from = max(visit - timedelta(hours=clinic.verified_before_visit_hours), turned)
    if asked_on < clinic.local(fresh_from).date():
        due.append(fresh_from)
    return max(now, min(due)) if due else None


IN_CARE = timedelta(days=45)
"""A patient is in a course while a visit lies ahead, or behind by no more than this: maintenance is monthly at most."""


def turn_check_at(last: Verification, clinic: Clinic) -> datetime:
    """When what was asked last need not hold any more, visit or none: the month, the plan or its year has turned."""
    asked_on = clinic.local(last.requested_at).date()
    next_month = (asked_on.replace(day=1) + timedelta(days=32)).replace(day=1)
    return _early(min([next_month, *(turn for turn in last.turns if turn > asked_on)]), clinic)


def _early(day: date, clinic: Clinic) -> datetime:
    return datetime.combine(day, _EARLY, tzinfo=clinic.time_zone)


_EARLY = time(0, 5)
