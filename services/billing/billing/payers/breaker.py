"""Leaving a payer alone that has failed several times in a row, so that nobody waits for it in vain."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
REST_SECONDS = 15.0
LONGEST_REST_SECONDS = 120.0


class Breaker:
    """Open after `FAILURES` in a row; then one question at a time is let through as a trial, at growing distances."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._trial_at = 0.0
        self._on_trial = False

    @property
    def open(self) -> bool:
        return self._failures >= FAILURES

    @property
    def rest_seconds(self) -> float | None:
        """How long nobody is let through from now on; None while closed."""
        return max(0.0, self._trial_at - self._now()) if self.open else None

    def lets_through(self) -> bool:
        """Whether a question may be asked now. While open, the one that is let through is the trial."""
        if not self.open:
            return True
        if self._on_trial or self._now() < self._trial_at:
            return False
        self._on_trial = True
        return True

    def forget_trial(self) -> None:
        """The trial ended without telling anything."""
        self._on_trial = False

    def record(self, *, failed: bool) -> None:
        self._on_trial = False
        self._failures = self._failures + 1 if failed else 0
        if self.open:
            rest = REST_SECONDS * 2 ** min(self._failures - FAILURES, 10)
            self._trial_at = self._now() + min(rest, LONGEST_REST_SECONDS)
