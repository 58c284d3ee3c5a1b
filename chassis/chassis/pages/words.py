"""Times as a person says them, in the clinic's zone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Saying:
    """Says times as seen at `now` from the clinic."""

    now: datetime
    zone: ZoneInfo

    def age(self, then: datetime) -> str:
        """`just now`, `3 min`, `2 h`, `5 days`: how long ago. A time ahead, of a clock a little fast, is just now."""
        seconds = int((self.now - then).total_seconds())
        if seconds < _MINUTE:
            return "just now"
        if seconds < _HOUR:
            return f"{seconds // _MINUTE} min"
        if seconds < 2 * _DAY:
            return f"{seconds // _HOUR} h"
        return f"{seconds // _DAY} days"

    def exact(self, then: datetime) -> str:
        """`Tue 2 Mar 2027, 9:04:31 am EST`."""
        local = then.astimezone(self.zone)
        return f"{_day(local)} {local.year}, {_clock(local, seconds=True)} {local.tzname()}"

    def precise(self, then: datetime) -> str:
        """`2 Mar, 9:04:31.120 am`."""
        local = then.astimezone(self.zone)
        return f"{local.day} {local:%b}, {_clock(local, seconds=True, milliseconds=True)}"

    def when(self, then: datetime) -> str:
        """`today, 9:30 am`, `tomorrow, 2:00 pm`, `Fri 5 Mar, 9:30 am`; with the year where it is another one."""
        local, today = then.astimezone(self.zone), self.now.astimezone(self.zone).date()
        named = {today: "today", today + timedelta(days=1): "tomorrow", today - timedelta(days=1): "yesterday"}
        day = named.get(local.date()) or _day(local) + (f" {local.year}" if local.year != today.year else "")
        return f"{day}, {_clock(local)}"

    def at(self, then: datetime) -> str:
        """`9:30 am` where it is today, else as `when`."""
        local, today = then.astimezone(self.zone), self.now.astimezone(self.zone).date()
        return _clock(local) if local.date() == today else self.when(then)

    def day(self, one: date) -> str:
        """`2 Mar 2027`."""
        return f"{one.day} {one:%b %Y}"

    def midnight(self) -> datetime:
        """When today began at the clinic."""
        local = self.now.astimezone(self.zone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0)


_NO_NAMES: Final = ("A", "An", "It", "The", "Their", "They", "This", "What")


def clause(sentence: str) -> str:
    """A sentence as it goes on after `because`: with a small letter, unless it begins with a name."""
    first = sentence.partition(" ")[0]
    return sentence[:1].lower() + sentence[1:] if first in _NO_NAMES else sentence


def gap(seconds: float) -> str:
    """Between two events: `0 ms`, `38 ms`, `2.1 s`, `3 min`, `2 h`, `5 days`."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def _day(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b}"


def _clock(local: datetime, *, seconds: bool = False, milliseconds: bool = False) -> str:
    exact = f":{local:%S}" if seconds else ""
    if milliseconds:
        exact += f".{local.microsecond // 1000:03}"
    return f"{local.hour % 12 or 12}:{local:%M}{exact} {'am' if local.hour < 12 else 'pm'}"
