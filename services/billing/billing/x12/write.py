"""Writes the 270, health care eligibility question, strictly by 005010X279A1.

What the guide has no place for is refused with a ValueError that names the field and what is accepted; nothing is
left out in silence. The reader gives back exactly what was written.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.x12 import codes
from billing.x12.records import Circumstance, Inquiry, Party, Period, Procedure, Question, Reference, Trace
from billing.x12.separators import USUAL, Separators
from billing.x12.text import carried

VERSION = "005010X279A1"
_ID_QUALIFIERS = frozenset({"01", "14", "20", "27", "28", "29", "30", "33", "ZZ"})
_SOURCE_ROLES = frozenset({"2B", "36", "GP", "P5", "PR"})
_RECEIVER_ROLES = frozenset({"1P", "2B", "36", "80", "FA", "GP", "P5", "PR"})
_SOURCE_IDS = frozenset({"24", "46", "FI", "NI", "PI", "XV", "XX"})
_RECEIVER_IDS = frozenset({"24", "34", "FI", "PI", "PP", "SV", "XV", "XX"})
_PERSON_IDS = frozenset({"II", "MI"})
_RECEIVER_REFERENCES = frozenset(
    {"0B", "1C", "1D", "1J", "4A", "CT", "EL", "EO", "HPI", "JD", "N5", "N7", "Q4", "SY", "TJ"}
)
_PERSON_REFERENCES = frozenset(
    {"18", "1L", "1W", "3H", "49", "6P", "CT", "EA", "EJ", "F6", "GH", "HJ", "IF", "IG", "ML", "N6", "NQ", "SY", "Y4"}
)
_QUESTION_REFERENCES = frozenset({"9F", "G1"})
_PROVIDER_TYPES = frozenset(
    {"AD", "AT", "BI", "CO", "CV", "H", "HH", "LA", "OT", "P1", "P2", "PC", "PE", "R", "RF", "SB", "SK", "SU"}
)
_PROVIDER_NUMBERS = frozenset({"9K", "D3", "EI", "HPI", "PXC", "SY", "TJ"})
_DEPENDENT_RELATIONSHIPS = frozenset({"01", "19", "34"})
_PROCEDURE_QUALIFIERS = frozenset({"AD", "CJ", "HC", "ID", "IV", "N4", "ZZ"})
_MOST_TRACES, _MOST_REFERENCES, _MOST_QUESTIONS, _MOST_SERVICE_TYPES, _MOST_CIRCUMSTANCES = 2, 9, 99, 99, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sends to whom, when, and under which control numbers (ISA, GS, ST, BHT). The caller keeps them unique.

    `reference` is BHT03, the asker's own number for the transaction. `usage` is P (production) or T (test). The group
    names its sender and receiver like the interchange unless told otherwise.
    """

    sender: str
    receiver: str
    at: datetime
    reference: str
    interchange_number: int
    group_number: int = 1
    transaction_number: int = 1
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    group_sender: str | None = None
    group_receiver: str | None = None
    usage: str = "P"
    acknowledgement_requested: bool = False
    separators: Separators = USUAL


def write_270(*inquiries: Inquiry, envelope: Envelope) -> bytes:
    """One interchange with one group and one 270 that asks all the questions, in order.

    Several service types belong in one question: many payers answer no more than one. Raises ValueError for anything
    that X12 or the guide cannot carry; the message names the field ("subscriber.last") and what is accepted.
    """
    if not inquiries:
        raise ValueError("inquiries: at least one is needed")
    writer = _Writer(_checked(envelope.separators))
    body = writer.transaction(inquiries, envelope)
    opening, closing = writer.envelope(envelope)
    segments = [*opening, *body, *closing]
    terminator = envelope.separators.segment
    return (terminator.join(segments) + terminator).encode("ascii")


def _checked(separators: Separators) -> Separators:
    if separators.repetition is None:
        raise ValueError("separators.repetition: version 00501 needs one")
    if len(set(separators)) < len(separators):
        raise ValueError("separators: all four must differ")
    for name, character in separators._asdict().items():
        usable = character in "\x1c\x1d\x1e\x1f" or (character.isprintable() and not character.isalnum())
        if len(character) != 1 or not character.isascii() or character == " ":
            usable = False
        if not usable and not (name == "segment" and character == "\n"):
            raise ValueError(f"separators.{name} must be one ASCII character, no letter, digit or blank")
    return separators


def _one_of(value: str | None, field: str, accepted: Collection[str]) -> str:
    if value is None or value not in accepted:
        shown = ", ".join(sorted(accepted)) if len(accepted) <= 30 else "the codes of its list"
        raise ValueError(f"{field} must be one of: {shown}")
    return value


def _at_most(items: Sequence[object], field: str, most: int, least: int = 0) -> None:
    if not least <= len(items) <= most:
        raise ValueError(f"{field}: {least} to {most} are accepted; there are {len(items)}")


def _no_two_alike(codes: Sequence[str], field: str) -> None:
    if len(set(codes)) < len(codes):
        raise ValueError(f"{field}: each may stand once")


def _number(value: int, field: str, digits: int) -> str:
    if not 0 < value <= 999_999_999:
        raise ValueError(f"{field} must be 1 to 999999999")
    return str(value).zfill(digits)


class _Writer:
    def __init__(self, separators: Separators) -> None:
        self.separators = separators
        self.segments: list[str] = []
        self.levels = 0

    def text(self, value: str | None, field: str, longest: int, shortest: int = 1) -> str:
        return "" if value is None else carried(value, field, self.separators, shortest, longest)

    def segment(self, *elements: str) -> str:
        return self.separators.element.join(elements).rstrip(self.separators.element)

    def add(self, *elements: str) -> None:
        self.segments.append(self.segment(*elements))

    # -- envelope

    def envelope(self, envelope: Envelope) -> tuple[list[str], list[str]]:
        number = _number(envelope.interchange_number, "envelope.interchange_number", 9)
        group = _number(envelope.group_number, "envelope.group_number", 1)
        sender = self.text(envelope.sender, "envelope.sender", 15)
        receiver = self.text(envelope.receiver, "envelope.receiver", 15)
        at = envelope.at
        isa = self.separators.element.join(
            (
                "ISA", "00", " " * 10, "00", " " * 10,
                _one_of(envelope.sender_qualifier, "envelope.sender_qualifier", _ID_QUALIFIERS), sender.ljust(15),
                _one_of(envelope.receiver_qualifier, "envelope.receiver_qualifier", _ID_QUALIFIERS), receiver.ljust(15),
                f"{at:%y%m%d}", f"{at:%H%M}", self.separators.repetition or "", "00501", number,
                "1" if envelope.acknowledgement_requested else "0",
                _one_of(envelope.usage, "envelope.usage", ("P", "T")), self.separators.component,
            )
        )  # fmt: skip
        gs = self.segment(
            "GS", "HS",
            self.text(envelope.group_sender or envelope.sender, "envelope.group_sender", 15, 2),
            self.text(envelope.group_receiver or envelope.receiver, "envelope.group_receiver", 15, 2),
            f"{at:%Y%m%d}", f"{at:%H%M}", group, "X", VERSION,
        )  # fmt: skip
        return [isa, gs], [self.segment("GE", "1", group), self.segment("IEA", "1", number)]

    def transaction(self, inquiries: Sequence[Inquiry], envelope: Envelope) -> list[str]:
        number = _number(envelope.transaction_number, "envelope.transaction_number", 4)
        reference = self.text(envelope.reference, "envelope.reference", 50)
        self.add("ST", "270", number, VERSION)
        self.add("BHT", "0022", "13", reference, f"{envelope.at:%Y%m%d}", f"{envelope.at:%H%M}")
        self.inquiries(inquiries)
        self.add("SE", str(len(self.segments) + 1), number)
        return self.segments

    # -- levels

    def inquiries(self, inquiries: Sequence[Inquiry]) -> None:
        """Each patient under a source and a receiver of their own: some readers take only the first otherwise."""
        for inquiry in inquiries:
            source = self.level(0, "20", has_children=True)
            self.source(inquiry.payer)
            receiver = self.level(source, "21", has_children=True)
            self.receiver(inquiry.provider)
            self.patient(inquiry, receiver)

    def level(self, parent: int, code: str, *, has_children: bool) -> int:
        self.levels += 1
        self.add("HL", str(self.levels), str(parent or ""), code, "1" if has_children else "0")
        return self.levels

    def source(self, payer: Party | None) -> None:
        if payer is None:
            raise ValueError("payer: a question needs one")
        _one_of(payer.role, "payer.role", _SOURCE_ROLES)
        _one_of(payer.id_qualifier, "payer.id_qualifier", _SOURCE_IDS)
        self.name(payer, "payer", needed=("last",))
        self.refuse(payer, "payer", "address references dates provider birth_date gender relationship")

    def receiver(self, provider: Party | None) -> None:
        if provider is None:
            raise ValueError("provider: a question needs one")
        _one_of(provider.role, "provider.role", _RECEIVER_ROLES)
        _one_of(provider.id_qualifier, "provider.id_qualifier", _RECEIVER_IDS)
        self.name(provider, "provider", needed=("last",))
        self.references(provider.references, "provider", _RECEIVER_REFERENCES)
        self.address(provider, "provider")
        self.provider_type(provider, "provider")
        self.refuse(provider, "provider", "dates birth_date gender relationship")

    def patient(self, inquiry: Inquiry, receiver: int) -> None:
        subscriber, dependent = inquiry.subscriber, inquiry.dependent
        if subscriber is None:
            raise ValueError("subscriber: a question needs one, also where the dependent is the patient")
        level = self.level(receiver, "22", has_children=dependent is not None)
        _one_of(subscriber.role, "subscriber.role", ("IL",))
        if dependent is None:
            self.traces(inquiry.traces)
        self.person(subscriber, "subscriber", ("18",), is_patient=dependent is None)
        if dependent is not None:
            self.level(level, "23", has_children=False)
            self.traces(inquiry.traces)
            _one_of(dependent.role, "dependent.role", ("03",))
            self.person(dependent, "dependent", _DEPENDENT_RELATIONSHIPS, is_patient=True)
        self.questions(inquiry.questions)

    def person(self, person: Party, field: str, relationships: Collection[str], *, is_patient: bool) -> None:
        _one_of(person.entity_type, f"{field}.entity_type", ("1",))
        if person.id is not None:
            _one_of(person.id_qualifier, f"{field}.id_qualifier", _PERSON_IDS)
        self.name(person, field, needed=("last", "first") if is_patient else ())
        self.references(person.references, field, _PERSON_REFERENCES)
        self.address(person, field)
        self.provider_type(person, field)
        if person.birth_date is not None or person.gender is not None:
            gender = "" if person.gender is None else _one_of(person.gender, f"{field}.gender", ("F", "M"))
            day = f"{person.birth_date:%Y%m%d}" if person.birth_date else ""
            self.add("DMG", "D8" if day else "", day, gender)
        if person.relationship is not None:
            relationship = _one_of(person.relationship, f"{field}.relationship", relationships)
            self.add("INS", "Y" if relationship == "18" else "N", relationship)
        self.periods(person.dates, f"{field}.dates", ("102", "291"))
        self.refuse(person, field, "")

    # -- what a level holds

    def name(self, party: Party, field: str, *, needed: Collection[str]) -> None:
        kind = _one_of(party.entity_type, f"{field}.entity_type", ("1", "2"))
        for part, value in (("last", party.last), ("first", party.first)):
            if part in needed and value is None:
                raise ValueError(f"{field}.{part} is needed")
        if kind == "2" and (party.first or party.middle or party.suffix):
            raise ValueError(f"{field}: an organization has its whole name in last")
        if party.prefix is not None:
            raise ValueError(f"{field}.prefix has no place in a 270")
        if (party.id is None) != (party.id_qualifier is None):
            raise ValueError(f"{field}.id and {field}.id_qualifier go together")
        self.add(
            "NM1", party.role or "", kind,
            self.text(party.last, f"{field}.last", 60),
            self.text(party.first, f"{field}.first", 35),
            self.text(party.middle, f"{field}.middle", 25),
            "",
            self.text(party.suffix, f"{field}.suffix", 10),
            party.id_qualifier or "",
            self.text(party.id, f"{field}.id", 80, 2),
        )  # fmt: skip

    def refuse(self, party: Party, field: str, parts: str) -> None:
        """Whatever the guide has no place for at this level."""
        values: dict[str, object] = {
            "contacts": party.contacts,
            "address": party.address or party.city or party.state or party.postal_code or party.country,
            "references": party.references,
            "dates": party.dates,
            "provider": party.provider_type or party.provider_number or party.provider_number_qualifier,
            "birth_date": party.birth_date,
            "gender": party.gender,
            "relationship": party.relationship,
        }
        for part in ("contacts", *parts.split()):
            if values[part]:
                raise ValueError(f"{field}.{part} has no place in a 270")

    def references(self, references: Sequence[Reference], field: str, accepted: Collection[str]) -> None:
        _at_most(references, f"{field}.references", _MOST_REFERENCES)
        _no_two_alike([reference.qualifier for reference in references], f"{field}.references.qualifier")
        for reference in references:
            self.add(
                "REF",
                _one_of(reference.qualifier, f"{field}.references.qualifier", accepted),
                self.text(reference.value, f"{field}.references.value", 50),
                self.text(reference.description, f"{field}.references.description", 80),
            )

    def address(self, party: Party, field: str) -> None:
        _at_most(party.address, f"{field}.address", 2)
        lines = [self.text(line, f"{field}.address", 55) for line in party.address]
        if lines:
            self.add("N3", *lines)
        if party.city or party.state or party.postal_code or party.country:
            if party.city is None:
                raise ValueError(f"{field}.city is needed with the rest of an address")
            self.add(
                "N4",
                self.text(party.city, f"{field}.city", 30, 2),
                self.text(party.state, f"{field}.state", 2, 2),
                self.text(party.postal_code, f"{field}.postal_code", 15, 3),
                self.text(party.country, f"{field}.country", 3, 2),
            )

    def provider_type(self, party: Party, field: str) -> None:
        if party.provider_type is None:
            if party.provider_number or party.provider_number_qualifier:
                raise ValueError(f"{field}.provider_type is needed with a provider_number")
            return
        kind = _one_of(party.provider_type, f"{field}.provider_type", _PROVIDER_TYPES)
        if party.provider_number is None and party.provider_number_qualifier is None:
            self.add("PRV", kind)
            return
        self.add(
            "PRV",
            kind,
            _one_of(party.provider_number_qualifier, f"{field}.provider_number_qualifier", _PROVIDER_NUMBERS),
            self.text(party.provider_number or "", f"{field}.provider_number", 50),
        )

    def traces(self, traces: Sequence[Trace]) -> None:
        _at_most(traces, "traces", _MOST_TRACES)
        for trace in traces:
            self.add(
                "TRN",
                _one_of(trace.type, "traces.type", ("1",)),
                self.text(trace.number, "traces.number", 50),
                self.text(trace.originator or "", "traces.originator", 10, 10),
                self.text(trace.originator_detail, "traces.originator_detail", 50),
            )

    def periods(self, periods: Sequence[Period], field: str, accepted: Collection[str]) -> None:
        _no_two_alike([period.qualifier for period in periods], f"{field}.qualifier")
        for period in periods:
            qualifier = _one_of(period.qualifier, f"{field}.qualifier", accepted)
            if period.start is None or (period.end is not None and period.end < period.start):
                raise ValueError(f"{field} needs a start that is not after its end")
            first = f"{period.start:%Y%m%d}"
            if period.end is None:
                self.add("DTP", qualifier, "D8", first)
            else:
                self.add("DTP", qualifier, "RD8", f"{first}-{period.end:%Y%m%d}")

    # -- questions

    def questions(self, questions: Sequence[Question]) -> None:
        _at_most(questions, "questions", _MOST_QUESTIONS, least=1)
        for question in questions:
            self.question(question)

    def question(self, question: Question) -> None:
        if bool(question.service_types) == (question.procedure is not None):
            raise ValueError("questions: each asks about service_types or about one procedure")
        _at_most(question.service_types, "questions.service_types", _MOST_SERVICE_TYPES)
        _no_two_alike(question.service_types, "questions.service_types")
        types = [_one_of(code, "questions.service_types", codes.SERVICE_TYPES_ASKED) for code in question.service_types]
        level = _one_of(question.level, "questions.level", codes.COVERAGE_LEVELS) if question.level else ""
        if question.insurance_type is not None:
            raise ValueError("questions.insurance_type has no place in a 270")
        if question.diagnosis_pointers:
            raise ValueError("questions.diagnosis_pointers need diagnoses, which this writer does not send")
        self.add(
            "EQ",
            (self.separators.repetition or "").join(types),
            self.procedure(question.procedure) if question.procedure else "",
            level,
        )
        self.circumstances(question.circumstances)
        _at_most(question.references, "questions.references", 1)
        self.references(question.references, "questions", _QUESTION_REFERENCES)
        self.periods(question.dates, "questions.dates", ("291",))

    def procedure(self, procedure: Procedure) -> str:
        field = "questions.procedure"
        _at_most(procedure.modifiers, f"{field}.modifiers", 4)
        if procedure.description is not None or procedure.last_code is not None:
            raise ValueError(f"{field}: description and last_code have no place in a 270")
        parts = (
            _one_of(procedure.qualifier, f"{field}.qualifier", _PROCEDURE_QUALIFIERS),
            self.text(procedure.code or "", f"{field}.code", 48),
            *(self.text(modifier, f"{field}.modifiers", 2, 2) for modifier in procedure.modifiers),
        )
        return self.separators.component.join(parts)

    def circumstances(self, circumstances: Sequence[Circumstance]) -> None:
        _at_most(circumstances, "questions.circumstances", _MOST_CIRCUMSTANCES)
        for found in circumstances:
            if found.category is not None or found.text is not None:
                raise ValueError("questions.circumstances: category and text have no place in a 270")
            self.add(
                "III",
                _one_of(found.qualifier, "questions.circumstances.qualifier", ("ZZ",)),
                _one_of(found.code, "questions.circumstances.code", codes.PLACES_OF_SERVICE),
            )
