"""The levels of a 270 or 271 (HL): who asks whom about whom, one below the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from billing.x12.records import Benefit, Party, Question, Raw, Rejection, Trace

SOURCE, RECEIVER, SUBSCRIBER, DEPENDENT = range(4)
LETTERS = "ABCD"
RANKS = {"20": SOURCE, "21": RECEIVER, "22": SUBSCRIBER, "23": DEPENDENT}
RANK_NAMES = ("information source", "information receiver", "subscriber", "dependent")


@dataclass(slots=True)
class Surroundings:
    """Who stands above a patient, and every trace number given on the way down."""

    payer: Party | None = None
    provider: Party | None = None
    subscriber: Party | None = None
    traces: list[Trace] = field(default_factory=list)


@dataclass(slots=True)
class Level:
    """One HL and what stands under it, until the next."""

    rank: int
    parent: "Level | None"
    position: int
    expects_children: bool = False
    children: int = 0
    party: Party = field(default_factory=Party)
    traces: list[Trace] = field(default_factory=list)
    benefits: list[Benefit] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    other: list[Raw] = field(default_factory=list)

    def surroundings(self) -> Surroundings:
        around = Surroundings()
        level: Level | None = self
        while level is not None:
            if level.rank == SUBSCRIBER:
                around.subscriber = level.party
            elif level.rank == RECEIVER:
                around.provider = level.party
            elif level.rank == SOURCE:
                around.payer = level.party
            if level.traces:
                around.traces = level.traces + around.traces
            level = level.parent
        return around


def shown_with(found: Iterable[Level]) -> set[int]:
    """The positions of the levels that are shown with these: themselves and those above them."""
    shown: set[int] = set()
    for level in found:
        above: Level | None = level
        while above is not None and above.position not in shown:
            shown.add(above.position)
            above = above.parent
    return shown
