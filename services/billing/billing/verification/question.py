"""The question to a payer: whom it is about, as of which day, and which services. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from billing.clinic import Clinic
from billing.payers.directory import Payer
from billing.verification.names import PersonName, same_person, split_name
from billing.x12 import Envelope, write_270
from billing.x12.records import Inquiry, Party, Period, Question, Trace


class CannotAsk(ValueError):
    """What is known of the person does not make a question that the standard allows. Names fields, holds no values."""


@dataclass(frozen=True, slots=True)
class Insured:
    """Whom to ask about. `holder` is the name on the card, where it is known."""

    name: str
    birth_date: date | None
    member_id: str
    holder: str | None = None

    @property
    def is_dependent(self) -> bool:
        """Whether the card is somebody else's, who has the patient insured with them."""
        return bool(self.holder) and not same_person(self.name, self.holder or "")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer has to fit: whom and what we asked about, under which trace."""

    insured: Insured
    trace: str
    service_date: date
    service_types: tuple[str, ...]


def service_date(payer: Payer, today: date, visit: date | None) -> date:
    """The day to ask about: the visit's if the payer answers that far ahead, else today.

    Payers must answer until the end of the month and reject later days with AAA 62 or 63 (005010X279A1, 2100C).
    """
    return visit if visit is not None and today <= visit <= payer.last_day(today) else today


def write(asked: Asked, payer: Payer, clinic: Clinic, *, control_number: int, at: datetime) -> bytes:
    """The 270. Raises CannotAsk."""
    try:
        return write_270(
            _inquiry(asked, payer, clinic),
            envelope=Envelope(
                sender=clinic.sender,
                receiver=clinic.receiver or payer.id,
                at=clinic.local(at),
                reference=asked.trace,
                interchange_number=control_number,
                group_number=control_number,
                usage=clinic.usage,
            ),
        )
    except ValueError as fault:
        raise CannotAsk(str(fault)) from None


def _inquiry(asked: Asked, payer: Payer, clinic: Clinic) -> Inquiry:
    insured = asked.insured
    on = Period("291", asked.service_date)
    subscriber = _person("IL", (insured.holder if insured.is_dependent else insured.name) or "")
    subscriber.id_qualifier, subscriber.id = "MI", insured.member_id.replace(" ", "").replace("-", "").upper()
    patient = subscriber
    dependent = None
    if insured.is_dependent:
        patient = dependent = _person("03", insured.name)
    patient.birth_date = insured.birth_date
    patient.dates = [on]
    return Inquiry(
        payer=Party(role="PR", entity_type="2", last=payer.name, id_qualifier="PI", id=payer.id),
        provider=Party(role="1P", entity_type="2", last=clinic.organization, id_qualifier="XX", id=clinic.npi),
        subscriber=subscriber,
        dependent=dependent,
        traces=[Trace("1", asked.trace, clinic.trace_originator)],
        questions=[Question(service_types=list(asked.service_types))],
    )


def _person(role: str, name: str) -> Party:
    parts: PersonName | None = split_name(name)
    if parts is None or parts.first is None:
        raise CannotAsk("name: a first and a last name are needed, in letters")
    return Party(
        role=role, entity_type="1", last=parts.last, first=parts.first, middle=parts.middle, suffix=parts.suffix
    )
