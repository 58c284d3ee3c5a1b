"""Asking for help, over HTTP and on a real database: what is taken, said and kept, and what is not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.http import Role
from contracts.intake import (
    ConsentRecorded,
    CoverageReported,
    PatientRegistered,
    RiskFlagged,
    RiskLevel,
    Submitted,
)
from intake.uploads.faults import MEGABYTE
from tests.chassis.front_desk import client
from tests.intake.photographs import FORM_TYPE, form_body, photo, png_claiming, repeated
from tests.intake.reception import Reception, reception
from tests.openapi import examples

pytestmark = pytest.mark.engines

ADA = {"name": "Ada Byron", "phone": "(330) 555-0123"}
FRONT, BACK = ("front.heic", photo("HEIF"), "image/heic"), ("back.jpg", photo("JPEG"), "image/jpeg")


def kinds(said: list[tuple[str, Any]]) -> list[type]:
    return [type(event) for _, event in said]


async def nothing_is_kept(desk: Reception) -> bool:
    tables = ("patient", "intake", "consent", "card_image", "outbox", "outside_task")
    return sum([await desk.count(table) for table in tables]) == 0 and desk.stored() == []


async def test_a_name_and_a_phone_number_make_a_patient_and_a_request(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        answer = await desk.send(**ADA)
        assert answer.status_code == 201
        said = await desk.said()
        assert kinds(said) == [PatientRegistered, Submitted]
        assert {subject for subject, _ in said} == {answer.json()["patient_id"]}
        submitted = said[1][1]
        assert isinstance(submitted, Submitted)
        assert submitted.reference == answer.json()["reference"]
        assert (submitted.in_danger, submitted.card_received, submitted.coverage_typed) == (False, False, False)


async def test_all_that_was_told_is_said_with_the_facts_before_the_request(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        told = {"consent_texts": "yes", "in_danger": "yes", "payer": "Lakeshore Mutual", "member_id": "xyz 123"}
        await desk.send(**ADA, **told, email="ada@example.com", birth_date="1985-07-30", insured="yes")
        said = [event for _, event in await desk.said()]
        registered, consent, risk, submitted, coverage = said
        assert isinstance(registered, PatientRegistered)
        assert (registered.phone, registered.email) == ("+13305550123", "ada@example.com")
        assert isinstance(consent, ConsentRecorded)
        assert (consent.kind, consent.wording_version) == ("texts", "2026-03")
        assert consent.wording.startswith("Send me text messages")
        assert isinstance(risk, RiskFlagged)
        assert (risk.level, risk.source) == (RiskLevel.UNASSESSED, "intake_form")
        assert isinstance(submitted, Submitted)
        assert (submitted.in_danger, submitted.coverage_typed) == (True, True)
        assert isinstance(coverage, CoverageReported)
        assert (coverage.payer, coverage.member_id, coverage.source) == ("Lakeshore Mutual", "XYZ123", "typed")


async def test_the_same_over_json(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        body = {"name": "Ada Byron", "email": "ada@example.com", "in_danger": True, "consent_texts": None}
        answer = await desk.person.post("/intakes", json=body)
        assert answer.status_code == 201
        assert set(answer.json()) == {"reference", "patient_id"}
        assert kinds(await desk.said()) == [PatientRegistered, RiskFlagged, Submitted]


async def test_the_same_urlencoded_and_with_photos_to_the_api(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        assert (await desk.person.post("/intakes", data=ADA)).status_code == 201
        files = {**{name: (None, value) for name, value in ADA.items()}, "card_front": FRONT}
        assert (await desk.person.post("/intakes", files=files)).status_code == 201
        assert await desk.count("card_image") == 1


async def test_photos_are_kept_clean_and_sealed_and_their_reading_is_asked_for(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        answer = await desk.send(**ADA, files={"card_front": FRONT, "card_back": BACK})
        assert answer.status_code == 201
        assert len(desk.stored()) == 2
        assert all(b"JFIF" not in path.read_bytes() for path in desk.stored())
        rows = await desk.rows("SELECT * FROM card_image ORDER BY side DESC")
        assert [row["side"] for row in rows] == ["front", "back"]
        keys = json.loads(desk.settings.card_keys_file.read_text())
        assert {row["key_id"] for row in rows} == {keys["active"]}
        [task] = await desk.rows("SELECT destination, purpose, subject FROM outside_task")
        assert (task["destination"], task["subject"]) == ("card_reading", answer.json()["patient_id"])
        assert kinds(await desk.said()) == [PatientRegistered, Submitted]


async def test_a_typed_coverage_waits_for_the_card_that_came_with_it(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA, payer="Lakeshore", member_id="X1", files={"card_front": FRONT})
        assert kinds(await desk.said()) == [PatientRegistered, Submitted]


FAULTY_FILES = {
    "empty": (b"", "This file is empty."),
    "program": (b"MZ" + bytes(4_000), "This is a program, not a photo."),
    "truncated": (photo(width=1_600, height=1_000)[:9_000], "This photo is damaged or was cut off on its way."),
    "bomb": (png_claiming(60_000, 60_000), "This picture has more than 50 million pixels."),
}


@pytest.mark.parametrize("fault", FAULTY_FILES)
async def test_a_photo_at_fault_is_told_and_nothing_is_kept(database: str, tmp_path: Path, fault: str) -> None:
    content, said = FAULTY_FILES[fault]
    async with reception(database, tmp_path) as desk:
        answer = await desk.send(**ADA, files={"card_front": ("card.jpg", content), "card_back": BACK})
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error["field"] == "card_front"
        assert error["message"].startswith(said)
        assert await nothing_is_kept(desk)


async def test_33_megabytes_are_told_beside_the_field(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        start, end = form_body(ADA, [("card_front", "c.jpg", photo() + b"\x00\x01MARK")]).split(b"MARK")
        answer = await desk.person.post(
            "/",
            content=repeated((start, 1), (bytes(MEGABYTE), 33), (end, 1)),
            headers={"Content-Type": FORM_TYPE, "Accept": "application/json"},
        )
        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error == {
            "field": "card_front",
            "message": "This photo is larger than 32 MB. Take it at a lower quality, or leave it out.",
        }
        assert await nothing_is_kept(desk)


async def test_every_fault_is_told_at_once(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        answer = await desk.send(name="", birth_date="2031-01-01", files={"card_back": ("c.jpg", b"")})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["field"] for error in answer.json()["errors"]] == ["name", "phone", "birth_date", "card_back"]
        assert "2031" not in answer.text
        assert await nothing_is_kept(desk)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"name": {"first": "Ada"}, "phone": 3305550123}', "application/json", 422),
        (b'{"name": "Ada\\u0000", "phone": "\\ud800"}', "application/json", 422),
        (b"name=%ff%fe&phone=1", "application/x-www-form-urlencoded", 400),
        (b"<name>Ada</name>", "application/xml", 415),
        (b"", "", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"name=" + b"x" * 200_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_is_no_form_gets_a_problem_and_not_a_crash(
    database: str, tmp_path: Path, body: bytes, content_type: str, status: int
) -> None:
    async with reception(database, tmp_path) as desk:
        answer = await desk.person.post("/intakes", content=body, headers={"Content-Type": content_type})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Ada" not in answer.text
        assert await nothing_is_kept(desk)


async def test_a_photo_sent_as_text_or_under_another_name_is_not_lost_in_silence(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        answer = await desk.person.post("/intakes", json={**ADA, "card_front": "aGVsbG8="})
        assert [error["field"] for error in answer.json()["errors"]] == ["card_front"]
        answer = await desk.send(**ADA, files={"card": FRONT})
        assert answer.status_code == 400
        assert "card_front and card_back" in answer.json()["detail"]
        assert await nothing_is_kept(desk)


async def test_a_name_arrives_as_it_was_typed(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        for content in ("name=Zoë+Ångström&phone=3305550123", "name=Zo%C3%AB+%C3%85ngstr%C3%B6m&phone=3305550123"):
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            assert (await desk.person.post("/intakes", content=content.encode(), headers=headers)).status_code == 201
        assert {row["name"] for row in await desk.rows("SELECT name FROM patient")} == {"Zoë Ångström"}


async def test_a_repeat_under_one_key_is_one_request_with_one_answer(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        answers = await asyncio.gather(*(desk.send(**ADA, key="k1", files={"card_front": FRONT}) for _ in range(4)))
        assert {answer.text for answer in answers} == {answers[0].text}
        assert {answer.status_code for answer in answers} == {201}
        assert await desk.count("intake") == 1
        assert len(desk.stored()) == 1


async def test_another_form_under_a_used_key_is_refused_and_not_kept(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA, key="k1", files={"card_front": FRONT})
        answer = await desk.send(**ADA, key="k1", files={"card_front": BACK})
        assert answer.status_code == 422
        assert await desk.count("intake") == 1
        assert len(desk.stored()) == 1


async def test_a_double_click_in_the_browser_makes_one_request(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        one, two = await asyncio.gather(*(desk.send(**ADA, form_id="a1b2", html=True) for _ in range(2)))
        assert (one.status_code, two.status_code) == (303, 303)
        assert one.headers["location"] == two.headers["location"]
        assert await desk.count("intake") == 1


async def test_the_same_person_may_ask_twice(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA)
        await desk.send(**ADA)
        assert await desk.count("intake") == 2


async def test_a_failing_database_leaves_no_patient_and_the_sweeper_finds_the_photo(
    database: str, tmp_path: Path
) -> None:
    async with reception(database, tmp_path) as desk:
        connection = await asyncpg.connect(database)
        await connection.execute("ALTER TABLE consent ADD CONSTRAINT never CHECK (false)")
        answer = await desk.send(**ADA, consent_texts="yes", files={"card_front": FRONT})
        assert answer.status_code == 500
        assert "Ada" not in answer.text
        assert await desk.count("patient") == 0
        assert [path.parts[-3] for path in desk.stored()] == ["cards"]
        await connection.close()


async def test_more_forms_than_there_are_places_are_asked_to_come_again(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path, uploads_at_once=1) as desk:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> Any:
            body = form_body(ADA)
            yield body[:40]
            arrived.set()
            await go_on.wait()
            yield body[40:]

        headers = {"Content-Type": FORM_TYPE, "Accept": "application/json"}
        first = asyncio.create_task(desk.person.post("/", content=slow(), headers=headers))
        await arrived.wait()
        refused = await desk.send(**ADA)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        go_on.set()
        assert (await first).status_code == 201
        assert (await desk.send(**ADA)).status_code == 201


async def test_the_example_in_the_document_can_be_sent_as_it_stands(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk, client(desk.service.http, Role.STAFF) as staff:
        document = (await staff.get("/openapi.json")).raise_for_status().json()
        ((path, example),) = examples(document)
        answer = await desk.person.post(path, json=example)
        assert (path, answer.status_code) == ("/intakes", 201), answer.text
