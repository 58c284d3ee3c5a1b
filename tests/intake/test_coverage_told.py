"""What billing is told of a coverage: what was typed wins, the card fills in, and a contradiction is said."""

from __future__ import annotations

import pytest

from contracts.ids import CoverageId
from contracts.intake import CardField, CardOutcome, CoverageReported
from intake.card_reading.model import Printed, Typed, contradicted, reported

CARD = Printed(
    (
        CardField(name="payer", value="Lakeshore Mutual", confidence=0.97),
        CardField(name="member_id", value="XYZ123456789", confidence=0.93),
        CardField(name="group", value="7700", confidence=0.8),
        CardField(name="holder", value="ADA BYRON", confidence=0.9),
    )
)


def told(typed: Typed, printed: Printed) -> CoverageReported | None:
    return reported(CoverageId("coverage_1"), typed, printed)


def test_a_card_alone_tells_the_coverage_with_its_confidence() -> None:
    coverage = told(Typed(), CARD)
    assert coverage is not None
    assert (coverage.payer, coverage.member_id, coverage.group) == ("Lakeshore Mutual", "XYZ123456789", "7700")
    assert (coverage.source, coverage.confidence, coverage.contradicted) == ("card", 0.93, ())


def test_what_was_typed_wins_and_the_contradiction_is_said() -> None:
    coverage = told(Typed("Buckeye Health", "ABC999"), CARD)
    assert coverage is not None
    assert (coverage.payer, coverage.member_id) == ("Buckeye Health", "ABC999")
    assert (coverage.source, coverage.confidence) == ("typed_and_card", None)
    assert coverage.contradicted == ("payer", "member_id")
    assert coverage.holder == "ADA BYRON"


def test_a_typed_payer_is_completed_by_the_cards_number() -> None:
    coverage = told(Typed(payer="lakeshore"), CARD)
    assert coverage is not None
    assert (coverage.payer, coverage.member_id, coverage.confidence) == ("lakeshore", "XYZ123456789", 0.93)
    assert coverage.contradicted == ()


def test_an_unreadable_card_leaves_what_was_typed() -> None:
    coverage = told(Typed("Lakeshore Mutual", "XYZ123456789"), Printed())
    assert coverage is not None
    assert (coverage.source, coverage.contradicted) == ("typed", ())
    assert Printed().outcome is CardOutcome.UNREADABLE


@pytest.mark.parametrize("typed", [Typed(), Typed(payer="Lakeshore"), Typed(member_id="XYZ1")])
def test_without_payer_or_number_no_coverage_is_told(typed: Typed) -> None:
    assert told(typed, Printed()) is None


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("blue cross", "Blue Cross Blue Shield of Ohio"),
        ("BCBS", "Blue Cross Blue Shield"),
        ("Anthem Blue Cross", "ANTHEM"),
        ("united healthcare", "UnitedHealthcare"),
    ],
)
def test_a_payers_name_written_otherwise_contradicts_nothing(typed: str, printed: str) -> None:
    card = Printed((CardField(name="payer", value=printed, confidence=0.9),))
    assert contradicted(Typed(payer=typed), card) == ()


def test_hyphens_in_a_member_number_contradict_nothing() -> None:
    assert contradicted(Typed(member_id="XYZ-123456789"), CARD) == ()
