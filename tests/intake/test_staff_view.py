"""What staff sees of those who asked for help, and that every look is recorded."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from chassis.http import Role
from contracts.envelope import Envelope
from contracts.ids import AppointmentId, new_event_id
from contracts.scheduling import AppointmentBooked, AppointmentKind
from intake.patients.handlers import on_appointment_booked
from tests.intake.photographs import photo
from tests.intake.reception import Reception, reception

pytestmark = pytest.mark.engines

ADA = {"name": "Ada Byron", "phone": "(330) 555-0123", "reason": "Since May"}
FRONT = ("front.png", photo("PNG"), "image/png")


async def looks(desk: Reception) -> list[tuple[str, str, list[str]]]:
    rows = await desk.rows("SELECT actor, what, subjects FROM access_log ORDER BY id")
    return [(row["actor"], row["what"], row["subjects"]) for row in rows]


async def test_staff_sees_a_patient_with_all_that_was_told_and_the_look_is_recorded(
    database: str, tmp_path: Path
) -> None:
    async with reception(database, tmp_path) as desk, desk.staff() as staff:
        patient = (await desk.send(**ADA, consent_texts="yes", files={"card_front": FRONT})).json()["patient_id"]
        shown = (await staff.get(f"/patients/{patient}")).json()
        assert (shown["name"], shown["phone"]) == ("Ada Byron", "+13305550123")
        assert [consent["kind"] for consent in shown["consents"]] == ["texts"]
        [intake] = shown["intakes"]
        assert (intake["reason"], intake["card_sides"], intake["card_outcome"]) == ("Since May", ["front"], None)
        assert intake["in_danger"] is None
        assert await looks(desk) == [("kim", "patient", [patient])]


@pytest.mark.parametrize("role", [None, Role.BILLING, Role.ENGINE, Role.AUDITOR])
async def test_a_patients_page_is_open_to_those_who_care_for_them_only(
    database: str, tmp_path: Path, role: Role | None
) -> None:
    async with reception(database, tmp_path) as desk, desk.staff(role) as somebody:
        patient = "patient_0198c5f2-0000-7000-8000-000000000000"
        for path in (f"/patients/{patient}", "/intakes"):
            assert (await somebody.get(path)).status_code in (401, 403)
        assert await looks(desk) == []


async def test_an_unknown_patient_is_a_404(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk, desk.staff() as staff:
        unknown = "patient_0198c5f2-0000-7000-8000-000000000000"
        assert (await staff.get(f"/patients/{unknown}")).status_code == 404
        assert (await staff.get(f"/patients/{unknown}/cards/front")).status_code == 404
        assert (await staff.get("/patients/Ada%20Byron")).status_code == 422
        assert await looks(desk) == []


async def test_a_card_is_shown_opened_and_the_look_recorded(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk, desk.staff(Role.BILLING) as billing:
        patient = (await desk.send(**ADA, files={"card_front": FRONT})).json()["patient_id"]
        answer = await billing.get(f"/patients/{patient}/cards/front")
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/jpeg", "no-store")
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.size == (640, 400)
        assert (await billing.get(f"/patients/{patient}/cards/back")).status_code == 404
        assert (await desk.person.get(f"/patients/{patient}/cards/front")).status_code == 401
        assert await looks(desk) == [("kim", "card_front", [patient])]


async def test_an_altered_card_is_not_shown(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk, desk.staff() as staff:
        patient = (await desk.send(**ADA, files={"card_front": FRONT})).json()["patient_id"]
        [path] = desk.stored()
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
        answer = await staff.get(f"/patients/{patient}/cards/front")
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")


async def test_those_in_danger_head_the_list_then_the_longest_waiting(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk, desk.staff() as staff:
        for name, danger in [("One", "no"), ("Two", ""), ("Three", "yes"), ("Four", "no"), ("Five", "yes")]:
            await desk.send(name=name, phone="(330) 555-0123", in_danger=danger)
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = (await staff.get("/intakes", params={"limit": 2, **after})).json()
            seen += [intake["name"] for intake in page["intakes"]]
            if page["after"] is None:
                break
            after = {"after": page["after"]}
        assert seen == ["Three", "Five", "One", "Two", "Four"]
        assert [len(subjects) for _, _, subjects in await looks(desk)] == [2, 2, 1]
        newest = (await staff.get("/intakes", params={"waiting": False, "limit": 3})).json()
        assert [intake["name"] for intake in newest["intakes"]] == ["Five", "Four", "Three"]
        older = (await staff.get("/intakes", params={"waiting": False, "after": newest["after"]})).json()
        assert [intake["name"] for intake in older["intakes"]] == ["Two", "One"]


async def test_whoever_has_an_assessment_booked_waits_no_more(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk, desk.staff() as staff:
        patient = (await desk.send(**ADA)).json()["patient_id"]
        async with desk.service.database.transaction() as tx:
            booked = AppointmentBooked(
                appointment_id=AppointmentId("appointment_1"),
                version=1,
                kind=AppointmentKind.ASSESSMENT,
                starts_at=tx.now,
                ends_at=tx.now,
                time_zone="America/New_York",
                clinician="Dr. Feld",
                room="Consulting room 1",
                place="88 Canal Street",
            )
            envelope = Envelope(new_event_id(), booked.type, "scheduling", tx.now, patient, 1, correlation_id="c")
            await on_appointment_booked(tx, booked, envelope)
        assert (await staff.get("/intakes")).json()["intakes"] == []
        [intake] = (await staff.get("/intakes", params={"waiting": False})).json()["intakes"]
        assert intake["assessment_booked_at"] is not None


async def test_the_description_of_the_api_names_every_field_of_the_form(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk, desk.staff() as staff:
        described = (await staff.get("/openapi.json")).json()
        content = described["paths"]["/intakes"]["post"]["requestBody"]["content"]
        assert {"name", "phone", "in_danger"} <= set(content["application/json"]["schema"]["properties"])
        assert {"card_front", "card_back"} <= set(content["multipart/form-data"]["schema"]["properties"])
        assert "$ref" not in str(content)
