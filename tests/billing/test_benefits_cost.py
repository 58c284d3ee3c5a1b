"""What a visit would cost the patient: a range that says how it comes about, or unknown with why; never a guess."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from billing.benefits.by_service import HAS_SECONDARY, figures_of, lowered, services_shown
from billing.benefits.cost import Cost, cost
from billing.benefits.segments import Told
from billing.benefits.services import OWN_FILE, BadServicesFile, load_services
from billing.benefits.shown import ServiceShown
from contracts.money import Money
from tests.billing.answers import CATALOGUE, DAY, SERVICES, said, texts

EVALUATION = SERVICES["psychiatric_evaluation"]
"""Payers allow $165 to $260 for it; its price is $300 to $375."""


def of(text: str, *, in_network: bool = True, service: str = "psychiatric_evaluation") -> Cost:
    return cost(figures_of(SERVICES[service], Told(said(text), DAY)), SERVICES[service], in_network=in_network)


def shown(text: str) -> list[ServiceShown]:
    return services_shown(Told(said(text), DAY), CATALOGUE.offer("60054"))


def dollars(found: Cost) -> tuple[str, str] | None:
    return (str(found.low), str(found.high)) if found.low and found.high else None


MET = "EB*C*IND*30***29*0\n"
LEFT = "EB*C*IND*30***29*100\n"
MUCH_LEFT = "EB*C*IND*30***29*900\n"
NOT_SAID_HOW_MUCH = "EB*C*IND*30***23*200\n"
COPAY = "EB*1**MH\nEB*B*IND*MH***27*25*****Y\n"
COINSURANCE = "EB*1**MH\nEB*A*IND*MH*****.2****Y\n"


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (COPAY + MET, "$25.00", "$25.00"),
        (COPAY + "EB*C*IND*30***23*0\n", "$25.00", "$25.00"),
        (COPAY.replace("*25*", "*0*") + MET, "$0.00", "$0.00"),  # the payer says $0
        # Whether a copay comes after the deductible is not said, unless the deductible is the service's own.
        (COPAY + LEFT, "$25.00", "$125.00"),
        (COPAY + MUCH_LEFT, "$25.00", "$260.00"),
        (COPAY + LEFT + "EB*C*IND*MH***29*0\n", "$25.00", "$25.00"),
        (COPAY + "EB*C*IND*MH***29*100\n", "$125.00", "$125.00"),
        # Coinsurance comes after it: 20 % of 165 and 260; 100 and 20 % of 65 and 160.
        (COINSURANCE + MET, "$33.00", "$52.00"),
        (COINSURANCE + LEFT, "$113.00", "$132.00"),
        (COINSURANCE + MUCH_LEFT, "$165.00", "$260.00"),
        (COINSURANCE.replace(".2", "0") + MET, "$0.00", "$0.00"),
        # What is not known widens the range, and never to $0.
        (COINSURANCE + NOT_SAID_HOW_MUCH, "$33.00", "$212.00"),
        (COINSURANCE, "$33.00", "$260.00"),
        (COPAY, "$25.00", "$260.00"),
        # Both stated: the cheaper alone, or both together.
        (COPAY + COINSURANCE + MET, "$25.00", "$77.00"),
        # Never more than is left to the out-of-pocket limit.
        (COINSURANCE + LEFT + "EB*G*IND*30***29*120\n", "$113.00", "$120.00"),
        (COPAY + MET + "EB*G*IND*30***29*10\n", "$10.00", "$10.00"),
        ("EB*1**MH\nEB*G*IND*30***29*0\n", "$0.00", "$0.00"),
        # Conflicts: the least of what is said, and the most.
        (COPAY + COPAY.replace("*25*", "*40*") + MET, "$25.00", "$40.00"),
        (COPAY + LEFT + LEFT.replace("100", "150"), "$25.00", "$175.00"),
        (COINSURANCE + MET + LEFT, "$33.00", "$132.00"),
        (COPAY + MET + "EB*I**MH\n", "$25.00", "$375.00"),
        (COPAY + MET + "EB*F*IND*MH***29***VS*0\nEB*F*IND*MH***29***VS*4\n", "$25.00", "$375.00"),
        # That it is covered is not said as such.
        ("EB*B*IND*MH***27*25\n" + MET, "$25.00", "$375.00"),
        # Said to be for the patient to pay.
        ("EB*I**MH\n", "$300.00", "$375.00"),
        (COPAY + MET + "EB*F*IND*MH***29***VS*0\n", "$300.00", "$375.00"),
    ],
)
def test_a_range_from_what_is_said(text: str, low: str, high: str) -> None:
    assert dollars(of(text)) == (low, high)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("EB*1**30\n" + MET, "The payer does not say whether it covers this service."),
        ("EB*1**MH\n" + MET, "The payer covers it, but does not say what the patient pays."),
        ("EB*1**MH\nEB*B*IND*98***27*30\n", "The payer covers it, but does not say what the patient pays."),
        ("EB*1**MH\nEB*I**MH\n", "The payer says both that it is covered and that it is not."),
        ("EB*U**MH\n", "The payer leaves this service to another payer, which it does not name. Ask them."),
        (
            "EB*U**MH\nLS*2120\nNM1*PR*2*HARBOUR BEHAVIORAL*****PI*00999\nLE*2120\n",
            "The payer leaves this service to HARBOUR BEHAVIORAL. Ask them.",
        ),
    ],
)
def test_what_is_unknown_says_why_and_has_no_figure(text: str, why: str) -> None:
    found = of(text)
    assert (found.low, found.high, found.unknown_because) == (None, None, why)


def test_an_infusion_is_unknown_although_mental_health_is_covered() -> None:
    assert of(COPAY + MET, service="ketamine_infusion").unknown_because is not None
    assert of(COPAY + MET + "EB*F*IND*MH***29***VS*0\n", service="ketamine_infusion").unknown_because is not None
    assert dollars(of(COPAY + "EB*I************HC:J3490\n", service="ketamine_infusion")) == ("$450.00", "$550.00")


def test_without_a_contract_the_clinics_price_is_the_most() -> None:
    assert dollars(of(COPAY + MET, in_network=False)) == ("$25.00", "$375.00")


def test_a_second_insurance_lowers_the_least_and_only_that() -> None:
    (alone,) = [one.cost for one in shown(COPAY + LEFT) if one.service == "psychiatric_evaluation"]
    both = lowered(alone, HAS_SECONDARY)
    assert (alone.low, both.low, both.high) == (Money.of("25"), Money.of("0"), Money.of("125"))
    assert both.how[-1] == "A secondary insurance may lower it."
    unknown = shown("EB*1**MH")[0].cost
    assert lowered(unknown, HAS_SECONDARY) == unknown


def test_a_plan_that_pays_after_another_may_leave_nothing() -> None:
    second = shown("EB*R**30*MB\nLS*2120\nNM1*PRP*2*MEDICARE PART B*****PI*15202\nLE*2120\n" + COPAY + LEFT)
    (found,) = [one.cost for one in second if one.service == "psychiatric_evaluation"]
    assert (found.low, found.high) == (Money.of("0"), Money.of("125"))
    assert "EB*R**30*MB" in [one.segment for one in found.segments]


def test_the_range_says_how_it_comes_about_and_on_which_segments() -> None:
    text = COINSURANCE.replace("****Y", "***Y*Y") + LEFT + "EB*G*IND*30***29*3000\n"
    found = of(text)
    assert found.how == (
        "Coinsurance: 20 % of $165.00 to $260.00 that payers allow.",
        "Deductible left: $100.00.",
        "At most: $3,000.00 is left to the out-of-pocket limit.",
        "Without an authorization beforehand the plan may pay nothing.",
    )
    assert texts(said(text), found.evidence) == [
        "EB*A*IND*MH*****.2***Y*Y",
        "EB*C*IND*30***29*100",
        "EB*G*IND*30***29*3000",
    ]


CENTS = st.integers(0, 400_00)


@given(copay=CENTS, share=st.integers(0, 100), left=CENTS, limit=CENTS, which=st.integers(1, 3))
def test_the_range_is_in_order_and_within_what_payers_allow(
    copay: int, share: int, left: int, limit: int, which: int
) -> None:
    def amount(cents: int) -> str:
        return f"{cents / 100:.2f}"

    text = f"EB*1**MH\nEB*C*IND*30***29*{amount(left)}\nEB*G*IND*30***29*{amount(limit)}\n"
    text += f"EB*B*IND*MH***27*{amount(copay)}\n" if which & 1 else ""
    text += f"EB*A*IND*MH*****{share / 100:.2f}\n" if which & 2 else ""
    found = of(text)
    assert found.low is not None and found.high is not None
    assert 0 <= found.low.cents <= found.high.cents <= min(limit, EVALUATION.allowed.high.cents)


def test_every_service_of_the_clinic_has_a_price_and_a_code_today() -> None:
    for service in SERVICES.values():
        assert service.principal_codes(DAY)
        assert Money(cents=0).cents < service.allowed.low.cents <= service.price.high.cents


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"price": {"low": "400.00", "high": "300.00"}}, r"services\.0\.price: Value error, low is more than high"),
        ({"price": {"low": 300, "high": "375.00"}}, r"services\.0\.price\.low: .*dollars in quotes"),
        ({"price": {"low": "0", "high": "375.00"}}, "must be more than nothing"),
        ({"price": {"low": "1.005", "high": "375.00"}}, "at most two decimals"),
        ({"allowed": {"low": "1.00", "high": "9999.00"}}, "no payer allows more than the price"),
        ({"service_types": ["MH", "QQ"]}, r"services\.0\.service_types\.1: .*QQ is no X12 service type"),
        ({"service_types": []}, "at least 1"),
        ({"procedures": [{"code": "90791"}]}, "one at least has to be principal"),
        ({"procedures": [{"code": "9079", "principal": True}]}, r"procedures\.0\.code"),
        ({"procedures": [{"code": "J0013", "from": "2026-01-01", "to": "2025-01-01"}]}, "ends before it begins"),
        ({"cost": "1.00"}, r"services\.0\.cost: Extra inputs"),
        ({"id": "psychotherapy"}, "psychotherapy stands twice"),
    ],
)
def test_a_services_file_that_cannot_be_worked_with_is_refused_with_the_place(
    tmp_path: Path, change: dict[str, object], fault: str
) -> None:
    content = yaml.safe_load(OWN_FILE.read_text())
    content["services"][0] |= change
    file = tmp_path / "services.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(BadServicesFile, match=fault):
        load_services(file)
