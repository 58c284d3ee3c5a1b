"""Where a list goes on, as it stands in an address: an instant and an id, nothing of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.http import Problem
from contracts.billing import Owner


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: after the row of this time and id. `owner` is whose part of the list it stands in."""

    at: datetime
    id: str
    owner: Owner | None = None

    def __str__(self) -> str:
        # Z, for a plus sign would be a blank in an address.
        instant = self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return "~".join([instant, self.id, *([self.owner] if self.owner else [])])

    @classmethod
    def read(cls, text: str | None, field: str) -> Place | None:
        """Raises a 422 problem."""
        if text is None:
            return None
        instant, _, rest = text.partition("~")
        id, _, owner = rest.partition("~")
        try:
            place = cls(datetime.fromisoformat(instant), id, Owner(owner) if owner else None)
        except ValueError:
            raise _not_valid(field) from None
        if not id or place.at.tzinfo is None or not 1900 <= place.at.year <= 8000:
            raise _not_valid(field)
        return place


def _not_valid(field: str) -> Problem:
    error = {"field": field, "message": "Take it from the page before, unchanged."}
    return Problem(422, "The place to go on from is not valid", errors=[error])
