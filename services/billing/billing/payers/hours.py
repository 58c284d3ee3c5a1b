"""When a payer's own system is known to be away, week by week. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MIDNIGHT = "24:00"


def _clock_time(written: object) -> object:
    """24:00, the end of a day, is kept as the last moment of it."""
    return time.max if written == _MIDNIGHT else written


_ClockTime = Annotated[time, BeforeValidator(_clock_time)]


class Closed(BaseModel):
    """A stretch of one weekday: `{day: sunday, from: "01:00", until: "05:00"}`. `until` may be 24:00."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    starts: _ClockTime = Field(alias="from")
    ends: _ClockTime = Field(alias="until")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends <= self.starts:
            raise ValueError("until: must be later than from, on the same day; a night is two stretches")
        return self

    def ends_at(self, moment: datetime) -> datetime | None:
        """The end of this stretch if `moment`, in the payer's zone, is in it."""
        if _DAYS[moment.weekday()] != self.day or moment.time() < self.starts:
            return None
        if self.ends == time.max:
            return datetime.combine(moment.date() + timedelta(days=1), time(), tzinfo=moment.tzinfo)
        if moment.time() >= self.ends:
            return None
        return datetime.combine(moment.date(), self.ends, tzinfo=moment.tzinfo)


def opens_at(closed: Sequence[Closed], zone: ZoneInfo, now: datetime) -> datetime | None:
    """When a payer that is closed now opens again; None for one that is open. Stretches may follow on each other."""
    moment = now.astimezone(zone)
    opens: datetime | None = None
    for _ in range(len(closed)):
        ends = next((end for one in closed if (end := one.ends_at(moment)) is not None), None)
        if ends is None:
            break
        opens = moment = ends
    return opens
