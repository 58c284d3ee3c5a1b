"""The clinic's facts as the public page tells them, read from YAML and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import phonenumbers
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

OWN_FILE = Path(__file__).with_name("clinic.yaml")


class BadClinicFile(ValueError):
    """A clinic file that cannot be worked with: every fault with its place."""


def _in_e164(number: str) -> str:
    try:
        phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise ValueError("should be a phone number in E.164, such as +13305550188") from None
    return number


def _known_zone(name: str) -> str:
    ZoneInfo(name)
    return name


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Digits = Annotated[str, StringConstraints(pattern=r"^\d{3,15}$")]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CrisisLine(_Fact):
    """Whom to turn to at any hour."""

    name: Text
    number: Digits
    says: Text


class ConsentWording(_Fact):
    """What people agree to, word for word."""

    version: Text
    wording: Text


class Consents(_Fact):
    texts: ConsentWording


class Clinic(_Fact):
    name: Text
    address: Text
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    phone: Annotated[str, AfterValidator(_in_e164)]
    phone_hours: Text
    region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    crisis_line: CrisisLine
    emergency_number: Digits
    consents: Consents

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def phone_as_written(self) -> str:
        """The clinic's number as people of its region write it."""
        number = phonenumbers.parse(self.phone)
        at_home = phonenumbers.region_code_for_number(number) == self.region
        style = phonenumbers.PhoneNumberFormat
        return phonenumbers.format_number(number, style.NATIONAL if at_home else style.INTERNATIONAL)


def read_clinic(path: Path = OWN_FILE) -> Clinic:
    """Raises BadClinicFile, which names each fault and its place."""
    try:
        content: Any = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise BadClinicFile(f"{path} cannot be read: {type(error).__name__}") from None
    try:
        return Clinic.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise BadClinicFile(f"{path}: {'; '.join(faults)}") from None
