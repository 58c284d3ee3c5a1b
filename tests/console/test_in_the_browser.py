"""The live page in a real browser: as it happens, by keyboard, without JavaScript, on a phone."""

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import PHONE
from tests.console.house import (
    Settings,
    booked,
    failed,
    flagged,
    house,
    inactive,
    patient,
    registered,
    reported,
    requested,
    submitted,
    texted,
    undetermined,
    verified,
)

pytestmark = [pytest.mark.engines, pytest.mark.browser]

FAULTS = Path(__file__).with_name("accessibility.js").read_text()


async def test_the_page_says_what_happens_while_one_looks_at_it(settings: Settings, page: Page) -> None:
    async with house(settings) as console:
        await page.goto(console.signed_in())
        await expect(page.get_by_text("Nobody has asked for help yet.")).to_be_visible()
        await expect(page.locator("#live")).to_have_text("Live")
        assert "token" not in page.url

        await console.say(registered(), submitted(), reported(), booked())
        row = page.get_by_role("row").filter(has_text="Eleanor Whitfield")
        await expect(row).to_contain_text("Assessment booked")
        await expect(row).to_contain_text("Not known yet")
        await expect(row).to_contain_text("because the payer is about to be asked")

        await console.say(requested(), undetermined())
        await expect(row).to_contain_text("because Aetna has not answered in time")
        await expect(row).not_to_contain_text("$0")
        await console.say(verified(), *texted())
        await expect(row).to_contain_text("Active")
        await expect(row).to_contain_text("Text delivered")


async def test_whoever_is_in_danger_comes_first_with_a_number_to_call(settings: Settings, page: Page) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), inactive())
        await page.goto(console.signed_in())
        await expect(page.get_by_text("Nobody who told us so.")).to_be_visible()
        await console.say(registered("Walter Byrne"), flagged(), submitted(2, in_danger=True), about=patient(2))
        danger = page.get_by_role("region", name="In danger")
        await expect(danger.get_by_role("link", name="Walter Byrne")).to_be_visible()
        call = danger.get_by_role("link", name=re.compile("Call"))
        assert await call.get_attribute("href") == "tel:+13305550123"
        first = await page.locator("main section[aria-labelledby]").first.get_attribute("id")
        assert first == "danger"


async def test_opening_somebody_shows_their_events_across_services(settings: Settings, page: Page) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), booked(), requested(), verified())
        await console.known(1, lambda one: len(one["events"]) == 6)
        await page.goto(console.signed_in())
        await page.get_by_role("link", name="Eleanor Whitfield").first.click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Eleanor Whitfield")
        events = page.locator("table.events tbody tr")
        await expect(events).to_have_count(6)
        await console.say(*texted())
        await expect(events).to_have_count(8)
        for service in ("intake", "scheduling", "billing", "notify"):
            await expect(page.locator("table.events").get_by_text(service, exact=True).first).to_be_visible()


async def test_somebody_is_found_by_keyboard_alone_and_no_name_gets_into_an_address(
    settings: Settings, page: Page
) -> None:
    async with house(settings) as console:
        for number, name in ((1, "Eleanor Whitfield"), (2, "Walter Byrne")):
            await console.say(registered(name), submitted(number), about=patient(number))
            await console.known(number, lambda one: one["reference"] is not None)
        visited: list[str] = []
        page.on("request", lambda request: visited.append(request.url))
        await page.goto(console.signed_in())
        await page.get_by_role("link", name="Walter Byrne").first.wait_for()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the page’s content")).to_be_focused()
        for _ in range(2):
            await page.keyboard.press("Tab")
        await expect(page.get_by_role("searchbox")).to_be_focused()
        await page.keyboard.type("whitf")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="1 found")).to_be_visible()
        await page.get_by_role("link", name="Eleanor Whitfield").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Eleanor Whitfield")
        assert not any("whitf" in url.lower() or "eleanor" in url.lower() for url in visited)


async def test_on_a_phone_nothing_is_cut_off(settings: Settings, browser: Browser) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), reported(), booked(), requested(), inactive(), *texted())
        await console.known(1, lambda one: one["coverage"]["state"] == "inactive")
        context = await browser.new_context(viewport=PHONE)
        page = await context.new_page()
        await page.goto(console.signed_in())
        await expect(page.locator("#tasks")).to_contain_text("Insurance not active")
        for address in (page.url, f"{console.address}/patients/{patient()}"):
            await page.goto(address)
            await page.get_by_text("Eleanor Whitfield").first.wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await context.close()


async def test_a_slash_goes_to_the_search_and_a_button_marks_done(settings: Settings, page: Page) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), failed())
        await console.known(1, lambda one: len(one["events"]) == 3)
        await page.goto(console.signed_in())
        await expect(page.locator("#live")).to_have_text("Live")
        await page.keyboard.press("/")
        await expect(page.get_by_role("searchbox")).to_be_focused()
        await page.keyboard.type("a/b")
        await expect(page.get_by_role("searchbox")).to_have_value("a/b")

        await page.get_by_role("button", name="Done: A message did not reach them, Eleanor Whitfield").click()
        await expect(page.locator("#tasks")).to_contain_text("Nothing at the moment.")
        await page.get_by_role("link", name="Eleanor Whitfield").click()
        await expect(page.locator("#facts")).to_contain_text("A message did not reach them: done by Nell Carver, today")


async def test_without_javascript_all_of_it_works(settings: Settings, browser: Browser) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted(), failed(), flagged())
        await console.known(1, lambda one: len(one["events"]) == 4)
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(console.address)
        await page.get_by_label("token").fill(console.token())
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("region", name="In danger")).to_contain_text("Eleanor Whitfield")
        assert await page.locator("noscript meta[http-equiv=refresh]").count() == 1
        await page.get_by_role("button", name="Done").click()
        await expect(page.get_by_text("Nothing at the moment.")).to_be_visible()
        await page.get_by_role("searchbox").fill("eleanor")
        await page.get_by_role("button", name="Find").click()
        await page.get_by_role("link", name="Eleanor Whitfield").click()
        await expect(page.locator("table.events tbody tr")).to_have_count(4)
        await context.close()


async def test_an_update_leaves_the_focus_and_opened_details_where_they_are(settings: Settings, page: Page) -> None:
    async with house(settings) as console:
        await console.say(registered(), submitted())
        await console.known(1, lambda one: len(one["events"]) == 2)
        await page.goto(console.signed_in())
        await page.get_by_role("link", name="Eleanor Whitfield").click()
        await expect(page.locator("#live")).to_have_text("Live")
        summary = page.locator("table.events summary").first
        await summary.focus()
        await page.keyboard.press("Enter")
        await console.say(booked())
        await expect(page.locator("table.events tbody tr")).to_have_count(3)
        await expect(summary).to_be_focused()
        await expect(page.locator("table.events details").first).to_have_attribute("open", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_read_it(settings: Settings, browser: Browser, scheme: Literal["light", "dark"]) -> None:
    """What WCAG 2.2 AA asks and a program can tell: names, headings, landmarks, ids, contrast."""
    async with house(settings) as console:
        await console.say(registered(), submitted(), failed(), flagged(), reported(), booked(), requested(), verified())
        await console.say(registered("Walter Byrne"), submitted(2), reported(2), inactive(2), about=patient(2))
        await console.known(1, lambda one: len(one["events"]) == 8)
        await console.known(2, lambda one: len(one["events"]) == 4)
        context = await browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        await page.goto(console.signed_in())
        for address in ("/", f"/patients/{patient()}"):
            await page.goto(console.address + address)
            await expect(page.locator("#live")).to_have_text("Live")
            assert await page.evaluate(FAULTS) == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= 1280
        await context.close()


async def test_without_a_token_one_is_asked_to_sign_in(settings: Settings, page: Page) -> None:
    async with house(settings) as console:
        await page.goto(console.address)
        await expect(page).to_have_url(re.compile("/sign-in"))
