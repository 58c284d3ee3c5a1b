"""What is different between two answers: only what matters, only known against known, and who has to act."""

import pytest

from billing.benefits.by_service import services_shown
from billing.benefits.changes import Answered, Change, ChangeKind, changes, settled, to_do
from billing.benefits.segments import Told
from tests.billing.answers import CATALOGUE, DAY, said

NAMES = {one.id: one.name for one in CATALOGUE.services}
USUAL = """
    EB*1**A4^A6^A8^CF^MH
    EB*C*IND*30***23*500*****Y
    EB*C*IND*30***29*200*****Y
    EB*B*IND*A4^A6^CF^MH***27*25****N*Y
    EB*A*IND*A8*****.2***N*Y
    EB*F*IND*A6***29***VS*3
"""


def answered(text: str = USUAL, plan: str | None = "GOLD PPO", *, active: bool = True) -> Answered:
    services = services_shown(Told(said(text), DAY), CATALOGUE.offer("60054")) if active else ()
    return Answered(active, plan, services)


def difference(*replaced: tuple[str, str]) -> list[tuple[str, str | None, str | None, str | None]]:
    after = USUAL
    for was, now in replaced:
        assert was in after
        after = after.replace(was, now)
    return [(it.kind.value, it.service, it.was, it.now) for it in changes(answered(), answered(after))]


def test_the_same_answer_changes_nothing() -> None:
    assert difference() == []


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("*29*200*", "*29*150*", []),  # less left is no news
        ("*29*200*", "*29*0*", [("deductible_met", None, "$200.00 left", "$0.00 left")]),
        ("EB*B*IND*A4^A6^CF^MH***27*25****N*Y\n", "", []),  # not said any more is not "no"
        (
            "*27*25*",
            "*27*40*",
            [
                ("copay_changed", "psychiatric_evaluation", "$25.00", "$40.00"),
                ("copay_changed", "psychotherapy", "$25.00", "$40.00"),
            ],
        ),
        (".2***N", ".3***N", [("coinsurance_changed", "esketamine_session", "20 %", "30 %")]),
        (".2***N", ".2***Y", [
            ("authorization_required", "esketamine_session", "not needed", "needed"),
            ("authorization_required", "ketamine_infusion", None, "needed"),
        ]),
        ("VS*3", "VS*2", []),
        ("VS*3", "VS*0", [("visits_used_up", "psychotherapy", "3", "0")]),
        (
            "EB*1**A4^A6^A8^CF^MH\n",
            "EB*1**A4^A8^CF^MH\nEB*I**A6\n",
            [("no_longer_covered", "psychotherapy", "covered", "not covered")],
        ),
    ],
)  # fmt: skip
def test_what_matters_of_a_difference(was: str, now: str, expected: list[tuple[str, str | None, str, str]]) -> None:
    assert difference((was, now)) == expected


def test_a_deductible_that_begins_anew_at_the_turn_of_the_year() -> None:
    met = answered(USUAL.replace("*29*200*", "*29*0*"))
    (change,) = changes(met, answered())
    assert (change.kind, change.service, change.now) == (ChangeKind.DEDUCTIBLE_ANEW, None, "$200.00 left")


def test_a_carve_out_is_told_with_the_payer_it_went_to() -> None:
    carved = USUAL + "EB*U**A6\nLS*2120\nNM1*PR*2*HARBOUR BEHAVIORAL*****PI*00999\nLE*2120\n"
    found = changes(answered(), answered(carved))
    assert Change(ChangeKind.CARVED_OUT, "psychotherapy", None, "HARBOUR BEHAVIORAL") in found


def test_active_and_not_active() -> None:
    (ended,) = changes(answered(), answered(active=False))
    assert (ended.kind, ended.was, ended.now) == (ChangeKind.BECAME_INACTIVE, "active", "inactive")
    (again,) = changes(answered(active=False), answered())
    assert again.kind is ChangeKind.BECAME_ACTIVE
    assert ChangeKind.BECAME_INACTIVE in settled([again])


def test_another_plan_but_not_another_way_to_write_it() -> None:
    assert [one.kind for one in changes(answered(), answered(plan="SILVER PPO"))] == [ChangeKind.PLAN]
    assert changes(answered(), answered(plan="Gold PPO")) == []
    assert changes(answered(), answered(plan=None)) == []


def test_a_person_acts_on_an_end_a_new_authorization_and_a_met_deductible_and_on_nothing_else() -> None:
    ended = to_do(changes(answered(), answered(active=False)), "Aetna", NAMES)
    assert ended is not None and ended.startswith("Aetna says that the plan is not active any more.")
    needed = to_do(changes(answered(), answered(USUAL.replace(".2***N", ".2***Y"))), "Aetna", NAMES)
    assert needed == (
        "Aetna wants an authorization now for: esketamine session, ketamine infusion. Ask for it before the next visit."
    )
    met = USUAL.replace("*29*200*", "*29*0*")
    cheaper = "The deductible is met for: every service. Tell the patient which visits cost less than estimated."
    assert to_do(changes(answered(), answered(met)), "Aetna", NAMES) == cheaper
    both = to_do(changes(answered(), answered(met.replace(".2***N", ".2***Y"))), "Aetna", NAMES)
    assert both == f"{needed} {cheaper}"
    anew = changes(answered(met), answered())
    assert to_do(anew, "Aetna", NAMES) is None
    assert settled(anew) == {ChangeKind.DEDUCTIBLE_MET}
    dearer = changes(answered(), answered(USUAL.replace("*27*25*", "*27*40*")))
    assert dearer and to_do(dearer, "Aetna", NAMES) is None
