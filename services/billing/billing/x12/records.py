"""What an X12 file says, as plain values. Reading gives these; writing a 270 takes them.

An element that is absent or empty is None (or an empty list), never zero and never "no". Codes are kept as sent;
their meanings are in `codes`. `position` is a segment's 1-based ordinal in the file, and two records that differ
only in where they stand are equal.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

Item = TypeVar("Item")
Few = list[Item] | tuple[()]
"""A list that takes no memory while it is empty."""


@dataclass(slots=True)
class Problem:
    """A fault in the file: a code from `codes.PROBLEMS`, where it stands, and what to do or know about it.

    The message names elements, never what a person's elements hold.
    """

    code: str
    position: int
    message: str


@dataclass(slots=True)
class Raw:
    """A segment as sent, without its terminator."""

    segment: str
    position: int = field(default=0, compare=False)


@dataclass(slots=True)
class Period:
    """A date or a range (DTP). A single date is `start`; `text` is DTP03 as sent."""

    qualifier: str
    start: date | None
    end: date | None = None
    text: str = field(default="", compare=False)
    position: int = field(default=0, compare=False)

    @property
    def open_ended(self) -> bool:
        """A range that was sent without its end: "20260101-"."""
        return self.end is None and self.text.endswith("-")


@dataclass(slots=True)
class Reference:
    """A further number by which somebody is known (REF)."""

    qualifier: str
    value: str
    description: str | None = None
    position: int = field(default=0, compare=False)


@dataclass(slots=True)
class Trace:
    """The number that ties an answer to its question (TRN). Type 1 is the asker's own, 2 is one given back."""

    type: str
    number: str
    originator: str | None = None
    originator_detail: str | None = None
    position: int = field(default=0, compare=False)


@dataclass(slots=True)
class Contact:
    """Whom to reach and how (PER): `numbers` are pairs of qualifier (TE, FX, EM, UR, ...) and number."""

    function: str
    name: str | None
    numbers: list[tuple[str, str]]
    position: int = field(default=0, compare=False)


@dataclass(slots=True)
class Party:
    """A payer, a provider, a person or a benefit related entity: NM1 and what follows it.

    `role` is NM101 and `entity_type` NM102 (1 a person, 2 an organization, whose name is in `last`). `insured` is
    INS01: Y for the subscriber, N for a dependent.
    """

    role: str | None = None
    entity_type: str | None = None
    last: str | None = None
    first: str | None = None
    middle: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    id_qualifier: str | None = None
    id: str | None = None
    position: int = field(default=0, compare=False)
    address: list[str] = field(default_factory=list)
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    birth_date: date | None = None
    gender: str | None = None
    insured: str | None = field(default=None, compare=False)  # it follows from the relationship
    relationship: str | None = None
    provider_type: str | None = None
    provider_number_qualifier: str | None = None
    provider_number: str | None = None
    contacts: list[Contact] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    dates: list[Period] = field(default_factory=list)

    @property
    def name(self) -> str | None:
        """The name as one reads it: first, middle, last, suffix; an organization's name as it is."""
        return " ".join(part for part in (self.first, self.middle, self.last, self.suffix) if part) or None


@dataclass(slots=True)
class Procedure:
    """A procedure, drug or diagnosis asked or answered about (EB13, EQ02)."""

    qualifier: str
    code: str | None
    modifiers: list[str] = field(default_factory=list)
    description: str | None = None
    last_code: str | None = None


@dataclass(slots=True)
class Delivery:
    """How often and for how long a benefit is given (HSD). Quantities are decimal strings."""

    quantity_qualifier: str | None
    quantity: str | None
    unit: str | None
    sample: str | None
    period: str | None
    period_count: str | None
    frequency: str | None
    time_of_day: str | None
    position: int = field(default=0, compare=False)


@dataclass(slots=True)
class Circumstance:
    """What a benefit or question is limited to: a place of service, a diagnosis, an injury (III)."""

    qualifier: str | None
    code: str | None
    category: str | None = None
    text: str | None = None
    position: int = field(default=0, compare=False)


@dataclass(slots=True)
class Benefit:
    """One EB and what stands under it. Amount, percent (0.2 is 20 %) and quantity are decimal strings as sent.

    An answer may hold thousands of these, most with nothing under them: hence `Few`.
    """

    kind: str
    level: str | None
    service_types: tuple[str, ...]
    insurance_type: str | None
    plan: str | None
    period: str | None
    amount: str | None
    percent: str | None
    quantity_unit: str | None
    quantity: str | None
    authorization: str | None
    network: str | None
    procedure: Procedure | None
    diagnosis_pointers: tuple[str, ...]
    segment: str
    position: int
    delivery: Few[Delivery] = ()
    dates: Few[Period] = ()
    references: Few[Reference] = ()
    circumstances: Few[Circumstance] = ()
    entities: Few[Party] = ()
    messages: Few[str] = ()


@dataclass(slots=True)
class Rejection:
    """One AAA: why the payer would not answer, who can put it right, and when it may be asked again.

    `retry` is one of `codes.RETRIES` and `owner` one of `codes.OWNERS`.
    """

    code: str
    valid: bool | None
    meaning: str | None
    loop: str
    next_step: str | None
    next_step_meaning: str | None
    owner: str
    retry: str
    retry_after_days: int | None
    segment: str
    position: int


@dataclass(slots=True)
class Coverage:
    """What a 271 says about one patient, or, with no subscriber and patient, why it says nothing."""

    payer: Party | None
    provider: Party | None
    subscriber: Party | None
    patient: Party | None
    relation: str | None
    traces: list[Trace]
    benefits: list[Benefit]
    rejections: list[Rejection]
    other: list[Raw]
    answered: date | None
    complete: bool


@dataclass(slots=True)
class Question:
    """What a 270 asks about (EQ): service types or one procedure."""

    service_types: list[str] = field(default_factory=list)
    procedure: Procedure | None = None
    level: str | None = None
    insurance_type: str | None = None
    diagnosis_pointers: list[str] = field(default_factory=list)
    circumstances: list[Circumstance] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    dates: list[Period] = field(default_factory=list)
    segment: str = field(default="", compare=False)
    position: int = field(default=0, compare=False)


@dataclass(slots=True)
class Inquiry:
    """One patient of a 270. The patient is the dependent, or the subscriber where there is none."""

    payer: Party | None
    provider: Party | None
    subscriber: Party | None
    dependent: Party | None = None
    traces: list[Trace] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    other: list[Raw] = field(default_factory=list, compare=False)


@dataclass(slots=True)
class ElementError:
    """A fault that an acknowledgement finds in an element (IK4, AK4)."""

    element: str
    reference: str | None
    code: str | None
    value: str | None
    context: list[str]
    position: int


@dataclass(slots=True)
class SegmentError:
    """A fault that an acknowledgement finds in a segment (IK3, AK3) of what was sent."""

    segment_id: str
    ordinal: str
    loop: str | None
    code: str | None
    context: list[str]
    position: int
    elements: list[ElementError] = field(default_factory=list)


@dataclass(slots=True)
class TransactionAnswer:
    """What became of one transaction that was sent (AK2 to IK5 or AK5)."""

    kind: str
    control_number: str
    version: str | None
    status: str | None
    codes: list[str]
    position: int
    errors: list[SegmentError] = field(default_factory=list)


@dataclass(slots=True)
class Acknowledgement:
    """What became of a group (999, 997: AK1 to AK9) or of an interchange (TA1) that was sent."""

    kind: str
    group: str | None
    control_number: str
    version: str | None
    status: str | None
    codes: list[str]
    counts: dict[str, str | None]
    segment: str
    position: int
    transactions: list[TransactionAnswer] = field(default_factory=list)


@dataclass(slots=True)
class Transaction:
    """ST to SE. What it says is in the list that its kind fills; any other kind keeps its `segments`.

    `structure` to `type` are BHT01 to BHT06: 0022; 01 cancels, 11 answers, 13 asks; the number that an answer gives
    back; the day and the time of day as sent (HHMM, HHMMSS); RT for an answer that uses up an authorization.
    """

    kind: str
    version: str | None
    control_number: str | None
    position: int
    problems: list[Problem] = field(default_factory=list)
    structure: str | None = None
    purpose: str | None = None
    reference: str | None = None
    created: date | None = None
    time: str | None = None
    type: str | None = None
    cut_off: bool = False
    coverages: list[Coverage] = field(default_factory=list)
    inquiries: list[Inquiry] = field(default_factory=list)
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    segments: list[Raw] = field(default_factory=list)
    other: list[Raw] = field(default_factory=list)


@dataclass(slots=True)
class Interchange:
    """ISA to IEA: who sent it to whom, its transactions in file order, and what was wrong with its envelope."""

    control_number: str | None = None
    sender: str | None = None
    sender_qualifier: str | None = None
    receiver: str | None = None
    receiver_qualifier: str | None = None
    version: str | None = None
    usage: str | None = None
    problems: list[Problem] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    other: list[Raw] = field(default_factory=list)


@dataclass(slots=True)
class File:
    """All that was read. A file that is not X12 at all has no interchange and one problem, `not_x12`."""

    interchanges: list[Interchange]
    problems: list[Problem]
