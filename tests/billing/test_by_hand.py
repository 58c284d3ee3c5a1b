"""Billing staff correct and ask again in one step; who did it and when is kept."""

from datetime import date
from typing import Any

import pytest

from chassis.http import Role
from contracts.billing import CoverageUndetermined, CoverageVerified
from tests.billing.house import PATIENT, House, Settings, booked, house, registered, reported
from tests.chassis.front_desk import client

pytestmark = pytest.mark.engines


async def _post(clinic: House, path: str, role: Role = Role.BILLING, **body: Any) -> tuple[int, dict[str, Any]]:
    async with client(clinic.service.http, role, actor="Nell Carver") as biller:
        answer = await biller.post(path, json=body)
        return answer.status_code, answer.json()


async def test_a_wrong_member_number_is_corrected_and_asked_again_in_one_step(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported(member_id="W100000099"))
        await clinic.verification("with_person")
        status, began = await _post(clinic, "/coverages/coverage_1/correction", member_id="W100000001")
        assert (status, began["state"], began["reason"]) == (202, "asking", "corrected")
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert verified.verification_id == began["verification_id"]
        async with client(clinic.service.http, Role.BILLING) as biller:
            (change,) = (await biller.get("/coverages/coverage_1/changes")).json()["changes"]
        assert (change["actor"], change["what"], change["fields"]) == ("Nell Carver", "corrected", ["member_id"])


async def test_the_payer_is_picked_where_nobody_could_tell_it(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported(payer="blue cross"))
        await clinic.verification("with_person")
        assert (await _post(clinic, "/coverages/coverage_1/correction", payer_id="60054"))[0] == 202
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert verified.payer == "Aetna"


async def test_a_birth_date_that_the_payer_has_otherwise_is_corrected(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(born=date(1948, 3, 12)), booked(), reported())
        one = await clinic.verification("with_person")
        assert one["cause_code"] == "aaa_71"
        assert (await _post(clinic, "/coverages/coverage_1/correction", birth_date="1984-03-12"))[0] == 202
        await clinic.streams.heard(CoverageVerified)


async def test_what_was_answered_today_is_asked_again_only_if_that_is_wanted(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.verification("concluded")
        status, problem = await _post(clinic, "/coverages/coverage_1/ask-again")
        assert (status, problem["title"]) == (409, "Answered today")
        assert len(await clinic.asked()) == 1
        assert (await _post(clinic, "/coverages/coverage_1/ask-again", forced=True))[0] == 202
        await clinic.streams.heard(CoverageVerified, 2)
        assert len(await clinic.asked()) == 2


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"payer_id": "1"}, 422, "payer_id"),
        ({"name": "Cher"}, 422, "name"),
        ({"birth_date": "1850-01-01"}, 422, "birth_date"),
        ({"colour": "blue"}, 422, "colour"),
        ({"member_id": "W100000001"}, 409, None),
        ({}, 409, None),
    ],
)
async def test_a_correction_that_cannot_be_made_says_why(
    settings: Settings, body: dict[str, Any], status: int, field: str | None
) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.verification("concluded")
        found, problem = await _post(clinic, "/coverages/coverage_1/correction", **body)
        assert found == status
        if field:
            assert field in str([fault["field"] for fault in problem["errors"]])


async def test_only_billing_staff_may(settings: Settings) -> None:
    async with house(settings) as clinic:
        for role in (Role.STAFF, Role.CLINICIAN, Role.AUDITOR):
            assert (await _post(clinic, "/coverages/coverage_1/ask-again", role))[0] == 403
        assert (await _post(clinic, "/coverages/coverage_1/ask-again"))[0] == 404


async def test_what_needs_a_person_is_paged_through_where_many_began_in_the_same_instant(settings: Settings) -> None:
    async with house(settings, clock_speed=1e-9) as clinic:
        for number in range(3):
            patient = f"patient_{number}"
            await clinic.say(registered(), reported("blue cross", id=f"coverage_{number}"), patient=patient)
        await clinic.streams.heard(CoverageUndetermined, 3)
        seen: list[str] = []
        async with client(clinic.service.http, Role.BILLING) as person:
            query: dict[str, Any] = {"limit": 1}
            while True:
                page = (await person.get("/verifications", params=query)).raise_for_status().json()
                seen += [one["coverage_id"] for one in page["verifications"]]
                if page["after"] is None:
                    break
                query["after"] = page["after"]
            assert sorted(seen) == ["coverage_0", "coverage_1", "coverage_2"]
            assert (await person.get("/verifications", params={"after": "2027-03-02"})).status_code == 422
            assert (await person.get("/verifications", params={"state": "concluded"})).status_code == 422


async def test_a_look_at_what_was_done_by_hand_is_recorded(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.verification("concluded")
        async with client(clinic.service.http, Role.BILLING) as person:
            assert (await person.get("/coverages/coverage_1/changes")).status_code == 200
            assert (await person.get("/coverages/coverage_2/changes")).status_code == 404
        async with client(clinic.service.http, Role.AUDITOR) as auditor:
            log = (await auditor.get("/access-log", params={"subject": PATIENT})).json()["accesses"]
        assert [one["what"] for one in log].count("coverage_changes") == 1
