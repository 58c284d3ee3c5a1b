"""What `make run` says to open is there, and opens."""

import re

import httpx
import pytest
from playwright.async_api import Page, expect

from chassis.tokens import Role, verify
from deploy.local.doors import doors
from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.topology import PARTS

KEY = "a key for signing tokens in tests, 32+"
URLS = {part: f"http://127.0.0.1:{number}" for number, part in enumerate(PARTS, 8800)}


def test_the_live_page_is_offered_to_those_who_may_see_it_each_with_a_token_of_their_own() -> None:
    offered = re.findall(rf"(\w+) +{URLS['console']}/sign-in#token=(\S+)", doors(URLS, KEY))
    assert {name: verify(KEY, token).role for name, token in offered} == {
        "staff": Role.STAFF,
        "clinician": Role.CLINICIAN,
        "billing": Role.BILLING,
    }


def test_the_worklist_is_offered_to_billing_and_staff() -> None:
    offered = re.findall(rf"(\w+) +{URLS['billing']}/sign-in\?next=/worklist#token=(\S+)", doors(URLS, KEY))
    assert {name: verify(KEY, token).role for name, token in offered} == {"billing": Role.BILLING, "staff": Role.STAFF}


@pytest.mark.engines
@pytest.mark.browser
async def test_every_address_that_is_told_opens(engines: Engines, page: Page) -> None:
    parts = ("intake", "scheduling", "billing", "console", "sandbox")
    async with House(engines=engines, prefix="doors-", parts=parts) as house:
        urls = {part: house.url(part if part in house.parts else "scheduling") for part in PARTS}
        text = doors(urls, house.vault.secret("tokens"))
        addresses = re.findall(r"http://\S+", text)
        link = next(address for address in addresses if "#token=" in address)
        headers = {"Authorization": f"Bearer {link.partition('#token=')[2]}", "Accept": "text/html"}
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            answers = {address: (await client.get(address.partition("#")[0])).status_code for address in addresses}
        assert set(answers.values()) == {200}, answers
        await page.goto(link)
        await expect(page).to_have_url(house.url("console") + "/")
        await expect(page.get_by_role("heading").first).to_be_visible()
