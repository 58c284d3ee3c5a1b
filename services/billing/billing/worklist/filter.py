"""What of the worklist is looked at, as it stands in an address: states, payers, times and ids, nothing of a person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from billing.paging import Place
from contracts.billing import Owner

OWNERS: Final = (Owner.PATIENT, Owner.STAFF, Owner.PAYER)
"""In the order in which what they have to do is listed."""
NO_PAYER: Final = "none"
"""In place of a payer's id: it is not clear which payer is meant."""


class Shown(StrEnum):
    """Which list is looked at alone."""

    NEEDS_PERSON = "needs_person"
    CHANGED = "changed"
    WAITING = "waiting"
    CONCLUDED = "concluded"


class Age(StrEnum):
    """How long something has stood at least."""

    HOUR = "1h"
    DAY = "1d"
    THREE_DAYS = "3d"

    @property
    def span(self) -> timedelta:
        return {Age.HOUR: timedelta(hours=1), Age.DAY: timedelta(days=1), Age.THREE_DAYS: timedelta(days=3)}[self]


@dataclass(frozen=True, slots=True)
class Filter:
    """The list that somebody looks at."""

    shown: Shown | None = None
    owner: Owner | None = None
    payers: tuple[str, ...] = ()
    age: Age | None = None
    after: Place | None = None

    @property
    def owners(self) -> tuple[Owner, ...]:
        return (self.owner,) if self.owner else OWNERS

    @property
    def narrowed(self) -> bool:
        return bool(self.owner or self.payers or self.age)

    def with_(self, **changes: object) -> Filter:
        """With something changed; a place in a list is lost with what the list is of."""
        return replace(self, **({"after": None} | changes))

    def url(self, **changes: object) -> str:
        query = self.with_(**changes).query()
        return f"/worklist?{query}" if query else "/worklist"

    def case_url(self, coverage_id: str, place: Place | None = None, step: str = "", **more: str) -> str:
        """The address of one coverage, as reached from this list: the next one is the next of this list."""
        query = self.with_(shown=None).query(**({"at": str(place)} if place else {}), **more)
        path = f"/worklist/coverages/{coverage_id}{f'/{step}' if step else ''}"
        return f"{path}?{query}" if query else path

    def query(self, **more: str) -> str:
        choices = {"state": self.shown, "owner": self.owner, "age": self.age, "after": self.after}
        pairs = [(name, str(value)) for name, value in choices.items() if value]
        return urlencode([*pairs, *(("payer", payer) for payer in self.payers), *more.items()])
