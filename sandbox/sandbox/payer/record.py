"""What the gateway remembers of the questions that it was asked."""

import itertools
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True)
class Asking:
    """A question as the gateway remembers it."""

    number: int
    """1 for the first since the record was emptied."""
    at: datetime
    payload_id: str
    payer: str = ""
    member_id: str = ""
    trace: str = ""
    service_types: tuple[str, ...] = ()
    service_date: str = ""
    scenario: str = ""
    """The member's, of scenarios.yaml; empty where nobody was found."""
    outcome: str = "waiting"
    """active · inactive · AAA and its code · 999 · TA1 · envelope fault · or the conduct that kept it from one."""
    milliseconds: float | None = None


@dataclass(slots=True)
class Record:
    """Everything that was asked: all of it counted, the last of it kept."""

    kept: deque[Asking]
    asked: int = 0
    by_payer: Counter[str] = field(default_factory=lambda: Counter[str]())
    by_outcome: Counter[str] = field(default_factory=lambda: Counter[str]())

    def open(self, payload_id: str) -> Asking:
        self.asked += 1
        asking = Asking(self.asked, datetime.now(UTC), payload_id)
        self.kept.append(asking)
        return asking

    def close(self, asking: Asking, payer: str, milliseconds: float) -> None:
        asking.milliseconds = milliseconds
        self.by_payer[payer] += 1
        self.by_outcome[asking.outcome] += 1

    def note_fault(self) -> None:
        """An envelope that could not be opened: counted, and nothing to keep."""
        self.asked += 1
        self.by_outcome["envelope fault"] += 1

    def matching(self, payer: str | None, member_id: str | None, before: int | None, limit: int) -> list[Asking]:
        """The latest questions, newest first; those of a lower number than `before`, if that is given."""
        wanted = (
            asking
            for asking in reversed(self.kept)
            if payer in (None, asking.payer)
            and member_id in (None, asking.member_id)
            and (before is None or asking.number < before)
        )
        return list(itertools.islice(wanted, limit))

    def clear(self) -> None:
        self.kept.clear()
        self.by_payer.clear()
        self.by_outcome.clear()
        self.asked = 0
