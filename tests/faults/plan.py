"""What is done to the clinic in one run: drawn from a seed, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.points import POINTS
from deploy.local.topology import SERVICES

WITNESS = "witness"
PROCESSES = (*SERVICES, WITNESS)
SPEAKING = ("intake", "scheduling", "billing", "notify")
"""Services with a stream of their own, and so with a relay."""
REACHING = ("billing", "notify")
"""Services that call the outside world for every patient."""
HEARING = ("scheduling", "billing", "notify", "console", WITNESS)
OUTSIDE_LINKS = ("billing-gateway", "notify-carrier", "notify-mail")

LOAD_SECONDS = 5.0
_AT_ONCE = 4
"""Points that are waited for in one run."""
LEASE_SECONDS = 3.0
"""Of the relays under trial; a clinic's is longer."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to one part, so many seconds after the load began."""

    at: float
    do: str
    whom: str = ""
    how: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. `name` is what ONLY= takes: a kind, or `point:` and a point."""

    name: str
    seed: str
    steps: tuple[Step, ...]
    load_seconds: float = LOAD_SECONDS


Chance = random.Random


def point_processes(point: str) -> tuple[str, ...]:
    """Who passes a point for every patient."""
    if point.endswith(("publish", "acknowledge", "delete", "renewal")):
        return SPEAKING
    if point.endswith(("call", "record")):
        return REACHING
    return HEARING if point.endswith(("apply", "offsets")) else PROCESSES


def _passages(point: str, chance: Chance) -> int:
    """Early enough to come in the time of one load."""
    return chance.randint(1, 2 if point.endswith(("renewal", "offsets")) else 12)


def _point(chance: Chance, point: str, whom: str | None = None) -> Step:
    whom = whom or chance.choice(point_processes(point))
    return Step(round(chance.uniform(0.2, 0.8), 2), "arm", whom, {"point": point, "passages": _passages(point, chance)})


def _kill(chance: Chance) -> list[Step]:
    """SIGKILL to one, two or three processes at any moment."""
    return [
        Step(round(chance.uniform(0.3, LOAD_SECONDS), 2), "kill", whom)
        for whom in chance.sample(PROCESSES, chance.randint(1, 3))
    ]


def _any_point(chance: Chance) -> list[Step]:
    """SIGKILL at a point, in one process or in two at once."""
    whoever = chance.sample(PROCESSES, 2)
    drawn = [_point(chance, chance.choice([p for p in POINTS if who in point_processes(p)]), who) for who in whoever]
    return drawn[: chance.randint(1, 2)]


def _pause(chance: Chance) -> list[Step]:
    """SIGSTOP to a relay past its lease, while another of the same service takes over; then SIGCONT."""
    whom = chance.choice(SPEAKING)
    seconds = round(LEASE_SECONDS * chance.uniform(1.3, 2.2), 2)
    return [Step(0.0, "replica", whom), Step(2.5, "pause", whom, {"seconds": seconds})]


def _refuse(chance: Chance) -> list[Step]:
    """The broker refuses whatever is larger than so many bytes, and takes the rest."""
    at = round(chance.uniform(0.5, 2.0), 2)
    how = {"seconds": round(chance.uniform(1, 3), 2), "bytes": chance.choice((500, 700, 1000, 2000))}
    return [Step(at, "refuse", f"{whom}.events", how) for whom in chance.sample(SPEAKING, chance.randint(1, 4))]


def _kafka(chance: Chance) -> list[Step]:
    """SIGKILL to the broker; it is back after a moment."""
    return [Step(round(chance.uniform(0.5, 3), 2), "kafka", "", {"seconds": round(chance.uniform(0, 3), 2)})]


def _postgres(chance: Chance) -> list[Step]:
    """The database is stopped with `-m immediate`; it is back after a moment."""
    return [Step(round(chance.uniform(0.5, 3), 2), "postgres", "", {"seconds": round(chance.uniform(0, 3), 2)})]


def _links(chance: Chance) -> list[Step]:
    """One to three links are cut, stalled or slowed for some seconds."""
    names = [f"{whom}-{engine}" for whom in PROCESSES for engine in ("postgres", "kafka")]
    return [
        Step(
            round(chance.uniform(0.3, 2.5), 2),
            "link",
            name,
            {
                "state": chance.choice(("cut", "stalled", "slow")),
                "seconds": round(chance.uniform(0.2, 5), 2),
                "delay_seconds": round(chance.uniform(0.02, 0.15), 3),
            },
        )
        for name in chance.sample([*names, *OUTSIDE_LINKS], chance.randint(1, 3))
    ]


def _poison(chance: Chance) -> list[Step]:
    """Of what comes over one stream, 1 % cannot be read; then for a while nothing else comes."""
    whom = f"{chance.choice(SPEAKING)}.events"
    return [
        Step(0.0, "poison", whom, {"records": chance.randint(2, 6), "seconds": 2.5}),
        Step(2.5, "poison", whom, {"records": chance.randint(150, 300), "seconds": 1.5}),
    ]


def _clock(chance: Chance) -> list[Step]:
    """One process lives an hour ahead of the others, or behind, and then as they do again."""
    whom, hours = chance.choice(SPEAKING), chance.choice((-1, 1))
    return [Step(0.3, "clock", whom, {"hours": hours}), Step(LOAD_SECONDS, "clock", whom, {"hours": 0})]


def _rebalance(chance: Chance) -> list[Step]:
    """A second process of a service comes and goes, and comes and goes."""
    whom = chance.choice(HEARING)
    goes = [Step(2.5 + 2.5 * turn, chance.choice(("dismiss", "kill_replica")), whom) for turn in range(3)]
    return [Step(2.5 * turn, "replica", whom) for turn in range(3)] + goes


def _disk(chance: Chance) -> list[Step]:
    """The file system with every table on it is full for some seconds."""
    return [Step(round(chance.uniform(0.5, 2), 2), "disk", "", {"seconds": round(chance.uniform(2, 6), 2)})]


KINDS: dict[str, Callable[[Chance], list[Step]]] = {
    "kill": _kill,
    "point": _any_point,
    "pause": _pause,
    "refuse": _refuse,
    "kafka": _kafka,
    "postgres": _postgres,
    "links": _links,
    "poison": _poison,
    "clock": _clock,
    "rebalance": _rebalance,
    "disk": _disk,
}


def every_point(seed: int, points: Sequence[str] = tuple(POINTS)) -> list[Plan]:
    """Each point once, several processes at a time: a wave has one point at most for a process."""
    chance = random.Random(f"{seed}:points")
    waves: list[dict[str, str]] = []
    for point in points:
        for whom in chance.sample(point_processes(point), len(point_processes(point))):
            wave = next((wave for wave in waves if whom not in wave and len(wave) < _AT_ONCE), None)
            if wave is not None:
                wave[whom] = point
                break
        else:
            waves.append({chance.choice(point_processes(point)): point})
    return [
        Plan(
            f"point:{next(iter(wave.values()))}" if len(points) == 1 else "points",
            f"{seed}:points:{number}",
            tuple(_point(chance, point, whom) for whom, point in wave.items()),
        )
        for number, wave in enumerate(waves)
    ]


def run(seed: int, number: int, only: str = "") -> Plan:
    """The `number`-th run of a seed. Without `only`, each kind comes once in each round, in an order of the seed."""
    kinds = list(KINDS)
    random.Random(f"{seed}:{number // len(kinds)}").shuffle(kinds)
    kind = only or kinds[number % len(kinds)]
    chance = random.Random(f"{seed}:{number}:{kind}")
    if kind.startswith("point:"):
        steps = [_point(chance, kind.removeprefix("point:"))]
    elif kind in KINDS:
        steps = KINDS[kind](chance)
    else:
        raise ValueError(f"there is no kind of fault {kind!r}; there are {', '.join(KINDS)}, and point:<name>")
    last = max(step.at for step in steps)
    return Plan(kind, f"{seed}:{number}", tuple(sorted(steps, key=lambda step: step.at)), max(LOAD_SECONDS, last + 1.5))
