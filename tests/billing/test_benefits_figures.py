"""Each figure of a plan, out of segments as payers send them: the closest wins, and unknown is never zero."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.benefits.figures import Figures, Stated, figures, year_ends
from billing.benefits.segments import Told
from contracts.money import Money
from tests.billing.answers import DAY, SERVICES, said, texts

DOLLARS = Money.of


def of(text: str, *types: str, **more: Any) -> Figures:
    return figures(Told(said(text), DAY), types or ("MH",), **more)


@pytest.mark.parametrize(
    ("text", "copay"),
    [
        ("EB*B*IND*MH***27*25", "25"),
        ("EB*B*IND*MH***27*0", "0"),
        ("EB*B*IND*A6^MH^CF***27*25.5", "25.50"),
        ("EB*1**MH", None),  # nothing said is not nothing to pay
        ("EB*B*IND*98***27*30", None),  # another service's
        ("EB*B*IND*30***27*30", None),  # the plan's: behavioral care is often shared otherwise
        ("EB*B*IND*MH***27*40*****N", None),  # outside the network
        ("EB*B*IND*MH***27*40*****N\nEB*B*IND*MH***27*25*****Y", "25"),
        ("EB*B*IND*MH***27*40\nEB*B*IND*MH***27*25*****Y", "25"),  # what says its network comes first
        ("EB*B*IND*MH***27*25*****W", "25"),
        ("EB*B*IND*MH***27*25\nIII*ZZ*21", None),  # in a hospital
        ("EB*B*IND*MH***27*25\nIII*ZZ*11\nEB*B*IND*MH***27*60", "25"),  # an office's before any place's
        ("EB*B*IND*MH***36*250", None),  # of an admission
        ("EB*B*IND*MH***27*25\nDTP*292*RD8*20260101-20261231", None),  # last year's
        ("EB*B*IND*MH***27*25\nDTP*348*D8*20270401", None),  # from next month
        ("EB*B*IND*MH***27*25\nDTP*349*D8*20270228", None),  # until last month
        ("EB*B*IND*MH***27*25\nDTP*292*RD8*20270401-", None),  # from next month, and open-ended
        ("EB*B*IND*MH***27*25\nDTP*348*D8*20270101", "25"),
        ("EB*B*IND*MH***27*25\nEB*B*FAM*MH***27*50", "25"),  # one person's before a family's
        ("EB*B*IND*MH***27*25*****Y*HC:99214", None),  # another procedure's
        ("EB*B*IND*MH***27*-5", None),
        ("EB*B*IND*MH***27*1E999999", None),
        ("EB*B*IND*MH***27*NAN", None),
        ("EB*B*IND*MH***27*25.005", None),
    ],
)
def test_a_copay_is_of_this_service_on_this_day_in_the_network(text: str, copay: str | None) -> None:
    assert of(text).copay.value == (DOLLARS(copay) if copay else None)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("EB*A*IND*MH*****.2", "0.2"),
        ("EB*A*IND*MH*****0", "0"),
        ("EB*A*IND*MH*****20", None),  # not a share: 20 % is .2
        ("EB*A*IND*30*****.2", None),
        ("EB*A*IND*30*MB**27**.2", "0.2"),  # Medicare states its share once for everything
        ("EB*A*IND*30*MA**27**.2", None),
    ],
)
def test_coinsurance_is_a_share_and_only_medicares_holds_for_everything(text: str, share: str | None) -> None:
    assert of(text).coinsurance.value == (Decimal(share) if share else None)


def test_copay_and_coinsurance_come_from_one_service_type_and_are_not_mixed() -> None:
    found = of("EB*B*IND*MH***27*25\nEB*A*IND*A8*****.2", "A8", "MH")
    assert (found.shared_by, found.copay.value, found.coinsurance.value) == ("A8", None, Decimal("0.2"))
    found = of("EB*B*IND*MH***27*25\nEB*A*IND*A8*****.2", "MH", "A8")
    assert (found.shared_by, found.copay.value, found.coinsurance.value) == ("MH", DOLLARS("25"), None)


@pytest.mark.parametrize(
    ("text", "whole", "left"),
    [
        ("EB*C*IND*30***23*1500\nEB*C*IND*30***29*400", "1500", "400"),
        ("EB*C*IND****23*1500", "1500", None),
        ("EB*C*IND*30***23*1500\nEB*C*IND*30***24*1100", "1500", "400"),
        ("EB*C*IND*30***23*1500\nEB*C*IND*30***24*1600", "1500", "0"),
        ("EB*C*IND*30***23*0", "0", "0"),
        ("EB*C*IND*30***23*1500\nEB*C*IND*30***29*400\nEB*C*IND*MH***23*0", "0", "0"),  # the service's own pair
        ("EB*C*IND*30***23*1500*****Y\nEB*C*IND*30***29*400", "1500", "400"),
        ("EB*C*FAM*30***23*3000\nEB*C*FAM*30***29*900", "3000", "900"),
        ("EB*C*IND*30***23*1500\nEB*C*FAM*30***23*3000\nEB*C*IND*30***29*400\nEB*C*FAM*30***29*900", "1500", "400"),
        ("EB*C*IND*30***29*400\nEB*C*FAM*30***29*100", None, "100"),  # the family has less to go than the person
        ("EB*C*IND*30*MA**26*1676\nEB*C*IND*30*MB**23*257\nEB*C*IND*30*MB**29*0", "257", "0"),
        ("EB*C*IND*30***23*1500\nDTP*292*RD8*20260101-20261231\nEB*C*IND*30***23*1700", "1700", None),
    ],
)
def test_what_is_left_of_a_deductible(text: str, whole: str | None, left: str | None) -> None:
    found = of(text)
    assert (found.deductible.value, found.deductible_remaining.value) == tuple(
        DOLLARS(one) if one else None for one in (whole, left)
    )


@pytest.mark.parametrize(
    ("text", "whole", "left"),
    [
        ("EB*G*IND*30***23*6000\nEB*G*IND*30***29*5100", "6000", "5100"),
        ("EB*G*IND*30***23*6000\nEB*G*IND*30***29*0", "6000", "0"),
        ("EB*G*IND*30***23*0", None, None),  # no limit, rather than one of nothing
        ("EB*C*IND*30***29*400", None, None),
    ],
)
def test_what_is_left_to_the_out_of_pocket_limit(text: str, whole: str | None, left: str | None) -> None:
    found = of(text)
    assert (found.out_of_pocket.value, found.out_of_pocket_remaining.value) == tuple(
        DOLLARS(one) if one else None for one in (whole, left)
    )


@pytest.mark.parametrize(
    ("text", "whole", "left"),
    [
        ("EB*F*IND*MH***23***VS*20\nEB*F*IND*MH***29***VS*1", 20, 1),
        ("EB*F*IND*MH***23***VS*20\nEB*F*IND*MH***24***VS*18", 20, 2),
        ("EB*F*IND*MH\nHSD*VS*30***23*1", 30, None),
        ("EB*F*IND*MH***29\nHSD*VS*4", None, 4),
        ("EB*F*IND*MH\nHSD*VS*2***35*1", None, None),  # two a week
        ("EB*F*IND*MH***35***VS*2", None, None),
        ("EB*F*IND*MH***23*1500", None, None),  # a limit in dollars
        ("EB*F*IND*98***29***VS*0", None, None),  # of another service
        ("EB*F*IND*MH***29***VS*0", None, 0),
        ("EB*F*IND*MH***29***VS*2.5", None, None),
    ],
)
def test_visits_of_the_year_and_what_is_left_of_them(text: str, whole: int | None, left: int | None) -> None:
    found = of(text)
    assert (found.visits.value, found.visits_remaining.value) == (whole, left)


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("EB*1**98^MH", True),
        ("EB*1**30", None),  # the plan is active; this service is not spoken of
        ("EB*I**MH", False),
        ("EB*I**MH*********N", None),  # outside the network only
        ("EB*6**MH", False),
        ("EB*1**MH\nEB*I**MH", None),
        ("EB*U**MH", None),
    ],
)
def test_whether_the_service_is_covered(text: str, covered: bool | None) -> None:
    assert of(text).covered.value is covered


ESKETAMINE: dict[str, Any] = {"procedures": ("G2082", "G2083", "J0013"), "principal": ("G2082", "G2083")}


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("EB*A*IND*MH*****.1***Y*Y", True),
        ("EB*A*IND*MH*****.1***N*Y", False),
        ("EB*A*IND*MH*****.1***U*Y", None),
        ("EB*1**MH", None),
        ("EB*A*IND*MH*****.1***N*Y\nEB*1**********Y**HC:G2083", True),  # its procedure before its type
        ("EB*A*IND*MH*****.1***Y*Y\nEB*1**********N**HC:G2083", True),  # one procedure of three does not settle it
        (
            "EB*A*IND*MH*****.1***Y*Y\nEB*1**********N**HC:G2082\nEB*1**********N**HC:G2083\nEB*1**********N**HC:J0013",
            False,
        ),
        ("EB*1**********Y**HC:G2080::::::G2089", True),  # a range of procedures
        ("EB*1**********Y**HC:90868", None),  # not ours
        ("EB*1**********Y**ND:G2083", None),  # a drug's number that looks alike
        ("EB*A*IND*MH*****.1***Y*N", None),  # outside the network
        ("EB*A*IND*MH*****.1***Y*Y\nEB*B*IND*MH***27*0****N*Y", None),
    ],
)
def test_an_authorization_is_needed_where_a_procedure_of_ours_or_else_its_service_type_says_so(
    text: str, needed: bool | None
) -> None:
    assert of(text, **ESKETAMINE).authorization_required.value is needed


@pytest.mark.parametrize(
    ("text", "network", "outside"),
    [
        ("EB*B*IND*MH***27*25*****Y", "in", None),
        ("EB*B*IND*MH***27*25*****W", "in_and_out", None),
        ("EB*B*IND*MH***27*25", None, None),
        ("EB*B*IND*MH***27*25*****Y\nEB*A*IND*MH*****.4****N", "in", True),
        ("EB*B*IND*MH***27*25*****Y\nEB*I*IND*30*********N", "in", False),
        ("EB*A*IND*MH*****.4****N\nEB*I*IND*30*********N", None, True),
    ],
)
def test_where_the_figures_hold_and_what_holds_outside(text: str, network: str | None, outside: bool | None) -> None:
    found = of(text)
    assert (found.network.value, found.covered_out_of_network.value) == (network, outside)


CARVED_OUT = """
    EB*C*IND*30***29*800
    EB*B*IND*98***27*35
    EB*U**MH^A4^A6^A8
    LS*2120
    NM1*PR*2*HARBOUR BEHAVIORAL*****PI*00999
    PER*IC**TE*8005550142
    LE*2120
"""


def test_what_is_carved_out_is_told_by_nobody_else() -> None:
    found = of(CARVED_OUT, "MH", "98")
    assert found.administered_by.value == "HARBOUR BEHAVIORAL, 8005550142"
    assert found.copay == found.deductible_remaining == Stated()
    assert of(CARVED_OUT, "98").copay.value == DOLLARS("35")


def test_a_later_type_that_is_carved_out_leaves_alone_what_an_earlier_one_told() -> None:
    found = of("EB*B*IND*MH***27*25\nEB*C*IND*30***29*800\nEB*U**88", "MH", "88")
    assert (found.copay.value, found.deductible_remaining.value) == (DOLLARS("25"), DOLLARS("800"))
    assert found.administered_by == Stated()


def test_segments_that_contradict_each_other_are_a_conflict_with_both_as_evidence() -> None:
    benefits = said("EB*C*IND*30***29*1900*****Y\nEB*C*IND*30***29*400*****Y\nEB*C*IND*30***29*100")
    left = figures(Told(benefits, DAY), ("MH",)).deductible_remaining
    assert (left.value, left.in_conflict, left.said) == (None, True, (DOLLARS("400"), DOLLARS("1900")))
    assert texts(benefits, left.evidence) == ["EB*C*IND*30***29*1900*****Y", "EB*C*IND*30***29*400*****Y"]


def test_a_figure_said_twice_is_no_conflict() -> None:
    benefits = said("EB*B*IND*MH***27*25\nEB*B*IND*MH***27*25.00")
    copay = figures(Told(benefits, DAY), ("MH",)).copay
    assert (copay.value, len(copay.evidence)) == (DOLLARS("25"), 2)


def test_of_a_service_decided_by_procedure_its_types_tell_only_what_is_against_it() -> None:
    infusion = SERVICES["ketamine_infusion"]
    rule: dict[str, Any] = {
        "procedures": infusion.codes(DAY),
        "principal": infusion.principal_codes(DAY),
        "only_by_procedure": True,
    }
    assert of("EB*1**MH\nEB*B*IND*MH***27*25****N*Y", **rule).covered.value is None
    assert of("EB*1**MH\nEB*B*IND*MH***27*25****N*Y", **rule).copay == Stated()
    assert of("EB*1**MH\nEB*B*IND*MH***27*25****N*Y", **rule).authorization_required == Stated()
    assert of("EB*F*IND*MH***29***VS*0", **rule).visits_remaining == Stated()
    assert of("EB*C*IND*30***29*400\nEB*C*IND*MH***29*0", **rule).deductible_remaining.value == DOLLARS("400")
    assert of("EB*F*IND****29***VS*0***HC:96365", **rule).visits_remaining.value == 0
    assert of("EB*I**MH", **rule).covered.value is False
    assert of("EB*1**MH\nEB*I************HC:J3490", **rule).covered.value is False
    paid = of("EB*1************HC:96365\nEB*A*IND******.3****Y*HC:96365\nEB*A*IND******.5****Y*HC:J3490", **rule)
    assert (paid.covered.value, paid.coinsurance.value, paid.shared_by) == (True, Decimal("0.3"), "96365")


def test_a_procedures_share_counts_only_where_it_stands_for_the_visit() -> None:
    benefits = "EB*A*IND*MH*****.2\nEB*A*IND******.5****Y*HC:J0013\n"
    assert of(benefits, **ESKETAMINE).coinsurance.value == Decimal("0.2")
    found = of(benefits + "EB*B*IND****27*60*****Y*HC:G2083", **ESKETAMINE)
    assert (found.shared_by, found.copay.value, found.coinsurance.value) == ("G2083", DOLLARS("60"), None)


def test_a_code_counts_while_it_exists() -> None:
    esketamine = SERVICES["esketamine_session"]
    assert "S0013" in esketamine.codes(date(2025, 12, 31))
    assert "J0013" not in esketamine.codes(date(2025, 12, 31))
    assert esketamine.codes(date(2026, 1, 1)) == ("G2082", "G2083", "J0013")


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("EB*C*IND*30***23*1500", date(2027, 12, 31)),
        ("EB*C*IND*30***22*1500\nDTP*292*RD8*20260701-20270630", date(2027, 6, 30)),
        ("EB*C*IND*30***22*1500", None),
        ("EB*F*IND*MH***22***VS*20\nDTP*349*D8*20270331", date(2027, 3, 31)),
        ("EB*C*IND*30***23*1500*****N", None),
        ("EB*1**30\nDTP*291*RD8*20270101-20270331", None),
    ],
)
def test_when_the_year_of_the_figures_turns(text: str, ends: date | None) -> None:
    assert year_ends(Told(said(text), DAY)) == ends
