"""What can be said of a person's insurance as a whole: active, not active, or unknown, with cause and owner. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from console.following.model import Coverage, CoverageStatus, Known
from contracts.billing import Owner
from contracts.intake import CardOutcome, Insured


class CoverageState(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"
    """Never a "no"."""
    NONE = "none"
    """They say that they have no insurance."""


class Cause(StrEnum):
    """Why a coverage stands as it does. The sentences are in wording.yaml; billing's own sentence comes first."""

    PAYER_SAYS_ACTIVE = "payer_says_active"
    PAYER_SAYS_INACTIVE = "payer_says_inactive"
    STAFF_MUST_LOOK = "staff_must_look"
    NOT_DETERMINED = "not_determined"
    BEING_ASKED = "being_asked"
    REPORTED = "reported"
    CARD_BEING_READ = "card_being_read"
    CARD_UNREADABLE = "card_unreadable"
    CARD_FAILED = "card_failed"
    CARD_INCOMPLETE = "card_incomplete"
    NOTHING_GIVEN = "nothing_given"
    SAYS_UNINSURED = "says_uninsured"
    FORM_AWAITED = "form_awaited"


@dataclass(frozen=True, slots=True)
class Standing:
    """`owner` acts next; None where nothing is to be done, or it is under way here."""

    state: CoverageState
    cause: Cause
    since: datetime
    owner: Owner | None = None
    coverage: Coverage | None = None

    @property
    def sentence(self) -> str | None:
        """Billing's own words for the cause, if there are any. They hold nothing about the person."""
        return self.coverage.cause if self.coverage else None

    @property
    def service_date(self) -> date | None:
        return self.coverage.service_date if self.coverage else None


def standing_of(known: Known) -> Standing:
    """An active coverage wins; one that is unknown comes before one that is not active: unknown is never no."""
    if not known.coverages:
        return _without_coverage(known)
    order = (CoverageState.ACTIVE, CoverageState.UNKNOWN, CoverageState.INACTIVE)
    standings = [_standing_of_one(one, known) for one in reversed(known.coverages)]
    return min(standings, key=lambda one: order.index(one.state))


def _standing_of_one(one: Coverage, known: Known) -> Standing:
    since = one.status_since or one.asked_at or one.reported_at or known.first_heard_at
    match one.status:
        case CoverageStatus.ACTIVE:
            return Standing(CoverageState.ACTIVE, Cause.PAYER_SAYS_ACTIVE, since, None, one)
        case CoverageStatus.INACTIVE:
            return Standing(CoverageState.INACTIVE, Cause.PAYER_SAYS_INACTIVE, since, one.owner, one)
        case _:
            return _unknown(one, since)


def _unknown(one: Coverage, since: datetime) -> Standing:
    if one.staff_look:
        return Standing(CoverageState.UNKNOWN, Cause.STAFF_MUST_LOOK, one.staff_look.since, Owner.STAFF, one)
    if one.status is CoverageStatus.UNDETERMINED:
        return Standing(CoverageState.UNKNOWN, Cause.NOT_DETERMINED, since, one.owner, one)
    if one.asked_at:
        return Standing(CoverageState.UNKNOWN, Cause.BEING_ASKED, since, Owner.PAYER, one)
    return Standing(CoverageState.UNKNOWN, Cause.REPORTED, since, None, one)


def _without_coverage(known: Known) -> Standing:
    """No payer has been named to billing: because of what the form said, or what its card did not say."""
    since = known.submitted_at
    if since is None:
        return Standing(CoverageState.UNKNOWN, Cause.FORM_AWAITED, known.first_heard_at)
    if known.coverage_typed and (known.card or not known.card_received):
        return Standing(CoverageState.UNKNOWN, Cause.REPORTED, since)
    if known.card_received:
        return _by_card(known, since)
    if known.insured is Insured.NO:
        return Standing(CoverageState.NONE, Cause.SAYS_UNINSURED, since)
    return Standing(CoverageState.UNKNOWN, Cause.NOTHING_GIVEN, since, Owner.PATIENT)


def _by_card(known: Known, since: datetime) -> Standing:
    card = known.card
    if card is None:
        return Standing(CoverageState.UNKNOWN, Cause.CARD_BEING_READ, since)
    if card.outcome is CardOutcome.READ and card.is_enough:
        return Standing(CoverageState.UNKNOWN, Cause.REPORTED, card.read_at)
    cause = {
        CardOutcome.READ: Cause.CARD_INCOMPLETE,
        CardOutcome.UNREADABLE: Cause.CARD_UNREADABLE,
        CardOutcome.FAILED: Cause.CARD_FAILED,
    }[card.outcome]
    return Standing(CoverageState.UNKNOWN, cause, card.read_at, Owner.STAFF)
