"""Programs keep up with what is known of every coverage: filtered, page by page, nothing twice and nothing missed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from contracts.billing import CoverageUndetermined, CoverageVerified
from tests.billing.house import House, Settings, booked, house, registered, reported
from tests.billing.test_eligibility import program
from tests.waiting import eventually

pytestmark = pytest.mark.engines

PATIENTS = [f"patient_0198c5f2-0000-7000-8000-00000000000{n}" for n in range(1, 4)]


async def three(clinic: House) -> None:
    """Two that are covered, and one whose number the payer does not know."""
    people = [
        (registered(), reported()),
        (registered("Grace Nakamura", date(1988, 12, 1)), reported("UHC", "900000007", "coverage_2")),
        (registered(), reported(id="coverage_3")),
    ]
    for number, (person, insurance) in enumerate(people):
        await clinic.say(person, booked(id=f"appointment_{number}"), insurance, patient=PATIENTS[number])
    await clinic.streams.heard(CoverageVerified, 2)
    await clinic.streams.heard(CoverageUndetermined, 1)


async def read(http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = (await http.get("/coverages", params=query)).raise_for_status().json()
        found += page["coverages"]
        if page["cursor"] is None:
            return found
        query["cursor"] = page["cursor"]


async def test_each_coverage_comes_once_with_its_latest_verification_however_small_the_pages(
    settings: Settings,
) -> None:
    async with house(settings) as clinic, program(clinic, "coverages:read") as reader:
        await three(clinic)
        assert {one["coverage_id"] for one in await read(reader, limit=1)} == {"coverage_1", "coverage_2", "coverage_3"}
        assert len(await read(reader)) == 3
        assert [one["coverage_id"] for one in await read(reader, outcome="undetermined")] == ["coverage_2"]
        assert [one["coverage_id"] for one in await read(reader, owner="patient")] == ["coverage_2"]
        assert len(await read(reader, payer_id="60054", state="concluded")) == 2
        assert [one["coverage_id"] for one in await read(reader, patient_id=PATIENTS[2])] == ["coverage_3"]
        later = (await read(reader))[-1]["requested_at"]
        assert later  # by the clinic's clock; changes are told by the machine's
        assert await read(reader, updated_since="2100-01-01T00:00:00Z") == []


async def test_one_that_is_asked_again_moves_to_the_end_and_stands_there_once(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "coverages:read") as reader:
        await three(clinic)
        first = (await read(reader))[0]
        clinic.service.clock.travel(timedelta(days=1))
        await clinic.say(reported(id=first["coverage_id"], payer="Cigna"), patient=first["patient_id"])

        async def ids() -> list[str]:
            return [one["coverage_id"] for one in await read(reader)]

        async def last() -> bool:
            return (await ids())[-1] == first["coverage_id"]

        await eventually(last)
        assert len(await ids()) == 3


@pytest.mark.parametrize("cursor", ["garbage", "WyJub3QgYSBkYXRlIiwgIngiXQ==", "W10="])
async def test_a_cursor_that_is_none_is_said_to_be(settings: Settings, cursor: str) -> None:
    async with house(settings) as clinic, program(clinic, "coverages:read") as reader:
        answer = await reader.get("/coverages", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")
