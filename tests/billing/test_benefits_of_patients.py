"""What staff see of a patient's benefits: by service, with segments; two insurances in order; and what changed."""

from datetime import date
from typing import Any

import pytest

from billing.benefits.changes import Change, ChangeKind
from billing.verification import changing, store
from chassis.http import Role
from contracts.billing import CoverageChanged, CoverageInactive, CoverageVerified, VerificationNeedsStaff
from tests.billing.house import NOON, House, Settings, booked, house, registered, reported
from tests.chassis.front_desk import client

pytestmark = pytest.mark.engines

ELEANOR = {"payer": "aetna", "member_id": "W100000001", "first": "Eleanor", "last": "Whitfield", "born": "1984-03-12"}


async def _services(clinic: House) -> dict[str, dict[str, Any]]:
    one = await clinic.verification("concluded")
    return {service["service"]: service for service in one["services"]}


async def _post(clinic: House, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    async with client(clinic.service.http, Role.BILLING, actor="Nell Carver") as biller:
        answer = await biller.post(path, json=body)
        return answer.status_code, answer.json()


async def _get(clinic: House, path: str) -> dict[str, Any]:
    async with client(clinic.service.http, Role.BILLING) as biller:
        return (await biller.get(path)).raise_for_status().json()


@pytest.mark.parametrize(
    ("name", "born", "payer", "member_id", "service", "expected"),
    [
        (
            "Victor Hale", date(1982, 2, 27), "UHC", "900000018", "psychotherapy",
            {"visits_remaining": (1, ["EB*F*IND*MH***29***VS*1**Y"]), "copay": ("20.00", None)},
        ),
        (
            "Beatrice Holloway", date(1985, 9, 3), "UHC", "900000028", "esketamine_session",
            {"authorization_required": (True, None), "coinsurance": ("0.1", None)},
        ),
        (
            "Naomi Prescott", date(1977, 5, 31), "Aetna", "W100000019", "psychiatric_evaluation",
            {
                "deductible_remaining": (None, ["EB*C*IND*30***29*400.00*****Y", "EB*C*IND*30***29*1900.00*****Y"]),
                "cost": ("40.00", "260.00"),
            },
        ),
        (
            "Priya Raman", date(1991, 7, 25), "Cigna", "U1000000003", "psychiatric_evaluation",
            {
                "administered_by": ("OPTUM BEHAVIORAL HEALTH, 8005550142", None),
                "cost": "The payer leaves this service to OPTUM BEHAVIORAL HEALTH, 8005550142. Ask them.",
            },
        ),
        (
            "Dorothy Kimball", date(1947, 9, 9), "Humana", "H10000021", "psychotherapy",
            {"copay": ("0.00", None)},
        ),
    ],
)  # fmt: skip
async def test_figures_of_a_service_with_the_segments_they_come_from(
    settings: Settings, name: str, born: date, payer: str, member_id: str, service: str, expected: dict[str, Any]
) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(name, born), booked(), reported(payer, member_id))
        found = (await _services(clinic))[service]
        for figure, said in expected.items():
            if figure == "cost":
                cost = found["cost"]
                low_high = (_dollars(cost["low"]), _dollars(cost["high"])) if cost["low"] else cost["unknown_because"]
                assert low_high == said
                continue
            value, segments = said
            assert _dollars(found[figure]["value"]) == value
            texts = [one["segment"] for one in found[figure]["segments"]]
            assert texts
            assert segments is None or [text.rstrip("*") for text in texts] == [one.rstrip("*") for one in segments]


def _dollars(value: Any) -> Any:
    return f"{value['cents'] / 100:.2f}" if isinstance(value, dict) else value


async def test_a_plan_behind_medicare_is_secondary_and_may_leave_nothing_to_pay(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered("Dorothy Kimball", date(1947, 9, 9)), booked(), reported("Humana", "H10000021"))
        await clinic.verification("concluded")
        (coverage,) = await clinic.coverages()
        assert (coverage["order"]["order"], coverage["order"]["decided_by"]) == ("secondary", "payer")
        assert "MEDICARE PART B" in coverage["order"]["reason"]
        assert coverage["order"]["segments"][0]["segment"].startswith("EB*R**30*MB")


async def test_of_two_insurances_the_newest_is_primary_until_a_person_says_otherwise(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.outside.post("/control/members", json=ELEANOR | {"payer": "uhc", "member_id": "900000077"})
        await clinic.say(registered(), booked(), reported())
        await clinic.streams.heard(CoverageVerified)
        alone = (await _services(clinic))["psychotherapy"]["cost"]
        assert alone["low"]["cents"] > 0
        await clinic.say(reported("UHC", "900000077", id="coverage_2"))
        await clinic.streams.heard(CoverageVerified, 2)
        newest, first = await clinic.coverages()
        assert [one["order"]["order"] for one in (newest, first)] == ["primary", "secondary"]
        status, body = await _post(clinic, "/coverages/coverage_1/order", order="primary")
        assert status == 200
        by_id = {one["coverage_id"]: one for one in body["coverages"]}
        assert (by_id["coverage_1"]["order"]["order"], by_id["coverage_1"]["order"]["decided_by"]) == (
            "primary",
            "person",
        )
        assert by_id["coverage_2"]["order"]["order"] == "secondary"
        costs = {one["service"]: one["cost"] for one in by_id["coverage_1"]["verification"]["services"]}
        assert costs["psychotherapy"]["low"]["cents"] == 0
        assert costs["psychotherapy"]["how"][-1] == "A secondary insurance may lower it."
        assert costs["psychotherapy"]["high"] == alone["high"]
        assert (await _post(clinic, "/coverages/coverage_1/order", order="primary"))[0] == 409
        assert (await _post(clinic, "/coverages/coverage_1/order", order="tertiary"))[0] == 422
        assert (await _post(clinic, "/coverages/coverage_9/order", order="primary"))[0] == 404
        (change,) = (await _get(clinic, "/coverages/coverage_1/changes"))["changes"]
        assert (change["actor"], change["what"]) == ("Nell Carver", "ordered")


async def test_what_changed_between_two_answers_is_said_and_asks_a_person_where_they_must_act(
    settings: Settings,
) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.streams.heard(CoverageVerified)
        assert not await clinic.streams.heard(CoverageChanged, 0)

        await clinic.outside.post("/control/members", json=ELEANOR | {"scenario": "authorization_required"})
        await _post(clinic, "/coverages/coverage_1/ask-again", forced=True)
        (changed,) = await clinic.streams.heard(CoverageChanged)
        kinds = {one.kind for one in changed.changes}
        assert {"plan_changed", "authorization_required"} <= kinds
        assert changed.what_to_do is not None and changed.what_to_do.startswith("Aetna wants an authorization now for:")
        (waiting,) = (await _get(clinic, "/coverage-changes"))["changes"]
        assert (waiting["to_do"], waiting["verification_id"]) == (changed.what_to_do, changed.verification_id)

        await clinic.outside.post("/control/members", json=ELEANOR | {"scenario": "inactive"})
        await _post(clinic, "/coverages/coverage_1/ask-again", forced=True)
        await clinic.streams.heard(CoverageInactive)
        ended = (await clinic.streams.heard(CoverageChanged, 2))[-1]
        assert [one.kind for one in ended.changes] == ["became_inactive"]
        (waiting,) = (await _get(clinic, "/coverage-changes"))["changes"]
        assert waiting["to_do"] == ended.what_to_do, "the authorization of a plan that has ended is nobody's task"
        assert not await clinic.streams.heard(VerificationNeedsStaff, 0)

        status, done = await _post(clinic, f"/coverage-changes/{waiting['id']}/done")
        assert (status, done["done_by"]) == (200, "Nell Carver")
        assert (await _get(clinic, "/coverage-changes"))["changes"] == []
        newest, earlier = (await _get(clinic, "/coverages/coverage_1/answers-changed"))["changes"]
        assert (newest["id"], earlier["done_by"]) == (waiting["id"], "answer")
        assert (await _post(clinic, "/coverage-changes/999999/done"))[0] == 404


async def test_a_task_about_two_changes_is_done_when_both_are_settled_and_not_before(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.streams.heard(CoverageVerified)
        for answers in (2, 3):
            await _post(clinic, "/coverages/coverage_1/ask-again", forced=True)
            await clinic.streams.heard(CoverageVerified, answers)
        ids = [said.verification_id for said in await clinic.streams.heard(CoverageVerified, 3)]
        kinds = [
            [ChangeKind.AUTHORIZATION, ChangeKind.DEDUCTIBLE_MET],
            [ChangeKind.NO_AUTHORIZATION],
            [ChangeKind.NO_AUTHORIZATION, ChangeKind.DEDUCTIBLE_ANEW],
        ]
        open_after: list[int] = []
        for id, found in zip(ids, kinds, strict=True):
            async with clinic.service.database.connection() as connection:
                one = await store.verification(connection, id)
                assert one is not None
                to_do = "Both." if len(open_after) == 0 else None
                await changing.keep(connection, one, [Change(kind) for kind in found], to_do, NOON)
            open_after.append(len((await _get(clinic, "/coverage-changes"))["changes"]))
        assert open_after == [1, 1, 0]
