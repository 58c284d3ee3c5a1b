"""A 999, 997 or TA1 says what became of what was sent: every code is kept."""

from typing import Any

from billing.x12 import read
from billing.x12.as_json import file_json
from tests.billing.x12_samples import OLD_997, REJECTED_999, interchange, joined, transaction


def acknowledgement(parts: list[str]) -> dict[str, Any]:
    (found,) = file_json(read(joined(parts)))["interchanges"][0]["transactions"][0]["acknowledgements"]
    return found


def test_a_group_is_partly_accepted_with_its_counts_and_codes() -> None:
    found = acknowledgement(REJECTED_999)
    assert (found["group"], found["control_number"], found["status"]) == ("HS", "42", "P")
    assert found["counts"] == {"included": "2", "received": "2", "accepted": "1"}
    assert found["codes"] == [
        {"code": "5", "meaning": "Number of included transaction sets does not match actual count"}
    ]


def test_each_transaction_has_its_own_fate() -> None:
    rejected, accepted = acknowledgement(REJECTED_999)["transactions"]
    assert (rejected["control_number"], rejected["status"]) == ("0001", "R")
    assert [item["code"] for item in rejected["codes"]] == ["5", "I5"]
    assert (accepted["control_number"], accepted["status"], accepted["errors"]) == ("0002", "A", [])


def test_errors_name_the_segment_and_element_that_was_sent() -> None:
    (error,) = acknowledgement(REJECTED_999)["transactions"][0]["errors"]
    assert (error["segment"], error["segment_position"], error["loop"], error["code"]) == ("NM1", "8", "2100", "8")
    assert error["context"] == ["SITUATIONAL TRIGGER*NM1*8"]
    first, second = error["elements"]
    assert (first["element"], first["reference"], first["code"], first["value"]) == ("9", "67", "1", "BAD")
    assert first["meaning"] == "Required data element missing"
    assert second["element"] == "3:1"


def test_the_older_997_reads_the_same() -> None:
    found = acknowledgement(OLD_997)
    (answer,) = found["transactions"]
    assert (found["status"], answer["status"], answer["codes"][0]["code"]) == ("E", "E", "5")
    assert answer["errors"][0]["elements"][0]["value"] == "20261399"


def test_missing_loops_lose_no_code() -> None:
    parts = interchange(transaction(["IK4*9*67*1", "IK5*R*ZZ", "AK9*R*1*1*0"], kind="999"), group="FA")
    found = read(joined(parts)).interchanges[0].transactions[0]
    (group,) = found.acknowledgements
    assert group.transactions[0].errors[0].elements[0].code == "1"
    assert group.transactions[0].codes == ["ZZ"]
    assert {problem.code for problem in found.problems} == {"missing_loop", "unknown_code"}


def test_more_elements_than_the_standard_has_are_kept_as_sent() -> None:
    body = ["AK1*HS*42***X", "AK9*A*1*1*1"]
    found = read(joined(interchange(transaction(body, kind="999"), group="FA"))).interchanges[0].transactions[0]
    assert [raw.segment for raw in found.other] == body[:1]
    assert [problem.code for problem in found.problems] == ["extra_elements"]
