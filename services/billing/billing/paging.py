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
        return write_place(self.at, self.id, *([self.owner] if self.owner else []))

    @classmethod
    def read(cls, text: str | None, field: str) -> Place | None:
        """Raises a 422 problem."""
        if text is None:
            return None
        kinds = (instant, name, Owner) if text.count("~") == 2 else (instant, name)
        return cls(*read_place(text, field, *kinds))
