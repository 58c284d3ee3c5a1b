"""Which of two insurances pays first: a person's word, then the payers', then the newest."""

from datetime import datetime, timedelta

import pytest

from billing.benefits.order import Insurance, OtherPayer, Place, decide, other_payers, payers_word
from tests.billing.answers import said
from tests.billing.house import NOON

MEDICARE_FIRST = """
    EB*R**30*MB
    LS*2120
    NM1*PRP*2*MEDICARE PART B*****PI*15202
    LE*2120
"""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (MEDICARE_FIRST, "secondary"),
        (MEDICARE_FIRST.replace("PRP", "SEP"), "primary"),
        (MEDICARE_FIRST.replace("PRP", "TTP"), "primary"),
        (MEDICARE_FIRST.replace("PRP", "PR"), None),  # another payer, but not when it pays
        ("EB*R**30", None),
        (MEDICARE_FIRST + MEDICARE_FIRST.replace("PRP", "TTP"), None),  # between two others
        ("EB*1**30*12", "secondary"),  # Medicare, after an employer's plan
        ("EB*1**30*43", "secondary"),
        ("EB*1**30*MP", "primary"),
        ("EB*1**30*MB", None),
        ("EB*1**30*PR\nEB*W**30", None),  # another source, not another payer
    ],
)
def test_what_a_payer_says_of_itself(text: str, word: str | None) -> None:
    assert payers_word(other_payers(said(text))) == word


def test_the_other_payer_is_named_with_its_segment() -> None:
    benefits = said("EB*1**30", MEDICARE_FIRST)
    assert other_payers(benefits) == (OtherPayer("MEDICARE PART B", "first", (benefits[1].position,)),)


def insured(
    id: str, day: int, *, active: bool | None = True, by_hand: Place | None = None, text: str = ""
) -> Insurance:
    reported_at: datetime = NOON + timedelta(days=day)
    return Insurance(id, reported_at, active, by_hand, other_payers(said(text)) if text else ())


@pytest.mark.parametrize(
    ("insurances", "order"),
    [
        ([insured("a", 1)], {"a": "primary newest"}),
        ([insured("a", 1), insured("b", 2)], {"a": "secondary newest", "b": "primary newest"}),
        ([insured("a", 1), insured("b", 2, active=False)], {"a": "primary newest", "b": "unknown nobody"}),
        ([insured("a", 1), insured("b", 2, active=None)], {"a": "secondary newest", "b": "primary newest"}),
        ([insured("a", 1), insured("b", 2, text=MEDICARE_FIRST)], {"a": "primary newest", "b": "secondary payer"}),
        ([insured("b", 2, text=MEDICARE_FIRST)], {"b": "secondary payer"}),  # the primary is not known to us
        ([insured("a", 1, text="EB*1**30*MP"), insured("b", 2)], {"a": "primary payer", "b": "secondary newest"}),
        (
            [insured("a", 1, text="EB*1**30*MP"), insured("b", 2, text="EB*1**30*MP")],
            {"a": "unknown nobody", "b": "unknown nobody"},
        ),
        ([insured("a", 1, by_hand="primary"), insured("b", 2)], {"a": "primary person", "b": "secondary newest"}),
        (
            [insured("a", 1, by_hand="primary"), insured("b", 2, text="EB*1**30*MP")],
            {"a": "primary person", "b": "secondary newest"},
        ),
        (
            [insured("a", 1), insured("b", 2, by_hand="secondary", text="EB*1**30*MP")],
            {"a": "primary newest", "b": "secondary person"},
        ),
        ([], {}),
    ],
)
def test_the_order_of_a_persons_insurances(insurances: list[Insurance], order: dict[str, str]) -> None:
    found = decide(insurances)
    assert {id: f"{one.place} {one.decided_by}" for id, one in found.items()} == order
    assert all(one.reason for one in found.values())
    assert decide(list(reversed(insurances))) == found
