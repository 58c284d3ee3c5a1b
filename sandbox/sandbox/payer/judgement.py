"""What the payer answers to a question, before it is written as X12."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.payer.catalogue import Catalogue, Dependent, Member, Payer, Plan, Rejection
from sandbox.payer.inquiry import Asked, Inquiry, parse_date
from sandbox.payer.members import Register, same_name

OLDEST_SERVICE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Refused:
    """An AAA in place of an answer. Without a payer or member, as much as was asked is echoed."""

    rejection: Rejection
    payer: Payer | None = None


@dataclass(frozen=True, slots=True)
class Covered:
    """What is known of a member on the day of service; `active` is false outside their coverage's dates."""

    payer: Payer
    member: Member
    dependent: Dependent | None
    plan: Plan
    service_day: date
    active: bool
    ended: date | None
    visits_left: int | None


def judge(inquiry: Inquiry, register: Register, catalogue: Catalogue, today: date) -> Refused | Covered:
    """Answer by the payer's record. `today` serves where the question does not date itself (BHT04)."""
    payer = catalogue.payer(inquiry.payer[9]) if inquiry.payer[9] else None
    if payer is None:
        return Refused(Rejection(loop="source", code="T4", valid="N", next_step="C"))
    if inquiry.patients > 1:
        return Refused(Rejection(loop="source", code="04", valid="N", next_step="C"), payer)
    found = _recognize(inquiry, payer, register)
    if isinstance(found, Rejection):
        return Refused(found, payer)
    asked_on = inquiry.asked_on or today
    service_day = parse_date(inquiry.patient.date) or asked_on
    if code := _outside_window(service_day, asked_on, payer):
        return Refused(_of_patient(inquiry, code), payer)
    return _cover(inquiry, payer, found, register, catalogue, service_day)


def _recognize(inquiry: Inquiry, payer: Payer, register: Register) -> Member | Rejection:
    """The subscriber, or why there is none to be had."""
    asked = inquiry.subscriber
    if not re.fullmatch(payer.pattern, asked.member_id.upper()):
        return Rejection(code="72")
    member = register.find(payer.key, asked.member_id)
    if member is None:
        return Rejection(code="75")
    if rejection := register.scenario(member).rejection:
        return rejection
    if inquiry.dependent is None:
        code = _mismatch(asked, member.first, member.last, member.born)
        return Rejection(code=code) if code else member
    if asked.last_name and not same_name(asked.last_name, member.last):
        return Rejection(code="73")
    return member


def _mismatch(asked: Asked, first: str, last: str, born: date) -> str | None:
    """AAA03 for a person who is not quite as on record; None if they agree."""
    if asked.birth_date is None:
        return "58"
    if asked.birth_date != born:
        return "71"
    if not same_name(asked.last_name, last):
        return "73"
    initial = asked.first_name[:1].upper()
    return "73" if initial and initial != first[:1].upper() else None


def _outside_window(service_day: date, asked_on: date, payer: Payer) -> str | None:
    """AAA 62 for a day too long gone, 63 for one further ahead than this payer looks."""
    if service_day < asked_on - OLDEST_SERVICE:
        return "62"
    if payer.answers_ahead == "end_of_month":
        last = asked_on.replace(day=calendar.monthrange(asked_on.year, asked_on.month)[1])
    else:
        last = asked_on + timedelta(days=payer.answers_ahead)
    return "63" if service_day > last else None


def _of_patient(inquiry: Inquiry, code: str) -> Rejection:
    return Rejection(loop="dependent" if inquiry.dependent else "subscriber", code=code)


def _cover(
    inquiry: Inquiry,
    payer: Payer,
    member: Member,
    register: Register,
    catalogue: Catalogue,
    service_day: date,
) -> Refused | Covered:
    dependent: Dependent | None = None
    if (asked := inquiry.dependent) is not None:
        dependent = next((d for d in member.dependents if not _mismatch(asked, d.first, d.last, d.born)), None)
        if dependent is None:
            return Refused(Rejection(loop="dependent", code="67"), payer)
    scenario = register.scenario(member)
    ended = scenario.ended
    return Covered(
        payer=payer,
        member=member,
        dependent=dependent,
        plan=catalogue.plans[scenario.plan],
        service_day=service_day,
        active=ended is None or service_day <= ended,
        ended=ended,
        visits_left=scenario.visits_left,
    )
