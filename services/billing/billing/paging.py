"""Where a list of billing goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.http.places import instant, name, read_place, write_place
from contracts.billing import Owner


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: after the row of this time and id. `owner` is whose part of the list it stands in."""

    at: datetime
    id: str
    owner: Owner | None = None

    def __str__(self) -> str:
        return write_place(self.at, self.id, self.owner or "")

    @classmethod
    def read(cls, text: str | None, field: str) -> Place | None:
        """Raises a 422 problem."""
        return None if text is None else cls(*read_place(text, field, instant, name, _owner))


def _owner(text: str) -> Owner | None:
    return Owner(text) if text else None
