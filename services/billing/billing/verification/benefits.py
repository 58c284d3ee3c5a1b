"""What a plan pays for one X12 service type, as other services are told it. The rules are in `billing.benefits`."""

from __future__ import annotations

from dataclasses import dataclass, fields

from billing.benefits.figures import Figures, Stated, figures
from billing.benefits.segments import Told

__all__ = ["ServiceBenefit", "Stated", "of_service"]


@dataclass(frozen=True, slots=True)
class ServiceBenefit(Figures):
    """What the plan states for one service type, in network, on the day asked about."""

    service_type: str


def of_service(told: Told, service_type: str) -> ServiceBenefit:
    """What an answer states for a service type."""
    found = figures(told, (service_type,))
    return ServiceBenefit(**{one.name: getattr(found, one.name) for one in fields(found)}, service_type=service_type)
