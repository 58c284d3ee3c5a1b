"""An answer's segments, worked out for each of the clinic's services and made ready to be kept and shown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from billing.benefits.cost import Cost, cost
from billing.benefits.figures import Figures, Stated, figures
from billing.benefits.order import OtherPayer, other_payers, payers_word
from billing.benefits.services import Offer, Service
from billing.benefits.shown import CostShown, FigureShown, OtherPayerShown, SegmentShown, ServiceShown
from billing.x12.records import Benefit
from contracts.money import Money

T = TypeVar("T")

Segments = Mapping[int, Benefit]

MOST_SEGMENTS = 20
"""Of one figure, and of messages with one segment: an answer may say the same a thousand times."""

_Shown = FigureShown[Any]
_UNKNOWN = _Shown(value=None, in_conflict=False, said=[], segments=[])


def services_shown(benefits: Sequence[Benefit], on: date, offer: Offer) -> list[ServiceShown]:
    """What these segments say of each of the clinic's services, in the order of its list."""
    segments = _segments(benefits)
    others = other_payers(benefits)
    return [_shown(service, benefits, on, segments, others, offer.in_network) for service in offer.services]


def other_payers_shown(benefits: Sequence[Benefit]) -> list[OtherPayerShown]:
    """The further payers that these segments name."""
    segments = _segments(benefits)
    return [
        OtherPayerShown(name=one.name, pays=one.pays, segments=_evidence(one.evidence, segments))
        for one in other_payers(benefits)
    ]


def figures_of(service: Service, benefits: Sequence[Benefit], on: date) -> Figures:
    """What these segments state for one service of the clinic."""
    return figures(
        benefits,
        service.service_types,
        on,
        procedures=service.codes(on),
        principal=service.principal_codes(on),
        only_by_procedure=service.only_by_procedure,
    )


def _shown(
    service: Service,
    benefits: Sequence[Benefit],
    on: date,
    segments: Segments,
    others: Sequence[OtherPayer],
    in_network: bool,
) -> ServiceShown:
    found = figures_of(service, benefits, on)
    costs = _cost(cost(found, service, in_network=in_network), service, segments)
    if payers_word(others) == "secondary":
        costs = lowered(costs, PAYS_SECOND, _evidence((at for one in others for at in one.evidence), segments))

    def shown(stated: Stated[Any], words: Callable[[Any], Any] = lambda value: value) -> Any:
        return _figure(stated, segments, words)

    return ServiceShown(
        service=service.id,
        name=service.name,
        service_types=list(service.service_types),
        shared_by=found.shared_by,
        covered=shown(found.covered),
        copay=shown(found.copay),
        coinsurance=shown(found.coinsurance, share),
        deductible=shown(found.deductible),
        deductible_remaining=shown(found.deductible_remaining),
        out_of_pocket=shown(found.out_of_pocket),
        out_of_pocket_remaining=shown(found.out_of_pocket_remaining),
        visits=shown(found.visits),
        visits_remaining=shown(found.visits_remaining),
        authorization_required=shown(found.authorization_required),
        network=shown(found.network),
        covered_out_of_network=shown(found.covered_out_of_network),
        administered_by=shown(found.administered_by),
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


def _segments(benefits: Iterable[Benefit]) -> Segments:
    return {one.position: one for one in benefits}


def _evidence(positions: Iterable[int], segments: Segments) -> list[SegmentShown]:
    return [
        SegmentShown(position=at, segment=one.segment, messages=list(one.messages[:MOST_SEGMENTS]))
        for at in sorted(set(positions))[:MOST_SEGMENTS]
        if (one := segments.get(at)) is not None
    ]


def _figure(stated: Stated[T], segments: Segments, words: Callable[[T], Any]) -> FigureShown[Any]:
    if not stated.evidence:
        return _UNKNOWN
    conflict = stated.in_conflict and bool(stated.said)
    return _Shown(
        value=None if stated.value is None else words(stated.value),
        in_conflict=conflict,
        said=[words(value) for value in _few(stated.said)] if conflict else [],
        segments=_evidence(stated.evidence, segments),
    )


def _few(said: Sequence[T]) -> Sequence[T]:
    """Not all of very many values, but the least and the most."""
    return said if len(said) <= MOST_SEGMENTS else [*said[: MOST_SEGMENTS - 1], said[-1]]


def _cost(found: Cost, service: Service, segments: Segments) -> CostShown:
    return CostShown(
        low=found.low,
        high=found.high,
        unknown_because=found.unknown_because,
        how=list(found.how),
        segments=_evidence(found.evidence, segments),
        full_price_low=service.price.low,
        full_price_high=service.price.high,
    )
