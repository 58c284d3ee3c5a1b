"""What billing says about insurance. Unknown is absent, never zero and never "no"."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from contracts.event import PHI, Event, Instant, Value
from contracts.ids import CoverageId, VerificationId
from contracts.money import Money


class Owner(StrEnum):
    """Who has to act next for a coverage to become known."""

    PATIENT = "patient"
    STAFF = "staff"
    PAYER = "payer"


class VerificationRequested(Event):
    """A payer is about to be asked."""

    type: ClassVar[str] = "billing.verification_requested.v1"
    verification_id: VerificationId
    coverage_id: CoverageId
    payer_id: str
    payer: str
    service_types: tuple[str, ...]
    """X12 service type codes, 005010X279A1 EQ01."""
    service_date: date


class Benefit(Value):
    """What a plan pays for one kind of service, in network, as far as the payer said so."""

    service_type: str
    """X12 service type code."""
    covered: bool | None = None
    copay: Money | None = None
    coinsurance: str | None = None
    """The patient's share as a decimal string: "0.2" is 20 %."""
    deductible: Money | None = None
    deductible_remaining: Money | None = None
    out_of_pocket: Money | None = None
    out_of_pocket_remaining: Money | None = None
    authorization_required: bool | None = None


class CoverageVerified(Event):
    """The payer says that the plan is active on the date asked about."""

    type: ClassVar[str] = "billing.coverage_verified.v1"
    verification_id: VerificationId
    coverage_id: CoverageId
    payer_id: str
    payer: str
    service_date: date
    plan: str | None = None
    active_from: date | None = None
    active_to: date | None = None
    benefits: tuple[Benefit, ...] = ()
    answered_at: Instant


class CoverageChange(Value):
    """One difference between two answers of a payer."""

    kind: str
    """`became_inactive`, `became_active`, `plan_changed`, `no_longer_covered`, `covered_now`, `authorization_required`,
    `authorization_no_longer_required`, `copay_changed`, `coinsurance_changed`, `deductible_met`,
    `deductible_begins_anew`, `visits_used_up`, `left_to_another_payer`; others may follow.
    """
    service: str | None = None
    """The clinic's id of the service, as `esketamine_session`; absent where it is of the plan or of every service."""
    was: str | None = None
    """In words, as `$25.00`; absent where it was not known."""
    now: str | None = None


class CoverageChanged(Event):
    """A payer's answer differs from its last one about the same coverage in something that matters.

    Said beside CoverageVerified or CoverageInactive, which tell how it stands now.
    """

    type: ClassVar[str] = "billing.coverage_changed.v1"
    verification_id: VerificationId
    coverage_id: CoverageId
    payer_id: str
    payer: str
    service_date: date
    changes: tuple[CoverageChange, ...]
    what_to_do: Annotated[str | None, PHI] = None
    """What a person of the staff is asked to do about it; absent where nobody has to act."""
    answered_at: Instant


class CoverageInactive(Event):
    """The payer says that the plan is not active on the date asked about."""

    type: ClassVar[str] = "billing.coverage_inactive.v1"
    verification_id: VerificationId
    coverage_id: CoverageId
    payer_id: str
    payer: str
    service_date: date
    cause: str
    """One sentence for staff; holds nothing about the person."""
    owner: Owner = Owner.PATIENT
    ended_on: date | None = None
    answered_at: Instant


class CoverageUndetermined(Event):
    """Whether the plan is active is not known, and why. Never a "no"."""

    type: ClassVar[str] = "billing.coverage_undetermined.v1"
    verification_id: VerificationId
    coverage_id: CoverageId
    payer_id: str | None = None
    payer: str
    service_date: date
    cause_code: str
    """`aaa_72`, `no_answer`, `payer_unknown`, `unreadable_answer`, …"""
    cause: str
    """One sentence for staff; holds nothing about the person."""
    owner: Owner
    asking_again_at: Instant | None = None


class VerificationNeedsStaff(Event):
    """A person of the billing staff has to look."""

    type: ClassVar[str] = "billing.verification_needs_staff.v1"
    verification_id: VerificationId
    coverage_id: CoverageId
    cause_code: str
    what_to_do: Annotated[str, PHI]
