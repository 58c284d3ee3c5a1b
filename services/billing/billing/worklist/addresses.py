"""What the addresses of the worklist may hold, and who may open them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path, Query

from billing.paging import Place
from billing.worklist.filter import Age, Filter, Shown
from chassis.http import Actor, Role, requires
from contracts.billing import Owner

Reader = Annotated[Actor, requires(Role.BILLING, Role.STAFF)]
Biller = Annotated[Actor, requires(Role.BILLING)]
CoverageIdInPath = Annotated[str, Path(pattern=r"^coverage_[0-9a-f-]{1,36}$", description="`coverage_…`")]
Trace = Annotated[str | None, Query(pattern="^[0-9A-F]{32}$", description="One of the questions about this coverage")]
Mark = Annotated[str, Query(max_length=64, pattern="^[0-9a-f]*$", description="What the page shows already")]
LastSeen = Annotated[str, Header(alias="Last-Event-ID", max_length=64, pattern="^[0-9a-f]*$")]

_PlaceText = Annotated[str | None, Query(max_length=140)]
_PayerIds = Annotated[list[Annotated[str, Query(max_length=80)]] | None, Query(max_length=20)]


def _filter(
    state: Shown | None = None,
    owner: Owner | None = None,
    payer: _PayerIds = None,
    age: Age | None = None,
    after: _PlaceText = None,
) -> Filter:
    concluded = state is Shown.CONCLUDED
    return Filter(state, None if concluded else owner, tuple(payer or ()), age, Place.read(after, "after"))


def _at(at: _PlaceText = None) -> Place | None:
    return Place.read(at, "at")


InUrl = Annotated[Filter, Depends(_filter)]
At = Annotated[Place | None, Depends(_at)]
"""Where in the list the coverage stood that somebody opened."""
