"""Every look at a patient is on record."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import FastAPI

from chassis.database import Database
from chassis.http import Actor, Role, record_access, requires
from tests.chassis.front_desk import client, desk, open_database

pytestmark = pytest.mark.engines


@pytest.fixture
async def clinic(database: str, tmp_path: Path) -> AsyncIterator[FastAPI]:
    opened = await open_database(database, tmp_path)
    yield application(opened)
    await opened.stop()


def application(database: Database) -> FastAPI:
    app = desk(database)

    @app.get("/patients/{patient}")
    async def read(patient: str, actor: Annotated[Actor, requires(Role.STAFF)]) -> dict[str, str]:
        async with database.connection() as connection:
            await record_access(connection, actor, subjects=[patient], what="coverage")
        return {"patient": patient}

    @app.get("/patients")
    async def listed(ids: str, actor: Annotated[Actor, requires(Role.STAFF)]) -> dict[str, str]:
        async with database.connection() as connection:
            await record_access(connection, actor, subjects=ids.split(",") if ids else [], what="worklist")
        return {}

    return app


async def test_an_auditor_sees_who_looked_at_a_patient_at_what_and_in_which_request(clinic: FastAPI):
    async with client(clinic, Role.STAFF, actor="ines") as staff, client(clinic, Role.AUDITOR) as auditor:
        seen = await staff.get("/patients/patient_1")
        await staff.get("/patients/patient_2")
        answer = (await auditor.get("/access-log", params={"subject": "patient_1"})).json()
    [look] = answer["accesses"]
    assert (look["actor"], look["role"], look["what"]) == ("ines", "staff", "coverage")
    assert look["subjects"] == ["patient_1"]
    assert look["request_id"] == seen.headers["x-request-id"]
    assert answer["before"] is None


async def test_a_list_is_a_look_at_each_patient_on_it_and_an_empty_one_at_none(clinic: FastAPI):
    async with client(clinic, Role.STAFF) as staff, client(clinic, Role.AUDITOR) as auditor:
        await staff.get("/patients", params={"ids": "patient_3,patient_4,patient_3"})
        await staff.get("/patients", params={"ids": ""})
        looks = (await auditor.get("/access-log")).json()["accesses"]
    assert [look["subjects"] for look in looks] == [["patient_3", "patient_4"]]


async def test_a_long_log_is_read_page_by_page_without_a_gap(clinic: FastAPI):
    async with client(clinic, Role.STAFF) as staff, client(clinic, Role.AUDITOR) as auditor:
        for number in range(5):
            await staff.get(f"/patients/patient_{number}")
        pages: list[list[str]] = []
        before: dict[str, int] = {}
        while True:
            page = (await auditor.get("/access-log", params={"limit": 2, **before})).json()
            pages.append([look["subjects"][0] for look in page["accesses"]])
            if page["before"] is None:
                break
            before = {"before": page["before"]}
    assert pages == [["patient_4", "patient_3"], ["patient_2", "patient_1"], ["patient_0"]]


async def test_the_auditors_own_look_at_a_patient_is_on_record_too(clinic: FastAPI):
    async with client(clinic, Role.AUDITOR, actor="ana") as auditor:
        await auditor.get("/access-log", params={"subject": "patient_9"})
        [look] = (await auditor.get("/access-log", params={"subject": "patient_9"})).json()["accesses"]
    assert (look["actor"], look["what"]) == ("ana", "access_log")


async def test_only_auditors_read_the_log(clinic: FastAPI):
    async with client(clinic, Role.STAFF) as staff:
        assert (await staff.get("/access-log")).status_code == 403


@pytest.mark.parametrize("address", ["/access-log?subject=patient_1%00", "/patients/patient%001", "/patients?ids=%00"])
async def test_an_address_with_a_character_that_no_text_has_is_refused(clinic: FastAPI, address: str) -> None:
    for role in (Role.AUDITOR, Role.STAFF):
        async with client(clinic, role) as http:
            answer = await http.get(address)
        assert (answer.status_code, answer.json()["title"]) == (400, "The address cannot be read")
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
