"""The clinic's facts as the console shows them, read from YAML and checked."""

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


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("should be the IANA name of a time zone, such as America/New_York") from None
    return name


class Clinic(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    emergency_number: Annotated[str, StringConstraints(pattern=r"^\d{3,15}$")]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def phone_as_written(self, e164: str) -> str:
        """A number as people of the clinic's region write it; as it is where it is none."""
        try:
            number = phonenumbers.parse(e164)
        except phonenumbers.NumberParseException:
            return e164
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
