"""What an answer says about the one who was asked about. Pure: a reply in, a finding out; it never raises.

An answer counts only if it is ours: the trace, the member number and the name agree with the question. What does not
agree is for a person to look at, and for no patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from billing.benefits.by_service import other_payers_shown, services_shown
from billing.benefits.figures import year_ends
from billing.benefits.segments import Told
from billing.benefits.services import Offer
from billing.benefits.shown import OtherPayerShown, ServiceShown
from billing.payers.gateway import PASSING, Reply
from billing.verification import causes
from billing.verification.benefits import ServiceBenefit, of_service
from billing.verification.causes import Cause
from billing.verification.names import Likeness, compare, same_member
from billing.verification.question import Asked
from billing.x12 import Status, read, status
from billing.x12.records import Coverage, File, Party, Rejection, Transaction
from billing.x12.status import bounds, bounds_of_people


class Outcome(StrEnum):
    """What is known of a coverage on the day asked about."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    UNDETERMINED = "undetermined"


class Next(StrEnum):
    """What follows from a finding."""

    NOTHING = "nothing"
    ASK_AGAIN = "ask_again"
    """The same question, later: `after` says when, or else the clinic's schedule."""
    WAIT_FOR_PAYER = "wait_for_payer"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan as the payer names it, and from when to when it holds."""

    name: str | None = None
    begins: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reply comes to. `evidence` are positions of segments in the answer."""

    outcome: Outcome
    next: Next
    cause: Cause | None = None
    after: timedelta | None = None
    tell_person: bool = False
    """Somebody has to correct something, whatever is tried meanwhile."""
    plan: Plan = field(default_factory=Plan)
    benefits: tuple[ServiceBenefit, ...] = ()
    services: tuple[ServiceShown, ...] = ()
    other_payers: tuple[OtherPayerShown, ...] = ()
    benefit_year_ends: date | None = None
    evidence: tuple[int, ...] = ()


def judge(reply: Reply, asked: Asked, payer_name: str, offer: Offer | None = None) -> Finding:
    """What this reply to that question comes to, and to what for the services offered."""
    if reply.payload is None:
        code = reply.cause or "no_envelope"
        again = Next.ASK_AGAIN if code in PASSING else Next.PERSON
        return Finding(Outcome.UNDETERMINED, again, causes.cause(code, payer_name))
    file = read(reply.payload)
    transactions = [one for interchange in file.interchanges for one in interchange.transactions if one.kind == "271"]
    if not transactions:
        return _person("question_refused" if _acknowledged(file) else "unreadable_answer")
    return _of_answers(transactions, asked, offer)


def _person(code: str, evidence: tuple[int, ...] = ()) -> Finding:
    return Finding(Outcome.UNDETERMINED, Next.PERSON, causes.cause(code), evidence=evidence)


def _acknowledged(file: File) -> bool:
    """Whether a TA1, 997 or 999 came in place of an answer."""
    return any(
        interchange.acknowledgements or any(one.acknowledgements for one in interchange.transactions)
        for interchange in file.interchanges
    )


def _of_answers(transactions: Sequence[Transaction], asked: Asked, offer: Offer | None) -> Finding:
    ours = [coverage for one in transactions for coverage in one.coverages if _answers_us(one, coverage, asked)]
    if not ours:
        if any(one.cut_off for one in transactions):
            return _person("answer_cut_off")
        traced = any(coverage.traces for one in transactions for coverage in one.coverages)
        return _person("answer_for_another" if traced else "answer_without_trace")
    if not all(_about_us(coverage, asked) for coverage in ours):
        return _person("answer_for_another")
    if any(_born_otherwise(coverage, asked) and not coverage.rejections for coverage in ours):
        return _person("birth_date_differs")
    findings = [_of_coverage(coverage, asked, offer) for coverage in ours]
    if len({finding.outcome for finding in findings}) > 1:
        return _person("contradiction", tuple(at for finding in findings for at in finding.evidence))
    return findings[0]


def _answers_us(transaction: Transaction, coverage: Coverage, asked: Asked) -> bool:
    """By the trace that came back; a rejection above the patient has none, and is ours by the transaction's number."""
    if coverage.traces:
        return any(trace.number == asked.trace for trace in coverage.traces)
    return coverage.patient is None and bool(coverage.rejections) and transaction.reference == asked.trace


def _about_us(coverage: Coverage, asked: Asked) -> bool:
    """Whether member and name agree. A rejection may leave them out; benefits may not."""
    patient = coverage.patient
    if patient is None:
        return True
    rejected = bool(coverage.rejections) and not coverage.benefits
    members = {party.id for party in (coverage.subscriber, patient) if party and party.id}
    agrees = any(same_member(member, asked.insured.member_id) for member in members)
    if members and not agrees and not (rejected and _MEMBER_QUESTIONED.intersection(_reasons(coverage))):
        return False
    if patient.last is None:
        return rejected
    return bool(members or rejected) and _is_patient(patient, coverage, asked)


_MEMBER_QUESTIONED = frozenset({"64", "65", "67", "68", "72", "73", "74", "75", "76"})
"""AAA03 about who the member is: such an answer may give back the payer's own number instead of ours."""


def _reasons(coverage: Coverage) -> set[str]:
    return {rejection.code for rejection in coverage.rejections}


def _is_patient(patient: Party, coverage: Coverage, asked: Asked) -> bool:
    """By name; where it is only alike, as a misread name is, but a brother's too, the birth date has to agree."""
    given = " ".join(part for part in (patient.first, patient.middle, patient.suffix) if part)
    name = f"{patient.last}, {given}" if given else patient.last or ""
    match compare(name, asked.insured.name):
        case Likeness.SAME:
            return True
        case Likeness.ALIKE:
            agrees = patient.birth_date is not None and patient.birth_date == asked.insured.birth_date
            return agrees or (bool(coverage.rejections) and not coverage.benefits)
        case Likeness.OTHER:
            return False


def _born_otherwise(coverage: Coverage, asked: Asked) -> bool:
    """A father's answer in his son's place has the same name and number."""
    born = coverage.patient.birth_date if coverage.patient else None
    return None not in (born, asked.insured.birth_date) and born != asked.insured.birth_date


def _of_coverage(coverage: Coverage, asked: Asked, offer: Offer | None) -> Finding:
    found = status(coverage, asked.service_date, asked.service_types)
    if found.cause == "rejected":
        return _of_rejection(_weightiest(coverage.rejections, found), found)
    if found.answer == "undetermined":
        return _person(found.cause, found.positions)
    plan = _plan(coverage, found, asked.service_date)
    if found.answer == "inactive":
        code = found.cause if found.cause in ("ended", "not_begun") else "inactive"
        return Finding(Outcome.INACTIVE, Next.NOTHING, causes.cause(code), plan=plan, evidence=found.positions)
    told = Told(coverage.benefits, asked.service_date)
    return Finding(
        Outcome.ACTIVE,
        Next.NOTHING,
        plan=plan,
        benefits=tuple(of_service(told, code) for code in asked.service_types),
        services=tuple(services_shown(told, offer)) if offer else (),
        other_payers=tuple(other_payers_shown(told)),
        benefit_year_ends=year_ends(told),
        evidence=found.positions,
    )


def _weightiest(rejections: Sequence[Rejection], found: Status) -> Rejection:
    """Of several rejections, the one that somebody has to correct; asking again before that is in vain."""
    decisive = [one for one in rejections if one.position in found.positions] or list(rejections)
    return next((one for one in decisive if one.owner != "payer"), decisive[0])


def _of_rejection(rejection: Rejection, found: Status) -> Finding:
    """When to ask again is AAA04's word before that of the reason (AAA03).

    Where a person has to correct something, they are told at once, also when the payer lets us repeat the question.
    """
    cause = causes.rejected(rejection)
    correctable = rejection.owner != "payer"
    match rejection.retry:
        case "later":
            after = timedelta(days=rejection.retry_after_days) if rejection.retry_after_days else None
            following = Next.ASK_AGAIN
        case "payer_will_answer":
            after, following = None, Next.WAIT_FOR_PAYER
        case _:
            after, following = None, Next.PERSON
    return Finding(
        Outcome.UNDETERMINED, following, cause, after=after, tell_person=correctable, evidence=found.positions
    )


def _plan(coverage: Coverage, found: Status, on: date) -> Plan:
    """The plan's name, and its dates: those of the deciding segments before those of the person."""
    deciding = [one for one in coverage.benefits if one.position in found.positions]
    name = next((one.plan for one in deciding if one.plan), None)
    own = bounds((period for one in deciding for period in one.dates), on)
    span = own if own.known else bounds_of_people(coverage, on)
    return Plan(name, span.begin, span.end)
