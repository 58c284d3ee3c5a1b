"""Whatever a payer sends: figures come out or stay unknown, a range stays in order, and nothing grows without bound."""

import json
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.benefits.by_service import MOST_SEGMENTS, other_payers_shown, services_shown
from billing.benefits.changes import Answered, changes
from billing.benefits.figures import year_ends
from billing.benefits.segments import Told
from billing.benefits.shown import ServiceShown
from tests.billing.answers import CATALOGUE, DAY, said

OFFER = CATALOGUE.offer("60054")
NUMBER = st.sampled_from(["", "0", "25", "0.5", "1E9", "-3", ".", "NAN", "INFINITY", "9" * 400, "\u0663"])

EB = st.tuples(
    st.sampled_from(["1", "6", "A", "B", "C", "F", "G", "I", "E", "R", "U", "V", "W", "ZZ", ""]),
    st.sampled_from(["IND", "FAM", "", "QQ"]),
    st.sampled_from(["", "30", "MH", "A8^MH", "A6", "88", "30^MH^98"]),
    st.sampled_from(["", "MB", "MA", "MD", "12", "MP"]),
    st.just(""),
    st.sampled_from(["", "22", "23", "24", "27", "29", "32", "33", "36"]),
    NUMBER,
    NUMBER,
    st.sampled_from(["", "VS", "99", "DY"]),
    NUMBER,
    st.sampled_from(["", "Y", "N", "U"]),
    st.sampled_from(["", "Y", "N", "W", "U"]),
    st.sampled_from(["", "HC:G2083", "HC:90837", "HC:", "HC:9:::::::99999", "ND:1"]),
).map(lambda elements: "*".join(["EB", *elements]).rstrip("*"))
BELOW = st.sampled_from(
    [
        "DTP*292*RD8*20270101-20271231",
        "DTP*348*D8*20270401",
        "DTP*291*D8*garbage",
        "HSD*VS*20***23*1",
        "HSD*VS*-1***29",
        "III*ZZ*11",
        "III*ZZ*21",
        "MSG*CALL US",
        "LS*2120\nNM1*PRP*2*MEDICARE*****PI*1\nLE*2120",
        "LS*2120\nNM1*PR*2*ELSEWHERE*****PI*1\nPER*IC**TE\nLE*2120",
    ]
)
ANSWERS = st.lists(st.one_of(EB, BELOW), max_size=25).map("\n".join)


@settings(deadline=None, max_examples=150)
@given(ANSWERS)
def test_any_segments_come_to_figures_that_can_be_kept_and_a_range_in_order(text: str) -> None:
    benefits = said(text)
    for one in services_shown(Told(benefits, DAY), OFFER):
        kept = json.dumps(one.model_dump(mode="json", exclude_defaults=True))
        assert ServiceShown.model_validate_json(kept) == one
        cost = one.cost
        if cost.low is None or cost.high is None:
            assert cost.low is None and cost.high is None and cost.unknown_because
        else:
            assert 0 <= cost.low.cents <= cost.high.cents <= cost.full_price_high.cents
            assert cost.how
    other_payers_shown(Told(benefits, DAY))
    year_ends(Told(benefits, DAY))


@settings(deadline=None, max_examples=100)
@given(ANSWERS, ANSWERS)
def test_any_two_answers_can_be_compared_and_one_with_itself_changes_nothing(before: str, after: str) -> None:
    first = Answered(True, None, services_shown(Told(said(before), DAY), OFFER))
    second = Answered(True, None, services_shown(Told(said(after), DAY), OFFER))
    assert changes(first, first) == []
    for change in changes(first, second):
        assert change.was != change.now


def test_an_answer_that_says_the_same_thousands_of_times_is_kept_small() -> None:
    benefits = said("\n".join(f"EB*B*IND*MH***27*{cents}" for cents in range(5_000)))
    shown = services_shown(Told(benefits, date(2027, 3, 4)), OFFER)
    copay = shown[0].copay
    assert copay.in_conflict and len(copay.segments) == len(copay.said) == MOST_SEGMENTS
    assert (copay.said[0].cents, copay.said[-1].cents) == (0, 499_900)
    assert sum(len(one.model_dump_json()) for one in shown) < 60_000
