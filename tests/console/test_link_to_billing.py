"""The live page leads to billing's worklist, for those who may open it."""

import pytest

from chassis.http import Role
from tests.chassis.front_desk import client
from tests.console.house import Settings, house

pytestmark = pytest.mark.engines

LINK = 'href="http://billing.test/worklist"'


async def test_those_who_may_open_the_worklist_are_led_to_it(settings: Settings) -> None:
    async with house(settings, billing_url="http://billing.test") as console:
        for role, led in ((Role.BILLING, True), (Role.STAFF, True), (Role.CLINICIAN, False)):
            async with client(console.service.http, role) as reader:
                assert (LINK in (await reader.get("/")).text) is led


async def test_without_its_address_there_is_no_link(settings: Settings) -> None:
    async with house(settings) as console, client(console.service.http, Role.BILLING) as reader:
        assert "/worklist" not in (await reader.get("/")).text
