"""Whether coverage is active: the question asked, on its date, and unknown is never no."""

from datetime import date

import pytest

from billing.x12 import Status, read, status
from tests.billing.x12_samples import HEADER, SUBSCRIBER, interchange, joined, transaction

PERSON = [part for part in SUBSCRIBER if not part.startswith("DTP")]
DAY = date(2026, 11, 25)


def judged(*body: str, on: date | None = None, asked: tuple[str, ...] = ()) -> Status:
    (found,) = read(joined(interchange(transaction([*HEADER, *PERSON, *body])))).interchanges[0].transactions
    return status(found.coverages[0], on, asked)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (["EB*1**30"], "active"),
        (["EB*1"], "active"),
        (["EB*5**30"], "active"),
        (["EB*6**30"], "inactive"),
        (["EB*8"], "inactive"),
        (["EB*1**30", "EB*6**35"], "active"),
        (["EB*6**30", "EB*1**35"], "inactive"),
        (["EB*1**35^AL^88"], "undetermined"),
        (["EB*6**35"], "undetermined"),
        (["EB*6**MH"], "undetermined"),
        (["EB*1**98", "EB*6**35"], "active"),
        (["EB*1**98", "EB*6**MH"], "active"),
        (["EB*1**MH", "EB*6**MH"], "undetermined"),
        (["EB*1**35^30"], "active"),
        (["EB*1**30", "EB*6**30"], "undetermined"),
        (["EB*V"], "undetermined"),
        (["EB*U**30"], "undetermined"),
        (["EB*1**30", "EB*U**MH"], "active"),
        (["EB*B**98***27*0"], "undetermined"),
        (["EB*R**30"], "undetermined"),
        ([], "undetermined"),
    ],
)
def test_the_plan_speaks_first_and_separate_benefits_say_nothing(body: list[str], expected: str) -> None:
    assert judged(*body).answer == expected


@pytest.mark.parametrize(
    ("body", "asked", "expected"),
    [
        (["EB*6**MH"], ("MH",), "inactive"),
        (["EB*1**MH"], ("MH",), "active"),
        (["EB*1**35"], ("MH",), "undetermined"),
        (["EB*1**35"], ("35",), "active"),
        (["EB*1**30", "EB*6**MH"], ("MH",), "active"),
        (["EB*1**98"], ("MH",), "undetermined"),
    ],
)
def test_where_the_plan_is_silent_the_services_asked_about_speak(
    body: list[str], asked: tuple[str, ...], expected: str
) -> None:
    assert judged(*body, asked=asked).answer == expected


@pytest.mark.parametrize(
    ("body", "asked", "expected"),
    [
        (["EB*6**98"], ("30", "MH", "98"), "undetermined"),
        (["EB*U**MH", "EB*6**98"], ("30", "MH", "98"), "undetermined"),
        (["EB*6**98", "EB*6**MH"], ("30", "MH", "98"), "inactive"),
        (["EB*6**98^MH"], ("30", "MH", "98"), "inactive"),
        (["EB*1**MH"], ("30", "MH", "98"), "active"),
        (["EB*1**35"], ("30", "35"), "undetermined"),
        (["EB*1**35"], ("35",), "active"),
        (["EB*1**98"], ("30",), "active"),
    ],
)
def test_of_several_services_asked_about_one_does_not_speak_for_the_others(
    body: list[str], asked: tuple[str, ...], expected: str
) -> None:
    assert judged(*body, asked=asked).answer == expected


@pytest.mark.parametrize(
    ("body", "on", "expected"),
    [
        (["EB*1**30", "DTP*347*D8*20261031"], DAY, "inactive"),
        (["EB*1**30", "DTP*347*D8*20261125"], DAY, "active"),
        (["EB*1**30", "DTP*347*D8*20261031"], None, "inactive"),
        (["EB*1**30", "DTP*356*D8*20270101"], DAY, "inactive"),
        (["EB*1**30", "DTP*356*D8*20270101"], date(2027, 1, 1), "active"),
        (["EB*1**30", "DTP*356*D8*20270101"], None, "active"),
        (["EB*1**30", "DTP*291*D8*20261201"], DAY, "active"),
        (["DTP*307*RD8*20250101-20251231", "EB*1**30"], DAY, "inactive"),
        (["DTP*307*RD8*20250101-20251231", "EB*1**30", "DTP*307*RD8*20260101-20261231"], DAY, "active"),
        (["EB*1**30", "DTP*291*RD8*20260101-20261231", "DTP*291*RD8*20270101-20271231"], DAY, "active"),
        (["EB*1**30", "DTP*291*RD8*20250101-20251231", "DTP*291*RD8*20270101-20271231"], DAY, "inactive"),
        (["EB*1**30", "DTP*291*RD8*20261201-"], DAY, "inactive"),
        (["EB*1**30", "DTP*291*RD8*20261101-"], DAY, "active"),
        (["EB*6**30", "DTP*348*D8*20270101"], DAY, "undetermined"),
    ],
)
def test_dates_decide_on_the_day_asked_about(body: list[str], on: date | None, expected: str) -> None:
    assert judged(*body, on=on).answer == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [(date(2026, 3, 1), "active"), (date(2026, 9, 1), "inactive"), (date(2028, 1, 1), "inactive")],
)
def test_active_and_inactive_together_are_decided_by_dates(on: date, expected: str) -> None:
    body = ("EB*1**30", "DTP*307*RD8*20260101-20260630", "EB*6**30", "DTP*348*D8*20260701")
    assert judged(*body, on=on).answer == expected


def test_the_answer_names_its_cause_and_the_segments_it_rests_on() -> None:
    assert judged("EB*1**30", "EB*6**30") == Status("undetermined", "contradiction", (19, 20))
    assert judged("EB*1**30", "DTP*347*D8*20261031", on=DAY) == Status("inactive", "ended", (19,))
    assert judged("EB*V") == Status("undetermined", "payer_cannot_say", (19,))


def test_a_rejection_about_the_date_leaves_the_question_open() -> None:
    assert judged("EB*1**30", "AAA*Y**62*C").answer == "undetermined"
    assert judged("EB*1**30", "AAA*Y**53*C").answer == "active"


def test_half_an_answer_is_no_answer() -> None:
    whole = joined(interchange(transaction([*HEADER, *PERSON, "EB*1**30", "EB*6**MH"])))
    cut = whole[: whole.index(b"EB*6")]
    assert status(read(cut).interchanges[0].transactions[0].coverages[0]).cause == "answer_cut_off"
