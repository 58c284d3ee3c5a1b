"""How a payer does: what its replies come to, one after another. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

ANSWERS_KEPT = 50
"""Answer times are told of so many last answers."""
BUSY_FOR_SECONDS = 60.0
"""So long a payer counts as rate limited after it last said so, whatever it answers meanwhile."""
TOLD_EVERY = timedelta(minutes=1)
"""Answer times alone are told at most so often."""


class Condition(StrEnum):
    """How a payer does."""

    ANSWERING = "answering"
    DOWN = "down"
    """It has failed several times in a row and is left alone, but for one question now and then."""
    RATE_LIMITED = "rate_limited"
    """It answers that it is asked too often (HTTP 429)."""


@dataclass(frozen=True, slots=True)
class Health:
    """A payer's condition. Times are clinic time, but for answer times, which are seconds of the machine's."""

    condition: Condition
    since: datetime
    noted_at: datetime
    trying_again_at: datetime | None = None
    """While down: when the next question is let through. None once one is on its way."""
    median_seconds: float | None = None
    slowest_seconds: float | None = None
    answers: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What one reply says about its payer."""

    at: datetime
    failed: bool
    busy: bool = False
    """It says that it is asked too often, or said so within BUSY_FOR_SECONDS."""
    rests_until: datetime | None = None
    """The payer is left alone until then, for having failed too often."""
    failing_since: datetime | None = None
    """The first of the failures in a row that this one ends."""


def after(known: Health | None, heard: Heard) -> Health | None:
    """The condition after a reply. A failure that is not yet one too many says nothing: then it is what it was."""
    if heard.failed and heard.rests_until is None:
        return known
    condition = Condition.DOWN if heard.failed else Condition.RATE_LIMITED if heard.busy else Condition.ANSWERING
    if known is not None and known.condition is condition:
        return replace(known, trying_again_at=heard.rests_until)
    since = (heard.failing_since or heard.at) if heard.failed else heard.at
    before = known or Health(condition, since, heard.at)
    return replace(before, condition=condition, since=since, trying_again_at=heard.rests_until)


def with_times(health: Health, seconds: Sequence[float], at: datetime) -> Health:
    """The same with the answer times as they are at `at`. `seconds` are those of the last answers."""
    if not seconds:
        return replace(health, noted_at=at)
    return replace(
        health,
        noted_at=at,
        median_seconds=round(median(seconds), 3),
        slowest_seconds=round(max(seconds), 3),
        answers=len(seconds),
    )


def worth_telling(told: Health | None, now: Health) -> bool:
    """Whether the others should hear of it: at once what changes, now and then how long answers take."""
    if told is None or (told.condition, told.since, told.trying_again_at) != (
        now.condition,
        now.since,
        now.trying_again_at,
    ):
        return True
    times_differ = (told.median_seconds, told.slowest_seconds) != (now.median_seconds, now.slowest_seconds)
    return times_differ and now.noted_at - told.noted_at >= TOLD_EVERY
