"""The examples in billing's OpenAPI document are requests that work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.http import Role
from contracts.billing import CoverageVerified
from tests.billing.house import House, Settings, booked, house, registered, reported
from tests.billing.test_eligibility import program
from tests.billing.test_engines import clinic_with_engine
from tests.chassis.front_desk import client
from tests.openapi import examples
from tests.waiting import eventually

pytestmark = pytest.mark.engines

SCOPES = ("eligibility:ask", "coverages:read", "engine:answer")


async def sent(http: httpx.AsyncClient, **ids: str) -> set[str]:
    """Every example as it stands, where these ids suffice. Returns the paths."""
    document = (await http.get("/openapi.json")).raise_for_status().json()
    tried: set[str] = set()
    for path, example in examples(document, ids):
        if all(id in path for id in ids.values()):
            answer = await http.post(path, json=example)
            assert answer.is_success, (path, answer.text)
            tried.add(path)
    return tried


async def verified(clinic: House) -> None:
    await clinic.say(registered(), booked(), reported())
    await clinic.streams.heard(CoverageVerified)


async def test_a_programs_examples_can_be_sent_as_they_stand(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, *SCOPES) as machine:
        assert await sent(machine) >= {"/eligibility", "/engines/leases"}


async def test_a_billers_examples_can_be_sent_for_any_coverage(settings: Settings) -> None:
    async with house(settings) as clinic, client(clinic.service.http, Role.BILLING) as biller:
        await verified(clinic)
        about = "/coverages/coverage_1"
        tried = await sent(biller, coverage_id="coverage_1")
        assert tried >= {f"{about}/ask-again", f"{about}/correction", f"{about}/order"}


async def test_an_engines_examples_can_be_sent_for_any_lease(settings: Settings, tmp_path: Path) -> None:
    async with clinic_with_engine(settings, tmp_path) as (clinic, _), program(clinic, *SCOPES) as machine:
        await clinic.say(registered(), booked(), reported())

        async def leased() -> list[dict[str, Any]]:
            return (await machine.post("/engines/leases", json={})).raise_for_status().json()["leases"]

        (lease,) = await eventually(leased)
        assert await sent(machine, lease_id=lease["lease_id"]) == {f"/engines/leases/{lease['lease_id']}/result"}
