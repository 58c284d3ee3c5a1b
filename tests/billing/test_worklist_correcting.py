"""What somebody types into the correction form, and what is taken of it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as any_

from billing.payers.directory import load_payers
from billing.verification.insured import Coverage
from billing.worklist.case import Person
from billing.worklist.correcting import NotYet, as_it_stands, corrections, may_be_meant
from billing.worklist.wording import Field
from contracts.ids import CoverageId

PAYERS = load_payers()
ELEANOR = Person("Eleanor Whitfield", date(1984, 3, 12))
COVERAGE = Coverage(
    id=CoverageId("coverage_1"),
    patient_id="patient_1",
    payer_stated="aetna ppo",
    payer_id="60054",
    payer_confidence=1.0,
    member_id="W100000001",
    group_number=None,
    holder=None,
    source="typed",
    confidence=None,
    reported_at=datetime(2027, 3, 2, 17, 0, tzinfo=UTC),
)
STANDS = as_it_stands(COVERAGE, ELEANOR, PAYERS)


def test_a_form_that_is_sent_as_it_stands_changes_nothing() -> None:
    assert not corrections(STANDS, COVERAGE, ELEANOR, PAYERS).model_fields_set


@pytest.mark.parametrize(
    "written", ["3/13/1984", "03131984", "1984-03-13", "3-13-1984", "03.13.1984", " 3 / 13 / 1984 "]
)
def test_a_birth_date_may_be_written_in_several_ways(written: str) -> None:
    assert corrections(replace(STANDS, birth_date=written), COVERAGE, ELEANOR, PAYERS).birth_date == date(1984, 3, 13)


@pytest.mark.parametrize("written", ["03121984", "1984-03-12"])
def test_the_same_birth_date_written_otherwise_is_no_change(written: str) -> None:
    assert not corrections(replace(STANDS, birth_date=written), COVERAGE, ELEANOR, PAYERS).model_fields_set


def test_only_what_differs_is_corrected() -> None:
    found = corrections(replace(STANDS, member_id=" W100000002 ", holder="Ruth Whitfield"), COVERAGE, ELEANOR, PAYERS)
    assert found.model_dump(exclude_unset=True) == {"member_id": "W100000002", "holder": "Ruth Whitfield"}


def test_whose_name_it_is_in_may_be_taken_back() -> None:
    ruths = replace(COVERAGE, holder="Ruth Whitfield")
    assert corrections(STANDS, ruths, ELEANOR, PAYERS).holder == ""


def test_a_payer_typed_with_a_slip_is_still_the_one_that_is_meant() -> None:
    assert corrections(replace(STANDS, payer="Cihna"), COVERAGE, ELEANOR, PAYERS).payer_id == "62308"


def test_a_payer_typed_after_one_was_picked_is_the_one_that_counts() -> None:
    unclear = replace(COVERAGE, payer_stated="blue cross", payer_id=None)
    picked = replace(as_it_stands(unclear, ELEANOR, PAYERS), payer_id="00332")
    assert corrections(picked, unclear, ELEANOR, PAYERS).payer_id == "00332"
    assert corrections(replace(picked, payer="Cigna"), unclear, ELEANOR, PAYERS).payer_id == "62308"


@pytest.mark.parametrize(
    ("said", "offered"), [("blue cross", ["00332"]), ("atena", ["60054"]), ("Eleanor", []), ("", [])]
)
def test_only_payers_that_may_be_meant_are_offered(said: str, offered: list[str]) -> None:
    assert [payer.id for payer in may_be_meant(PAYERS, said)] == offered


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(NotYet) as raised:
        corrections(replace(STANDS, name="Cher", birth_date="soon", payer=""), COVERAGE, ELEANOR, PAYERS)
    assert set(raised.value.faults.messages) == {Field.NAME, Field.BIRTH_DATE, Field.PAYER}


@given(any_.text(max_size=30), any_.text(max_size=30), any_.text(max_size=30), any_.text(max_size=30))
def test_whatever_is_typed_is_taken_or_said_to_be_wrong_and_never_repeated(
    payer: str, member_id: str, name: str, birth_date: str
) -> None:
    typed = replace(STANDS, payer=payer, member_id=member_id, name=name, birth_date=birth_date)
    try:
        corrections(typed, COVERAGE, ELEANOR, PAYERS)
    except NotYet as fault:
        assert fault.faults.messages
        assert str(fault) == ", ".join(fault.faults.messages)
