"""The worklist over HTTP: what needs a person, one coverage with its evidence, and a correction in one step."""

import re

import httpx
import pytest

from chassis.http import Role
from tests.billing.house import House, Settings, booked, house, registered, reported
from tests.chassis.front_desk import client

pytestmark = pytest.mark.engines

CASE = "/worklist/coverages/coverage_1"


async def _page(clinic: House, path: str, role: Role = Role.BILLING) -> str:
    async with client(clinic.service.http, role, actor="Nell Carver") as reader:
        return (await reader.get(path)).raise_for_status().text


def _fields(page: str) -> dict[str, str]:
    """What the correction form would send as it stands."""
    form = re.search(r'<form class="correction".*?</form>', page, re.DOTALL)
    assert form is not None
    tags = re.findall(r"<input [^>]*>", form[0])
    found = [(re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag), tag) for tag in tags]
    return {name[1]: value[1] for name, value, tag in found if name and value and "radio" not in tag}


async def _send(clinic: House, path: str, role: Role = Role.BILLING, **fields: str) -> httpx.Response:
    async with client(clinic.service.http, role, actor="Nell Carver") as biller:
        return await biller.post(path, data=fields)


async def _correct(clinic: House, **typed: str) -> httpx.Response:
    stands = _fields(await _page(clinic, CASE))
    return await _send(clinic, f"{CASE}/correction", **{**stands, **typed})


async def test_what_needs_a_person_says_what_to_do(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported(member_id="W100000099"))
        one = await clinic.verification("with_person")
        page = await _page(clinic, "/worklist")
        assert "Eleanor Whitfield" in page and one["to_do"].split(".")[0] in page
        assert "<b>1</b> needs a person" in page
