"""What messages tell about the clinic and the rules of sending them, read from YAML and checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from contracts.scheduling import AppointmentKind

M = TypeVar("M", bound=BaseModel)

OWN_FILE = Path(__file__).with_name("clinic.yaml")


class BadClinicFile(ValueError):
    """A file that cannot be worked with: every fault with its place, and what is accepted."""


def _e164(value: object) -> str:
    try:
        number = phonenumbers.parse(str(value))
    except phonenumbers.NumberParseException:
        raise ValueError("a phone number is written in quotes in E.164, such as +13305550188") from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _zone(value: object) -> ZoneInfo:
    try:
        return value if isinstance(value, ZoneInfo) else ZoneInfo(str(value))
    except (ValueError, OSError, KeyError):
        raise ValueError("an IANA time zone is wanted, such as America/New_York") from None


def _wall_time(value: object) -> time:
    try:
        return value if isinstance(value, time) else datetime.strptime(str(value), "%H:%M").time()
    except ValueError:
        raise ValueError('a time is written in quotes as "HH:MM", 24-hour') from None


Text = Annotated[str, Field(min_length=1)]
Phone = Annotated[str, BeforeValidator(_e164)]
WallTime = Annotated[time, BeforeValidator(_wall_time)]
Address = Annotated[str, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")]


class _Fact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


class CrisisLine(_Fact):
    number: Text
    says: Text


class Mail(_Fact):
    from_address: Address
    domain: Text


class Hours(_Fact):
    from_: WallTime = Field(alias="from")
    to: WallTime

    @model_validator(mode="after")
    def _runs_forward(self) -> Hours:
        if self.from_ >= self.to:
            raise ValueError("`from` has to be before `to`")
        return self

    def include(self, wall: datetime) -> bool:
        return self.from_ <= wall.time() < self.to


class Texts(_Fact):
    from_number: Phone
    hours: Hours
    zone: Literal["recipient", "clinic"]
    answer_within_minutes: int = Field(ge=0)

    @property
    def answer_within(self) -> timedelta:
        return timedelta(minutes=self.answer_within_minutes)


class Thing(_Fact):
    """Something to bring, in full and for a text."""

    say: Text
    short: Text
    only_if_insured: bool = False


class Clinic(_Fact):
    """The whole file."""

    name: Text
    short_name: Text
    short_address: Text
    time_zone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    phone: Phone
    phone_hours: Text
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    crisis_line: CrisisLine
    emergency_number: Text
    mail: Mail
    texts: Texts
    bring: tuple[Thing, ...] = Field(min_length=1)
    visits: Mapping[AppointmentKind, Text]
    services: Mapping[str, Text]
    unspoken: tuple[Text, ...]
    card_settles_seconds: int = Field(ge=0)

    @model_validator(mode="after")
    def _names_every_visit(self) -> Clinic:
        if missing := [kind.value for kind in AppointmentKind if kind not in self.visits]:
            raise ValueError(f"`visits` lacks {', '.join(missing)}")
        return self

    @property
    def phone_as_written(self) -> str:
        """As people of the region write it: (330) 555-0188."""
        number = phonenumbers.parse(self.phone)
        at_home = phonenumbers.country_code_for_region(self.region) == number.country_code
        style = phonenumbers.PhoneNumberFormat
        return phonenumbers.format_number(number, style.NATIONAL if at_home else style.INTERNATIONAL)

    @property
    def phone_in_text(self) -> str:
        """Without what a text has no room for: 330-555-0188."""
        return self.phone_as_written.replace("(", "").replace(") ", "-")

    @property
    def card_settles(self) -> timedelta:
        return timedelta(seconds=self.card_settles_seconds)


def load_clinic(path: Path = OWN_FILE) -> Clinic:
    """Raises BadClinicFile."""
    return read_yaml(path, Clinic)


def read_yaml(path: Path, model: type[M]) -> M:
    """A checked YAML file. Raises BadClinicFile, which names each fault and its place."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadClinicFile(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise BadClinicFile(f"{path}: not YAML{where}") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = "\n".join(f"  {_place(one['loc'])}: {_sentence(one['msg'])}" for one in error.errors())
        raise BadClinicFile(f"{path} cannot be used:\n{faults}") from None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in location) or "file"


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
