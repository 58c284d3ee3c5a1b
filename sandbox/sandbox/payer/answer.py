"""A 271 that answers a 270 (X12 005010X279A1, 271)."""

from collections.abc import Iterator
from datetime import date

from sandbox.payer import benefits, x12
from sandbox.payer.catalogue import Catalogue, Dependent, Member, Payer, Rejection
from sandbox.payer.inquiry import DEPENDENT, RECEIVER, SOURCE, SUBSCRIBER, Asked, Inquiry
from sandbox.payer.judgement import Covered, Refused
from sandbox.payer.x12 import Interchange, Segment, Separators, Stamp

VERSION = "005010X279A1"

Elements = tuple[str, ...]


def write(asked: Interchange, inquiry: Inquiry, judged: Refused | Covered, stamp: Stamp) -> str:
    """The whole interchange of the answer."""
    writer = _Answer(inquiry, asked.separators, stamp)
    body = writer.refused(judged) if isinstance(judged, Refused) else writer.covered(judged)
    return x12.reply(asked, stamp, "271", VERSION, list(body))


def swap_patient(judged: Refused | Covered, catalogue: Catalogue) -> Refused | Covered:
    """The same answer as if another of the payer's members had been asked about."""
    if isinstance(judged, Refused):
        return judged
    other = next(
        member
        for member in catalogue.members
        if member.payer == judged.payer.key and member.member_id != judged.member.member_id
    )
    return Covered(
        payer=judged.payer,
        member=other,
        dependent=None,
        plan=judged.plan,
        service_day=judged.service_day,
        active=True,
        ended=None,
        visits_left=None,
    )


class _Answer:
    """The segments between ST and SE, loop by loop."""

    def __init__(self, inquiry: Inquiry, separators: Separators, stamp: Stamp) -> None:
        self._inquiry = inquiry
        self._separators = separators
        self._stamp = stamp

    def refused(self, refused: Refused) -> Iterator[Elements]:
        """The loops as far as the one that is refused, with the AAA in its place in it."""
        rejection, inquiry = refused.rejection, self._inquiry
        yield self._header()
        if rejection.loop in ("request", "source"):
            source, aaa = self._source(refused.payer), _aaa(rejection)
            yield ("HL", "1", "", SOURCE, "0")
            yield from (aaa, source) if rejection.loop == "request" else (source, aaa)
            return
        if rejection.loop == "receiver":
            yield from self._source_and_receiver(refused.payer, followed="0")
            yield _aaa(rejection)
            return
        yield from self._source_and_receiver(refused.payer)
        of_dependent = rejection.loop == "dependent" and inquiry.dependent is not None
        yield ("HL", "3", "2", SUBSCRIBER, "1" if of_dependent else "0")
        if of_dependent:
            yield from self._traces(inquiry.subscriber)
            yield inquiry.subscriber.name.elements
            yield ("HL", "4", "3", DEPENDENT, "0")
        yield from self._traces(inquiry.patient)
        yield from self._refuse(inquiry.patient if of_dependent else inquiry.subscriber, rejection)

    def covered(self, covered: Covered) -> Iterator[Elements]:
        dependent, inquiry = covered.dependent, self._inquiry
        yield self._header()
        yield from self._source_and_receiver(covered.payer)
        yield ("HL", "3", "2", SUBSCRIBER, "1" if dependent else "0")
        yield from self._traces(inquiry.subscriber)
        yield from self._subscriber(covered.member)
        if dependent:
            yield ("HL", "4", "3", DEPENDENT, "0")
            yield from self._traces(inquiry.patient)
            yield from self._dependent(dependent)
        yield from self._dates(covered)
        yield from benefits.loops(covered, inquiry.patient.service_types, self._separators)

    def _header(self) -> Elements:
        return ("BHT", "0022", "11", self._inquiry.reference, self._stamp.date, self._stamp.time)

    def _source_and_receiver(self, payer: Payer | None, followed: str = "1") -> Iterator[Elements]:
        yield ("HL", "1", "", SOURCE, "1")
        yield self._source(payer)
        yield ("HL", "2", "1", RECEIVER, followed)
        yield self._inquiry.provider.elements

    def _source(self, payer: Payer | None) -> Elements:
        if payer is None:
            return self._inquiry.payer.elements
        return ("NM1", "PR", "2", self._separators.clean(payer.name), "", "", "", "", "PI", payer.id)

    def _traces(self, asked: Asked) -> Iterator[Elements]:
        """TRN01 2: the asker's own trace, given back unchanged."""
        for trace in asked.traces:
            yield ("TRN", "2", *trace.elements[2:])

    def _refuse(self, asked: Asked, rejection: Rejection) -> Iterator[Elements]:
        yield asked.name.elements
        yield _aaa(rejection)
        if asked.demographics != Segment():
            yield asked.demographics.elements

    def _subscriber(self, member: Member) -> Iterator[Elements]:
        name = (self._separators.clean(member.last), self._separators.clean(member.first))
        yield ("NM1", "IL", "1", *name, "", "", "", "MI", member.member_id)
        yield ("DMG", "D8", _day(member.born))

    def _dependent(self, dependent: Dependent) -> Iterator[Elements]:
        yield (
            "NM1",
            "03",
            "1",
            self._separators.clean(dependent.last),
            self._separators.clean(dependent.first),
        )
        yield ("DMG", "D8", _day(dependent.born))
        yield ("INS", "N", "19")

    def _dates(self, covered: Covered) -> Iterator[Elements]:
        """Plan (291) as the plan year, plan begin (346) and, once it is over, plan end (347)."""
        year = (covered.ended if covered.ended and not covered.active else covered.service_day).year
        begins = date(year, 1, 1)
        if covered.active:
            yield ("DTP", "291", "RD8", f"{_day(begins)}-{_day(covered.ended or date(year, 12, 31))}")
        yield ("DTP", "346", "D8", _day(begins))
        if covered.ended:
            yield ("DTP", "347", "D8", _day(covered.ended))


def _aaa(rejection: Rejection) -> Elements:
    return ("AAA", rejection.valid, "", rejection.code, rejection.next_step)


def _day(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"
