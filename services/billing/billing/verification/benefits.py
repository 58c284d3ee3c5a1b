"""What a plan pays for one X12 service type, as other services are told it. The rules are in `billing.benefits`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

from billing.benefits.figures import Figures, Stated, figures
from billing.x12.records import Benefit

__all__ = ["ServiceBenefit", "Stated", "of_service"]


@dataclass(frozen=True, slots=True)
class ServiceBenefit(Figures):
    """What the plan states for one service type, in network, on the day asked about."""

    service_type: str


def of_service(benefits: Sequence[Benefit], service_type: str, on: date) -> ServiceBenefit:
    """What these segments state for a service type on a day."""
    found = figures(benefits, (service_type,), on)
    return ServiceBenefit(**{one.name: getattr(found, one.name) for one in fields(found)}, service_type=service_type)
