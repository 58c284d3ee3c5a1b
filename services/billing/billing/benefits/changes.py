"""What is different between two answers about one coverage, where that matters. Pure.

The rules:

1. Known against known. What one of the two answers left unknown is no change; unknown is never "no". Except that an
   authorization of which nothing was known, and which is needed now, has to be got.
2. Changes that matter: the plan is no longer active, or is again; another plan; a service that is covered no longer, or
   is now; an authorization that is needed now, or no longer; another copay or coinsurance; a deductible that is met, or
   begins anew; the last visit used up; a service left to another payer. Less left of a deductible is no news.
3. What is so for every service is said once.
4. A person is asked to act where the plan is not active any more, where an authorization is needed now, and where a
   deductible is met: what was estimated for the visits ahead may be too much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from billing.benefits.cost import percent
from billing.benefits.shown import ServiceShown
from contracts.money import Money


class ChangeKind(StrEnum):
    """What changed, for programs. Others may follow."""

    BECAME_INACTIVE = "became_inactive"
    BECAME_ACTIVE = "became_active"
    PLAN = "plan_changed"
    NOT_COVERED = "no_longer_covered"
    COVERED = "covered_now"
    AUTHORIZATION = "authorization_required"
    NO_AUTHORIZATION = "authorization_no_longer_required"
    COPAY = "copay_changed"
    COINSURANCE = "coinsurance_changed"
    DEDUCTIBLE_MET = "deductible_met"
    DEDUCTIBLE_ANEW = "deductible_begins_anew"
    VISITS_USED_UP = "visits_used_up"
    CARVED_OUT = "left_to_another_payer"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `service` is None where it is of the plan or of every service; `was` and `now` are in words."""

    kind: ChangeKind
    service: str | None = None
    was: str | None = None
    now: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a payer had answered about a coverage."""

    active: bool
    plan: str | None = None
    services: Sequence[ServiceShown] = ()


ACTED_ON = frozenset({ChangeKind.BECAME_INACTIVE, ChangeKind.AUTHORIZATION, ChangeKind.DEDUCTIBLE_MET})
"""What a person is asked to do something about."""

SETTLED_BY: dict[ChangeKind, frozenset[ChangeKind]] = {
    ChangeKind.BECAME_ACTIVE: frozenset({ChangeKind.BECAME_INACTIVE}),
    ChangeKind.BECAME_INACTIVE: ACTED_ON,
    ChangeKind.NO_AUTHORIZATION: frozenset({ChangeKind.AUTHORIZATION}),
    ChangeKind.AUTHORIZATION: frozenset({ChangeKind.AUTHORIZATION}),
    ChangeKind.DEDUCTIBLE_ANEW: frozenset({ChangeKind.DEDUCTIBLE_MET}),
}
"""What nobody has to do any more once something else has changed."""


def changes(before: Answered, after: Answered) -> list[Change]:
    """What matters of the difference between two answers."""
    if before.active and not after.active:
        return [Change(ChangeKind.BECAME_INACTIVE, None, "active", "inactive")]
    found: list[Change] = []
    if after.active and not before.active:
        found.append(Change(ChangeKind.BECAME_ACTIVE, None, "inactive", "active"))
    if before.plan and after.plan and before.plan.casefold() != after.plan.casefold():
        found.append(Change(ChangeKind.PLAN, None, before.plan, after.plan))
    earlier = {one.service: one for one in before.services}
    pairs = [(was, now) for now in after.services if (was := earlier.get(now.service)) is not None]
    return found + _once([change for was, now in pairs for change in _of_service(was, now)], len(pairs))


def settled(found: Iterable[Change]) -> frozenset[ChangeKind]:
    """What a person was asked to do about these kinds is done, or has another request in its place."""
    return frozenset[ChangeKind]().union(*(SETTLED_BY.get(one.kind, frozenset()) for one in found))


def to_do(found: Sequence[Change], payer: str, names: dict[str, str]) -> str | None:
    """What a person is asked to do about it; None where nothing has to be done. `names` are the services' by id."""
    if any(one.kind is ChangeKind.BECAME_INACTIVE for one in found):
        return f"{payer} says that the plan is not active any more. Ask for another insurance, or talk about self-pay."
    asked: list[str] = []
    if needed := _services(ChangeKind.AUTHORIZATION, found, names):
        asked.append(f"{payer} wants an authorization now for: {needed}. Ask for it before the next visit.")
    if met := _services(ChangeKind.DEDUCTIBLE_MET, found, names):
        asked.append(f"The deductible is met for: {met}. Tell the patient which visits cost less than estimated.")
    return " ".join(asked) or None


def _services(kind: ChangeKind, found: Sequence[Change], names: dict[str, str]) -> str:
    """The services that have changed in this way, in words; empty where none has."""
    services = [one.service for one in found if one.kind is kind]
    return "every service" if None in services else ", ".join(names.get(id, id).lower() for id in services if id)


def _of_service(was: ServiceShown, now: ServiceShown) -> list[Change]:
    def differ(kind: ChangeKind, name: str, words: Callable[[Any], str]) -> None:
        before, after = getattr(was, name).value, getattr(now, name).value
        if None not in (before, after) and before != after:
            found.append(Change(kind, now.service, words(before), words(after)))

    found: list[Change] = []
    covered = ChangeKind.COVERED if now.covered.value else ChangeKind.NOT_COVERED
    differ(covered, "covered", lambda yes: "covered" if yes else "not covered")
    if now.authorization_required.value is True and was.authorization_required.value is not True:
        known = was.authorization_required.value is False
        found.append(Change(ChangeKind.AUTHORIZATION, now.service, "not needed" if known else None, "needed"))
    elif now.authorization_required.value is False and was.authorization_required.value is True:
        found.append(Change(ChangeKind.NO_AUTHORIZATION, now.service, "needed", "not needed"))
    differ(ChangeKind.COPAY, "copay", str)
    differ(ChangeKind.COINSURANCE, "coinsurance", lambda share: percent(Decimal(share)))
    found += _of_deductible(was.deductible_remaining.value, now.deductible_remaining.value, now.service)
    if now.visits_remaining.value == 0 and was.visits_remaining.value:
        found.append(Change(ChangeKind.VISITS_USED_UP, now.service, str(was.visits_remaining.value), "0"))
    if now.administered_by.segments and not was.administered_by.segments:
        to = now.administered_by.value or "a payer that it does not name"
        found.append(Change(ChangeKind.CARVED_OUT, now.service, None, to))
    return found


def _of_deductible(was: Money | None, now: Money | None, service: str) -> list[Change]:
    if was is None or now is None or bool(was.cents) == bool(now.cents):
        return []
    kind = ChangeKind.DEDUCTIBLE_ANEW if now.cents else ChangeKind.DEDUCTIBLE_MET
    return [Change(kind, service, f"{was} left", f"{now} left")]


def _once(found: list[Change], services: int) -> list[Change]:
    """A change that every service has is one of the plan's."""
    said: dict[tuple[ChangeKind, str | None, str | None], list[Change]] = {}
    for one in found:
        said.setdefault((one.kind, one.was, one.now), []).append(one)
    return [
        merged
        for (kind, was, now), same in said.items()
        for merged in ([Change(kind, None, was, now)] if len(same) == services > 1 else same)
    ]
