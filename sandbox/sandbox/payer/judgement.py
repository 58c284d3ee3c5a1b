"""What the payer answers to a question, before it is written as X12."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.payer.catalogue import Catalogue, Dependent, Member, Payer, Plan, Rejection, Scenario
from sandbox.payer.inquiry import Asked, Inquiry, parse_date
from sandbox.payer.names import same_name

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


def judge(
    inquiry: Inquiry, payer: Payer, found: Member | Rejection, catalogue: Catalogue, today: date
) -> Refused | Covered:
    """Answer for the member that was found. `today` serves where the question does not date itself (BHT04)."""
    if inquiry.patients > 1:
        return Refused(Rejection(loop="request", code="04"), payer)
    if isinstance(found, Rejection):
        return Refused(found, payer)
    scenario = catalogue.scenarios[found.scenario]
    if rejection := scenario.rejection or _unlike(inquiry, found):
        return Refused(rejection, payer)
    asked_on = inquiry.asked_at.date() if inquiry.asked_at else today
    service_day = parse_date(inquiry.patient.date) or asked_on
    if code := _outside_window(service_day, asked_on, payer):
        return Refused(_of_patient(inquiry, code), payer)
    return _cover(inquiry, payer, found, scenario, catalogue.plans[scenario.plan], service_day)


def _unlike(inquiry: Inquiry, member: Member) -> Rejection | None:
    """Why the subscriber asked about is not this member; None if it may be."""
    asked = inquiry.subscriber
    if inquiry.dependent is None:
        code = _mismatch(asked, member.first, member.last, member.born)
        return Rejection(code=code) if code else None
    return Rejection(code="73") if asked.last_name and not same_name(asked.last_name, member.last) else None


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
    inquiry: Inquiry, payer: Payer, member: Member, scenario: Scenario, plan: Plan, service_day: date
) -> Refused | Covered:
    dependent: Dependent | None = None
    if (asked := inquiry.dependent) is not None:
        dependent = next((d for d in member.dependents if not _mismatch(asked, d.first, d.last, d.born)), None)
        if dependent is None:
            return Refused(Rejection(loop="dependent", code="67"), payer)
    ended = scenario.ended
    return Covered(
        payer=payer,
        member=member,
        dependent=dependent,
        plan=plan,
        service_day=service_day,
        active=ended is None or service_day <= ended,
        ended=ended,
        visits_left=scenario.visits_left,
    )
