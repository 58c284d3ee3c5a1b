"""What a person may ask and tell: the fields of the form, judged and put into the clinic's terms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

import phonenumbers

from contracts.intake import Insured, Treatment

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

VALUE_FIELDS: Final = (
    "in_danger",
    "name",
    "phone",
    "email",
    "birth_date",
    "consent_texts",
    "reason",
    "treatment",
    "insured",
    "payer",
    "member_id",
)
"""In the order of the form, which is the order in which faults are told."""
PHOTO_FIELDS: Final = ("card_front", "card_back")

EARLIEST_BIRTH: Final = date(1900, 1, 1)

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*"
)
"""The addresses that the HTML standard's e-mail input takes, with a dot in the domain."""
_MEMBER_ID: Final = re.compile(r"[A-Z0-9][A-Z0-9./-]*")

_PHONE_FAULTS: Final = {
    phonenumbers.ValidationResult.TOO_SHORT: "This phone number is too short. Give it with its area code.",
    phonenumbers.ValidationResult.TOO_LONG: "This phone number has too many digits.",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "Give the phone number with its area code.",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "This phone number begins with no known country code.",
}
_NOT_A_PHONE: Final = "This is not a phone number. Give it like (330) 555-0123, or +44 20 7946 0018 from abroad."


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """A form that can be worked with. `in_danger` is None where the question was left open."""

    name: str
    phone: str | None
    """E.164."""
    email: str | None
    birth_date: date | None
    reason: str | None
    treatment: Treatment | None
    insured: Insured | None
    payer: str | None
    member_id: str | None
    """Without spaces, in capitals."""
    consents_to_texts: bool
    in_danger: bool | None

    @property
    def coverage_typed(self) -> bool:
        return self.payer is not None and self.member_id is not None


class FormFaulty(Exception):
    """Some fields cannot be taken: field → what is wrong and what is accepted, in the form's order."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("fields at fault: " + ", ".join(faults))
        self.faults = dict(faults)


class _Fault(Exception):
    """One field's fault, in words for the person who filled it in."""


def says_in_danger(values: Mapping[str, str]) -> bool:
    """Whether the one question was answered with yes, whatever else is wrong with the form."""
    return values.get("in_danger", "").strip().lower() == "yes"


def judge(values: Mapping[str, str], *, today: date, region: str) -> HelpRequest:
    """Read the form's values; an empty one is as good as none. Raises FormFaulty.

    `today` is the clinic's date, `region` the one whose phone numbers need no country code.
    """
    form = _Form(values)
    request = HelpRequest(
        in_danger=form.read("in_danger", _yes_or_no),
        name=form.read("name", lambda text: _line(text, 200)) or "",
        phone=form.read("phone", lambda text: _phone(text, region)),
        email=form.read("email", _email),
        birth_date=form.read("birth_date", lambda text: _birth_date(text, today)),
        consents_to_texts=form.read("consent_texts", _yes_or_no) or False,
        reason=form.read("reason", lambda text: _lines(text, 4_000)),
        treatment=form.read("treatment", lambda text: _one_of(Treatment, text)),
        insured=form.read("insured", lambda text: _one_of(Insured, text)),
        payer=form.read("payer", lambda text: _line(text, 120)),
        member_id=form.read("member_id", _member_id),
    )
    form.require("name", "Tell us your name.")
    if not form.holds("phone", "email"):
        form.fault("phone", "Give a phone number or an e-mail address, so that we can reach you.")
    if request.consents_to_texts and not form.holds("phone"):
        form.fault("phone", "To get text messages, give a phone number, or untick the box.")
    form.conclude()
    return request


class _Form:
    """Collects every field's fault, so that a person is told all of them at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: text for name, value in values.items() if (text := _tidied(value))}
        self._faults: dict[str, str] = {}

    def read(self, field: str, understand: Callable[[str], T]) -> T | None:
        text = self._values.get(field)
        if text is None:
            return None
        try:
            return understand(_storable(text))
        except _Fault as fault:
            self._faults[field] = str(fault)
            return None

    def holds(self, *fields: str) -> bool:
        """Whether something stands in one of the fields, right or wrong."""
        return any(field in self._values for field in fields)

    def require(self, field: str, sentence: str) -> None:
        if not self.holds(field):
            self.fault(field, sentence)

    def fault(self, field: str, sentence: str) -> None:
        self._faults.setdefault(field, sentence)

    def conclude(self) -> None:
        if self._faults:
            raise FormFaulty({name: self._faults[name] for name in VALUE_FIELDS if name in self._faults})


def _tidied(value: str) -> str:
    return unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()


def _storable(text: str) -> str:
    """Text without control characters, which no keyboard types, and without halves of characters."""
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t" for character in text):
        raise _Fault("This holds characters that are not text. Type it anew.")
    return text


def _line(text: str, most: int) -> str:
    return _lines(" ".join(text.split()), most)


def _lines(text: str, most: int) -> str:
    if len(text) > most:
        raise _Fault(f"This has {len(text):,} characters; at most {most:,} fit.")
    return text


def _yes_or_no(text: str) -> bool:
    match text.lower():
        case "yes":
            return True
        case "no":
            return False
        case _:
            raise _Fault("Answer yes or no.")


def _one_of(choices: type[E], text: str) -> E:
    try:
        return choices(text.lower())
    except ValueError:
        raise _Fault(f"Choose one of: {', '.join(choices)}.") from None


def _phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(_line(text, 60), region)
    except phonenumbers.NumberParseException:
        raise _Fault(_NOT_A_PHONE) from None
    # Which numbers are in service changes faster than any library: only the form of a number is judged.
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise _Fault(_PHONE_FAULTS.get(verdict, _NOT_A_PHONE))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(text: str) -> str:
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise _Fault("This is not an e-mail address. Give it like name@example.com.")
    return text


def _birth_date(text: str, today: date) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        born = date.fromisoformat(text)
    except ValueError:
        raise _Fault("There is no such date. Give it as year-month-day, like 1985-07-30.") from None
    if born > today:
        raise _Fault("This date of birth lies in the future.")
    if born < EARLIEST_BIRTH:
        raise _Fault("This date of birth lies before 1900. Check the year.")
    return born


def _member_id(text: str) -> str:
    number = "".join(text.split()).upper()
    if len(number) > 40 or not _MEMBER_ID.fullmatch(number):
        raise _Fault("A member number has letters, digits and hyphens only, as printed on the card.")
    return number
