"""An answer's segments, worked out for each of the clinic's services and made ready to be kept and shown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeVar

from billing.benefits.cost import Cost, cost
from billing.benefits.figures import Figures, Stated, figures
from billing.benefits.order import OtherPayer, other_payers, payers_word
from billing.benefits.segments import Told
from billing.benefits.services import Offer, Service
from billing.benefits.shown import CostShown, FigureShown, OtherPayerShown, SegmentShown, ServiceShown
from contracts.money import Money

T = TypeVar("T")
F = TypeVar("F", bound=FigureShown[Any])

MOST_SEGMENTS = 20
"""Of one figure, and of messages with one segment: an answer may say the same a thousand times."""

_Flag = FigureShown[bool]
_Amount = FigureShown[Money]
_Number = FigureShown[int]
_Text = FigureShown[str]
_Network = FigureShown[Literal["in", "in_and_out"]]
_UNKNOWN: Mapping[type, Any] = {kind: kind() for kind in (_Flag, _Amount, _Number, _Text, _Network)}


class _Evidence:
    """An answer's segments as they are shown, each made once."""

    def __init__(self, told: Told) -> None:
        self._told = told.by_position
        self._shown: dict[int, SegmentShown] = {}

    def at(self, positions: Iterable[int]) -> list[SegmentShown]:
        return [self._segment(at) for at in sorted(set(positions))[:MOST_SEGMENTS] if at in self._told]

    def _segment(self, at: int) -> SegmentShown:
        if at not in self._shown:
            one = self._told[at]
            messages = list(one.messages[:MOST_SEGMENTS])
            self._shown[at] = SegmentShown(position=at, segment=one.segment, messages=messages)
        return self._shown[at]


def services_shown(told: Told, offer: Offer) -> list[ServiceShown]:
    """What an answer says of each of the clinic's services, in the order of its list."""
    evidence = _Evidence(told)
    others = other_payers(told.benefits)
    return [_shown(service, told, evidence, others, offer.in_network) for service in offer.services]


def other_payers_shown(told: Told) -> list[OtherPayerShown]:
    """The further payers that an answer names."""
    evidence = _Evidence(told)
    return [
        OtherPayerShown(name=one.name, pays=one.pays, segments=evidence.at(one.evidence))
        for one in other_payers(told.benefits)
    ]


def figures_of(service: Service, told: Told) -> Figures:
    """What an answer states for one service of the clinic."""
    return figures(
        told,
        service.service_types,
        procedures=service.codes(told.on),
        principal=service.principal_codes(told.on),
        only_by_procedure=service.only_by_procedure,
    )


def _shown(
    service: Service, told: Told, evidence: _Evidence, others: Sequence[OtherPayer], in_network: bool
) -> ServiceShown:
    found = figures_of(service, told)
    costs = _cost(cost(found, service, in_network=in_network), service, evidence)
    if payers_word(others) == "secondary":
        costs = lowered(costs, PAYS_SECOND, evidence.at(at for one in others for at in one.evidence))

    return ServiceShown(
        service=service.id,
        name=service.name,
        service_types=list(service.service_types),
        shared_by=found.shared_by,
        covered=_figure(_Flag, found.covered, evidence),
        copay=_figure(_Amount, found.copay, evidence),
        coinsurance=_figure(_Text, found.coinsurance, evidence, share),
        deductible=_figure(_Amount, found.deductible, evidence),
        deductible_remaining=_figure(_Amount, found.deductible_remaining, evidence),
        out_of_pocket=_figure(_Amount, found.out_of_pocket, evidence),
        out_of_pocket_remaining=_figure(_Amount, found.out_of_pocket_remaining, evidence),
        visits=_figure(_Number, found.visits, evidence),
        visits_remaining=_figure(_Number, found.visits_remaining, evidence),
        authorization_required=_figure(_Flag, found.authorization_required, evidence),
        network=_figure(_Network, found.network, evidence),
        covered_out_of_network=_figure(_Flag, found.covered_out_of_network, evidence),
        administered_by=_figure(_Text, found.administered_by, evidence),
        cost=costs,
    )


PAYS_SECOND = "Another payer pays first, and may leave less."
HAS_SECONDARY = "A secondary insurance may lower it."


def lowered(cost: CostShown, why: str, segments: Sequence[SegmentShown] = ()) -> CostShown:
    """A cost of which another insurance may pay a part: nothing at the least. Unknown stays unknown."""
    if cost.low is None or cost.low.cents == 0:
        return cost
    known = {one.position for one in cost.segments}
    merged = sorted([*cost.segments, *(one for one in segments if one.position not in known)], key=_position)
    return cost.model_copy(update={"low": Money(cents=0), "how": [*cost.how, why], "segments": merged})


def _position(segment: SegmentShown) -> int:
    return segment.position


def share(value: Decimal) -> str:
    """A share as a decimal string without needless zeros: "0.2"."""
    return format(value.normalize(), "f")


def _figure(
    kind: type[F], stated: Stated[T], evidence: _Evidence, words: Callable[[T], Any] = lambda value: value
) -> F:
    if not stated.evidence:
        return _UNKNOWN[kind]
    conflict = stated.in_conflict and bool(stated.said)
    return kind(
        value=None if stated.value is None else words(stated.value),
        in_conflict=conflict,
        said=[words(value) for value in _few(stated.said)] if conflict else [],
        segments=evidence.at(stated.evidence),
    )


def _few(said: Sequence[T]) -> Sequence[T]:
    """Not all of very many values, but the least and the most."""
    return said if len(said) <= MOST_SEGMENTS else [*said[: MOST_SEGMENTS - 1], said[-1]]


def _cost(found: Cost, service: Service, evidence: _Evidence) -> CostShown:
    return CostShown(
        low=found.low,
        high=found.high,
        unknown_because=found.unknown_because,
        how=list(found.how),
        segments=evidence.at(found.evidence),
        full_price_low=service.price.low,
        full_price_high=service.price.high,
    )
