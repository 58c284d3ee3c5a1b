"""What intake says: who asks for help, what they report, and how urgent it is."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from contracts.event import PHI, Event, Instant, PrivateText, Value
from contracts.ids import CoverageId, IntakeId


class Insured(StrEnum):
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class Treatment(StrEnum):
    IV_KETAMINE = "iv_ketamine"
    ESKETAMINE = "esketamine"
    LOZENGE = "lozenge"
    UNSURE = "unsure"


class RiskLevel(StrEnum):
    """How much danger a person is in. `UNASSESSED`: they say so and nobody has asked more yet."""

    UNASSESSED = "unassessed"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


class CardOutcome(StrEnum):
    READ = "read"
    UNREADABLE = "unreadable"
    FAILED = "failed"


class PatientRegistered(Event):
    """A person is known to the clinic from now on. At least one of phone and e-mail is there."""

    type: ClassVar[str] = "intake.patient_registered.v1"
    name: PrivateText
    phone: Annotated[str | None, PHI] = None
    """E.164."""
    email: Annotated[str | None, PHI] = None
    birth_date: Annotated[date | None, PHI] = None


class ConsentRecorded(Event):
    """A person agreed to something, in the words shown to them then."""

    type: ClassVar[str] = "intake.consent_recorded.v1"
    kind: str
    """`texts`: to be told of appointments by text message."""
    wording: str
    wording_version: str
    given_at: Instant


class Submitted(Event):
    """A person sent the form and asks for help. Said after the facts that it rests on."""

    type: ClassVar[str] = "intake.submitted.v1"
    intake_id: IntakeId
    reference: str
    """What the person may quote on the phone."""
    insured: Insured | None = None
    treatment: Treatment | None = None
    in_danger: bool
    card_received: bool
    coverage_typed: bool
    """Payer and member number were both typed."""


class RiskFlagged(Event):
    """Somebody may be in danger. Stands until a clinician clears it."""

    type: ClassVar[str] = "intake.risk_flagged.v1"
    level: RiskLevel
    source: str
    """`intake_form`: the answer to the form's one question."""


class CardField(Value):
    """One thing printed on a card, as read."""

    name: str
    value: PrivateText
    confidence: float
    """0 to 1."""


class CardRead(Event):
    """An insurance card was read from its photographs, or could not be."""

    type: ClassVar[str] = "intake.card_read.v1"
    intake_id: IntakeId
    outcome: CardOutcome
    fields: tuple[CardField, ...] = ()
    contradicted: tuple[str, ...] = ()
    """Names of fields in which the card differs from what the person typed."""
    seconds: float | None = None


class CoverageReported(Event):
    """A person has, or may have, this insurance. What they typed wins over what was read from the card."""

    type: ClassVar[str] = "intake.coverage_reported.v1"
    coverage_id: CoverageId
    payer: str
    member_id: PrivateText
    group: Annotated[str | None, PHI] = None
    holder: Annotated[str | None, PHI] = None
    source: str
    """`typed`, `card`, or `typed_and_card`."""
    confidence: float | None = None
    """Of the member number, 0 to 1; absent where it was typed."""
    contradicted: tuple[str, ...] = ()
