"""Benefits by the clinic's services as they are kept and shown: each figure with the segments it comes from."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.money import Money

T = TypeVar("T")


class _Shown(BaseModel):
    """Kept as JSON: fields only ever gain optional neighbours, so that rows written before stay readable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class SegmentShown(_Shown):
    """A segment of the payer's answer, as sent."""

    position: int = Field(description="1-based ordinal in the answer")
    segment: str
    messages: list[str] = Field(default=[], description="The payer's own words with it (MSG)")


class FigureShown(_Shown, Generic[T]):
    """One figure. Null is unknown, never zero and never "no"; in conflict, its segments contradict each other."""

    value: T | None = None
    in_conflict: bool = False
    said: list[T] = Field(default=[], description="Where segments contradict each other: what they say, least first")
    segments: list[SegmentShown] = []


class CostShown(_Shown):
    """What one visit would cost the patient: between `low` and `high`, or unknown, with why."""

    low: Money | None = None
    high: Money | None = None
    unknown_because: str | None = None
    how: list[str] = Field(default=[], description="How the range comes about, one sentence a step")
    segments: list[SegmentShown] = []
    full_price_low: Money = Field(description="The clinic's own price of such a visit, without any insurance")
    full_price_high: Money


class ServiceShown(_Shown):
    """What the plan states for one kind of visit to this clinic, in network, on the day asked about."""

    service: str = Field(description="Id in the clinic's list of services: esketamine_session, …")
    name: str
    service_types: list[str] = Field(description="X12 service types looked at, the first before the next")
    shared_by: str | None = Field(None, description="The service type, or procedure, that copay and coinsurance are of")
    covered: FigureShown[bool]
    copay: FigureShown[Money]
    coinsurance: FigureShown[str] = Field(description='The patient\'s share: "0.2" is 20 %')
    deductible: FigureShown[Money]
    deductible_remaining: FigureShown[Money]
    out_of_pocket: FigureShown[Money]
    out_of_pocket_remaining: FigureShown[Money]
    visits: FigureShown[int] = Field(description="How many the plan pays for in its year")
    visits_remaining: FigureShown[int]
    authorization_required: FigureShown[bool]
    network: FigureShown[Literal["in", "in_and_out"]] = Field(
        description="Where copay and coinsurance hold (EB12). Whether this clinic is in the network no answer tells"
    )
    covered_out_of_network: FigureShown[bool]
    administered_by: FigureShown[str] = Field(description="Another payer that has to be asked about this service")
    cost: CostShown


class OtherPayerShown(_Shown):
    """A further payer that the answer names (EB R), and what that says of the plan that was asked."""

    name: str | None
    pays: Literal["first", "after", "unknown"] = Field(description="The other payer, as against this plan")
    segments: list[SegmentShown] = []


class OrderShown(_Shown):
    """Whether a coverage pays first or second, and who says so."""

    order: Literal["primary", "secondary", "unknown"]
    decided_by: Literal["person", "payer", "newest", "nobody"]
    reason: str
    segments: list[SegmentShown] = []
