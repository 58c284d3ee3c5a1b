"""The clinic as payers know it, read from YAML and checked."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

OWN_FILE = Path(__file__).with_name("clinic.yaml")


class BadClinicFile(ValueError):
    """A clinic file that cannot be worked with: every fault with its place."""


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ValueError, OSError, KeyError):
        raise ValueError("must be a time zone by its IANA name, such as America/New_York") from None


Digits10 = Annotated[str, StringConstraints(pattern=r"^\d{10}$")]


class Clinic(BaseModel):
    """Who asks, and how patient it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    organization: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    npi: Digits10
    sender: Annotated[str, StringConstraints(min_length=2, max_length=15)]
    receiver: Annotated[str, StringConstraints(min_length=2, max_length=15)] | None
    trace_originator: Annotated[str, StringConstraints(min_length=10, max_length=10)]
    time_zone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    usage: Literal["P", "T"]
    asks_again_after_minutes: tuple[Annotated[float, Field(gt=0)], ...]
    waits_for_payer_days: Annotated[int, Field(ge=1, le=60)]
    verified_before_visit_hours: Annotated[int, Field(ge=1, le=720)]
    visit_awaited_seconds: Annotated[float, Field(ge=0, le=3600)]

    @property
    def visit_awaited(self) -> timedelta:
        return timedelta(seconds=self.visit_awaited_seconds)

    def local(self, instant: datetime) -> datetime:
        """An instant on the clinic's wall clock; its date is the clinic's day."""
        return instant.astimezone(self.time_zone)

    def day_began(self, instant: datetime) -> datetime:
        """Midnight before an instant, by the clinic's wall clock."""
        return datetime.combine(self.local(instant).date(), time(), tzinfo=self.time_zone)


def load_clinic(file: Path = OWN_FILE) -> Clinic:
    """Raises BadClinicFile, which says what is wrong and where."""
    try:
        return Clinic.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise BadClinicFile(f"{file.name} cannot be read: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        raise BadClinicFile(f"{file.name}: {faults}") from None
