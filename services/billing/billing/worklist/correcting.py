"""The correction form: what was typed into corrections, or into what is wrong with each field. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from billing.payers.directory import Directory, Payer
from billing.verification.by_hand import Corrections
from billing.verification.insured import Coverage
from billing.verification.names import split_name
from billing.worklist.case import Person
from billing.worklist.wording import Field

OFFERED_FROM: Final = 0.6
"""How like a payer's name what was said has to be for that payer to be offered; below, it is typed anew."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent. `payer_before` is what stood in the payer's field when the page was made."""

    payer: str = ""
    payer_before: str = ""
    payer_id: str = ""
    """Picked from the nearest; counts unless the payer was typed anew after that."""
    member_id: str = ""
    name: str = ""
    birth_date: str = ""
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong, by field, in words; and the payers that may be meant."""

    messages: Mapping[Field, str]
    nearest: tuple[Payer, ...] = ()


class NotYet(ValueError):
    """The form cannot be taken as it is. Holds no text that was typed."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(", ".join(faults.messages))
        self.faults = faults


def may_be_meant(directory: Directory, said: str) -> tuple[Payer, ...]:
    """The payer that is meant, or those among which somebody has to choose; none where nothing is like it."""
    meant = directory.recognise(said)
    if meant.payer:
        return (meant.payer,)
    return meant.nearest if meant.confidence >= OFFERED_FROM else ()


def as_it_stands(coverage: Coverage, person: Person, directory: Directory) -> Typed:
    """The form before anything is typed."""
    payer = directory.get(coverage.payer_id) if coverage.payer_id else None
    said = payer.name if payer else coverage.payer_stated
    return Typed(
        payer=said,
        payer_before=said,
        member_id=coverage.member_id,
        name=person.name or "",
        birth_date=f"{person.birth_date:%m/%d/%Y}" if person.birth_date else "",
        holder=coverage.holder or "",
    )


def corrections(typed: Typed, coverage: Coverage, person: Person, directory: Directory) -> Corrections:
    """What differs from what stands. Raises NotYet."""
    reading = _Reading()
    stands = as_it_stands(coverage, person, directory)
    payer = _payer(typed, stands, directory, reading)
    if payer is not None and payer.id != coverage.payer_id:
        reading.changed["payer_id"] = payer.id
    if _differs(typed.member_id, coverage.member_id, Field.MEMBER_ID, "The member number is needed.", reading):
        reading.changed["member_id"] = typed.member_id.strip()
    if _differs(typed.name, person.name or "", Field.NAME, "The name is needed.", reading):
        name = split_name(typed.name)
        if name is None or name.first is None:
            reading.messages[Field.NAME] = "A first and a last name are needed, in letters."
        reading.changed["name"] = typed.name.strip()
    if _differs(typed.birth_date, stands.birth_date, Field.BIRTH_DATE, "The birth date is needed.", reading):
        born = _birth_date(typed.birth_date, reading)
        if born != person.birth_date:
            reading.changed["birth_date"] = born
    if typed.holder.strip() != (coverage.holder or ""):
        reading.changed["holder"] = typed.holder.strip()
    return reading.corrections()


@dataclass(slots=True)
class _Reading:
    changed: dict[str, Any] = field(default_factory=dict[str, Any])
    messages: dict[Field, str] = field(default_factory=dict[Field, str])
    nearest: tuple[Payer, ...] = ()

    def corrections(self) -> Corrections:
        if self.messages:
            raise NotYet(Faults(self.messages, self.nearest))
        try:
            return Corrections.model_validate(self.changed)
        except ValidationError as error:
            places = {
                Field.PAYER if fault["loc"][0] == "payer_id" else Field(fault["loc"][0]) for fault in error.errors()
            }
            raise NotYet(Faults({place: _LIMITS[place] for place in places})) from None


_LIMITS: Final = {
    Field.PAYER: "At most 80 characters.",
    Field.MEMBER_ID: "At most 80 characters.",
    Field.NAME: "At most 200 characters.",
    Field.BIRTH_DATE: "The year is 1900 or later.",
    Field.HOLDER: "At most 200 characters.",
}


def _differs(typed: str, stands: str, place: Field, needed: str, reading: _Reading) -> bool:
    if typed.strip() == stands.strip():
        return False
    if not typed.strip():
        reading.messages[place] = needed
        return False
    return True


def _payer(typed: Typed, stands: Typed, directory: Directory, reading: _Reading) -> Payer | None:
    """The payer that is meant now; None where it stays as it is or a person has to say more."""
    said = typed.payer.strip()
    if typed.payer_id and said == typed.payer_before.strip() and (picked := directory.get(typed.payer_id)):
        return picked
    if said == stands.payer.strip():
        return None
    if not said:
        reading.messages[Field.PAYER] = "The payer is needed, as its name stands on the card."
        return None
    recognised = directory.recognise(said)
    if recognised.payer is None:
        reading.nearest = may_be_meant(directory, said)
        reading.messages[Field.PAYER] = (
            "It is not clear which payer this is. Pick one of these, or type more of its name."
            if reading.nearest
            else "No payer that can be asked is called like this. Type its name as it stands on the card."
        )
    return recognised.payer


_DATE: Final = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4})|(\d{2})(\d{2})(\d{4})")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def _birth_date(said: str, reading: _Reading) -> date | None:
    """Month, day and year, as they are written in the United States: 3/12/1984, 03121984; or 1984-03-12."""
    text = said.strip()
    if iso := _ISO.fullmatch(text):
        year, month, day = map(int, iso.groups())
    elif american := _DATE.fullmatch(text):
        month, day, year = (int(part) for part in american.groups() if part is not None)
    else:
        reading.messages[Field.BIRTH_DATE] = "Month, day and year are needed, such as 03/12/1984."
        return None
    try:
        return date(year, month, day)
    except ValueError:
        reading.messages[Field.BIRTH_DATE] = "There is no such day. Month, day and year, such as 03/12/1984."
        return None
