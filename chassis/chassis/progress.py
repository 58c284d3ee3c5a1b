"""Whether a consumer makes progress, from what is seen of it every second or so. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a consumer."""

    at: float
    """Seconds of a clock that never jumps."""
    joined: bool
    """Whether it has its share of the partitions, which may be none."""
    received: int
    """Records since it began."""
    unread: int | None
    """Records that the broker holds of its partitions and it has not received; None if the broker does not say."""
    paused: bool
    """Whether it reads nothing because it has enough to do."""


class Progress:
    """Remembers since when nothing has moved, and what stands in the way."""

    def __init__(self, at: float) -> None:
        self._since = at
        self._received = 0
        self._obstacle = "has not joined its group"

    def look(self, seen: Seen) -> None:
        """Take in what is seen now."""
        obstacle = self._found(seen)
        if obstacle is None or obstacle != self._obstacle or seen.received != self._received:
            self._since = seen.at
        self._obstacle = obstacle or ""
        self._received = seen.received

    def stalled(self, at: float, patience: float) -> str | None:
        """What has stood in the way for at least `patience` seconds, or None."""
        waited = at - self._since
        return f"{self._obstacle} for {waited:.0f} s" if self._obstacle and waited >= patience else None

    @staticmethod
    def _found(seen: Seen) -> str | None:
        if not seen.joined:
            return "has not joined its group"
        if seen.unread is None:
            return "gets no word from the broker"
        return "reads nothing, although there is something" if seen.unread and not seen.paused else None
