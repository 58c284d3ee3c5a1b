"""How a payer does, as a sentence for people. Pure."""

from __future__ import annotations

from datetime import datetime

from billing.payers.gateway import PASSING
from billing.payers.health import Condition, Health
from chassis.pages import Saying


def cause_now(
    code: str | None,
    cause: str | None,
    payer: str,
    health: Health | None,
    asking_again_at: datetime | None,
    saying: Saying,
) -> str | None:
    """The cause of a verification as it stands now: "Aetna is down since 9:12 am, trying again at 9:20 am."

    That sentence takes the place of one about a failure that passes, while the payer is down.
    """
    if health is None or health.condition is not Condition.DOWN or code not in PASSING:
        return cause
    again = asking_again_at or health.trying_again_at
    following = f", trying again at {saying.at(again)}" if again and again > saying.now else ""
    return f"{payer} is down since {saying.at(health.since)}{following}."


def condition(
    health: Health | None,
    saying: Saying,
    first_asked_at: datetime | None = None,
    opens_at: datetime | None = None,
) -> str:
    """`answering`, `down since 9:12 am, trying again at 9:20 am`, `rate limited since 9:12 am`, `not asked yet`.

    `first_asked_at` is when the first of what waits for the payer is asked again; `opens_at` when its system is back
    from its weekly pause: `closed, opens at 5:00 am`.
    """
    if opens_at is not None:
        return f"closed, opens at {saying.at(opens_at)}"
    if health is None:
        return "not asked yet"
    match health.condition:
        case Condition.ANSWERING:
            return "answering"
        case Condition.RATE_LIMITED:
            return f"rate limited since {saying.at(health.since)}"
        case Condition.DOWN:
            times = [time for time in (health.trying_again_at, first_asked_at) if time and time > saying.now]
            again = f", trying again at {saying.at(max(times))}" if times else ""
            return f"down since {saying.at(health.since)}{again}"


def by_engine(waiting: int, since: datetime | None, saying: Saying) -> str:
    """How a payer does that only engines ask: `asked by an engine, 2 wait for one, the first since 9:12 am`."""
    if not waiting or since is None:
        return "asked by an engine, nothing waits for one"
    wait = "1 waits for one" if waiting == 1 else f"{waiting} wait for one, the first"
    return f"asked by an engine, {wait} since {saying.at(since)}"


def answer_time(health: Health | None) -> str | None:
    """`in 0.8 s, at most 4.1 s`; None where nothing was answered."""
    if health is None or health.median_seconds is None or health.slowest_seconds is None:
        return None
    usually, at_most = _seconds(health.median_seconds), _seconds(health.slowest_seconds)
    return f"in {usually}" if usually == at_most else f"in {usually}, at most {at_most}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.95 else f"{max(seconds, 0.01):.2f} s"
