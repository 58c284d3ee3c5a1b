"""Clinic time: what the clinic's calendar shows. It may run fast, and a test may travel in it.

Leases, back-off, time-outs and metrics use the machine's clock and the database's instead; those never travel.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Clinic time runs at `speed` from `origin`, the instant at which both clocks showed the same."""

    def __init__(self, speed: float = 1.0, origin: datetime | None = None) -> None:
        self._speed = speed
        self._origin = origin or datetime.now(UTC)
        self._travelled = timedelta()

    def now(self) -> datetime:
        """The present in clinic time, in UTC."""
        return self._origin + (datetime.now(UTC) - self._origin) * self._speed + self._travelled

    def machine_seconds_until(self, instant: datetime) -> float:
        """How long the machine has to wait until clinic time reaches `instant`; negative when past."""
        return (instant - self.now()).total_seconds() / self._speed

    def travel(self, distance: timedelta) -> None:
        """Move clinic time on, or back, at once."""
        self._travelled += distance
