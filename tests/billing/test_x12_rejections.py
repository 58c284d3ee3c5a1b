"""An AAA becomes a rejection: why, who can put it right, and when to ask again."""

from typing import Any

import pytest

from billing.x12 import codes, read
from billing.x12.as_json import file_json
from tests.billing.x12_samples import HEADER, REJECTED_271, SUBSCRIBER, interchange, joined, transaction


def coverages(parts: list[str]) -> list[dict[str, Any]]:
    (found,) = file_json(read(joined(parts)))["interchanges"][0]["transactions"]
    return found["coverages"]


def rejection(aaa: str) -> dict[str, Any]:
    (coverage,) = coverages(interchange(transaction([*HEADER, *SUBSCRIBER, aaa])))
    (found,) = coverage["rejections"]
    return found


def test_a_rejection_above_the_subscriber_is_a_coverage_without_people() -> None:
    (coverage,) = coverages(REJECTED_271)
    assert (coverage["subscriber"], coverage["patient"], coverage["status"]) == (None, None, "undetermined")
    assert coverage["provider"]["name"] == "STILLWATER CLINIC"
    assert [(found["code"], found["loop"]) for found in coverage["rejections"]] == [("42", "2100B"), ("43", "2100B")]
    assert coverage["rejections"][1]["evidence"] == {"segment": "AAA*N**43*C", "position": 11}


@pytest.mark.parametrize(
    ("body", "loop"),
    [
        ([*HEADER[:2], "AAA*Y**42*Y"], "2000A"),
        ([*HEADER[:3], "AAA*Y**42*Y"], "2100A"),
        ([*HEADER, "AAA*N**51*C"], "2100B"),
        ([*HEADER, *SUBSCRIBER, "AAA*N**72*C"], "2100C"),
        ([*HEADER, *SUBSCRIBER, "EB*W", "AAA*Y**62*C"], "2110C"),
        ([*HEADER, *SUBSCRIBER, "HL*4*3*23*0", "NM1*03*1*OKAFOR*BEN", "AAA*N**71*C"], "2100D"),
    ],
)
def test_the_loop_says_whom_the_payer_rejects(body: list[str], loop: str) -> None:
    found = [found for coverage in coverages(interchange(transaction(body))) for found in coverage["rejections"]]
    assert [item["loop"] for item in found] == [loop]


@pytest.mark.parametrize(
    ("aaa", "owner", "retry", "days"),
    [
        ("AAA*N**72*C", "patient", "after_correction", None),
        ("AAA*N**71*C", "patient", "after_correction", None),
        ("AAA*N**43*C", "staff", "after_correction", None),
        ("AAA*Y**42*R", "payer", "later", None),
        ("AAA*Y**42*N", "payer", "never", None),
        ("AAA*Y**42*Y", "payer", "payer_will_answer", None),
        ("AAA*Y**80*P", "payer", "later", None),
        ("AAA*N**75*N", "patient", "never", None),
        ("AAA*Y**42*W", "payer", "later", 30),
        ("AAA*Y**42*X", "payer", "later", 10),
        ("AAA*Y**41*S", "staff", "payer_will_answer", None),
        ("AAA*Y**42", "payer", "later", None),
        ("AAA*N**75", "patient", "after_correction", None),
        ("AAA*N**ZZ*C", "staff", "after_correction", None),
        ("AAA*N**ZZ", "staff", "never", None),
    ],
)
def test_the_follow_up_action_wins_over_the_reason(aaa: str, owner: str, retry: str, days: int | None) -> None:
    found = rejection(aaa)
    assert (found["owner"], found["retry"], found["retry_after_days"]) == (owner, retry, days)


def test_a_request_may_be_valid_and_still_be_rejected() -> None:
    assert [rejection(f"AAA*{valid}**72*C")["valid"] for valid in ("Y", "N", "")] == [True, False, None]


def test_an_unlisted_reason_is_kept_and_shown() -> None:
    found = rejection("AAA*N**ZZ*Q")
    assert (found["code"], found["meaning"], found["next_step"], found["next_step_meaning"]) == ("ZZ", None, "Q", None)


def test_every_reason_the_guide_names_by_loop_is_listed() -> None:
    named = (
        "04 15 35 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74"
    )
    assert set(f"{named} 75 76 77 78 79 80 97 T4".split()) <= set(codes.REASONS)


def test_a_rejection_is_never_read_as_no_coverage() -> None:
    for aaa in ("AAA*N**75*C", "AAA*Y**42*R", "AAA*N**95*N"):
        (coverage,) = coverages(interchange(transaction([*HEADER, *SUBSCRIBER, aaa])))
        assert (coverage["status"], coverage["status_cause"]) == ("undetermined", "rejected")
