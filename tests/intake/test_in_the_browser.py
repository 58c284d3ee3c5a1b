"""The form in a real browser: without JavaScript, by keyboard, on a phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import PHONE
from tests.intake.photographs import photo
from tests.intake.reception import Reception, reception
from tests.listening import listening

pytestmark = [pytest.mark.engines, pytest.mark.browser]

HELP = "You do not have to wait for us."


@asynccontextmanager
async def served(database: str, folder: Path) -> AsyncIterator[tuple[Reception, str]]:
    async with reception(database, folder) as desk, listening(desk.service) as address:
        yield desk, f"{address}/"


@asynccontextmanager
async def phone(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport=PHONE, has_touch=True, java_script_enabled=False)
    yield await context.new_page()
    await context.close()


async def test_somebody_asks_for_help_on_a_phone_without_javascript(
    database: str, tmp_path: Path, browser: Browser
) -> None:
    async with served(database, tmp_path) as (desk, address), phone(browser) as page:
        await page.goto(address)
        question = page.get_by_role("group", name="Are you in danger")
        assert not await question.get_by_text(HELP).is_visible()
        await question.get_by_label("Yes").check()
        assert await question.get_by_text(HELP).is_visible()
        await question.get_by_label("No").check()
        assert not await question.get_by_text(HELP).is_visible()

        await page.get_by_label("Date of birth").fill("2031-01-01")
        await page.get_by_label("Front of the card").set_input_files(
            {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": b"MZ" + bytes(500)}
        )
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("alert").get_by_role("link")).to_have_count(4)
        assert await page.get_by_label("Date of birth").input_value() == "2031-01-01"
        assert "This is a program" in await page.get_by_label("Front of the card").evaluate(
            "field => document.getElementById(field.getAttribute('aria-describedby').split(' ').pop()).textContent"
        )

        await page.get_by_label("Your name").fill("Ada Byron")
        await page.get_by_label("E-mail address").fill("ada@example.com")
        await page.get_by_label("Date of birth").fill("1985-07-30")
        await page.get_by_label("Front of the card").set_input_files(
            {"name": "card.heic", "mimeType": "image/heic", "buffer": photo("HEIF")}
        )
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("heading", name="We will be in touch shortly")).to_be_visible()
        await page.reload()
        [intake] = await desk.rows("SELECT reference, in_danger FROM intake")
        await expect(page.get_by_text(intake["reference"])).to_be_visible()
        assert intake["in_danger"] is False
        assert await desk.count("card_image") == 1


async def test_the_form_fits_a_phone_and_the_fingers_on_it(database: str, tmp_path: Path, browser: Browser) -> None:
    async with served(database, tmp_path) as (_, address):
        context = await browser.new_context(viewport={"width": 320, "height": 640})
        page = await context.new_page()
        await page.goto(address)
        assert await page.evaluate("document.documentElement.scrollWidth <= 320")
        heights = await page.evaluate(
            "[...document.querySelectorAll('textarea, button, .field > input:not([type=checkbox])')]"
            ".map(field => field.getBoundingClientRect().height)"
        )
        assert min(heights) >= 44
        await context.close()


async def test_the_keyboard_alone_sends_the_form(database: str, tmp_path: Path, page: Page) -> None:
    async with served(database, tmp_path) as (desk, address):
        await page.goto(address)
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the page’s content"
        visited: list[str] = []
        for _ in range(30):
            await page.keyboard.press("Tab")
            name = await page.evaluate("document.activeElement.id || document.activeElement.type || ''")
            visited.append(name)
            if name == "in_danger":
                await page.keyboard.press("Space")
                await expect(page.get_by_role("group", name="Are you in danger").get_by_text(HELP)).to_be_visible()
            if name == "name":
                await page.keyboard.type("Ada Byron")
            if name == "phone":
                await page.keyboard.type("330 555 0123")
            if name == "submit":
                break
        order = ["in_danger", "name", "phone", "email", "consent_texts", "birth_date", "reason", "treatment"]
        order += ["insured", "card_front", "card_back", "payer", "member_id", "submit"]
        assert [name for name in dict.fromkeys(visited) if name in order] == order
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/received/*")
        await expect(page.get_by_role("alert").get_by_text(HELP)).to_be_visible()
        assert await desk.count("intake") == 1


async def test_faults_take_the_focus_and_lead_to_their_fields(database: str, tmp_path: Path, page: Page) -> None:
    async with served(database, tmp_path) as (_, address):
        await page.goto(address)
        await page.get_by_role("button", name="Send").click()
        await expect(page).to_have_title(re.compile("^Error: "))
        await expect(page.locator("#summary")).to_be_focused()
        await page.get_by_role("link", name="Tell us your name.").click()
        await expect(page.locator("#name")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(database: str, tmp_path: Path, browser: Browser, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 to 1, for every piece of text on the page."""
    async with served(database, tmp_path) as (_, address):
        context = await browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
        page = await context.new_page()
        await page.goto(address)
        await page.get_by_role("group", name="Are you in danger").get_by_label("Yes").check()
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("alert")).to_have_count(2)
        assert await page.evaluate(_TOO_FAINT) == []
        await context.close()


_TOO_FAINT = """() => {
  const channels = color => color.match(/[\\d.]+/g).map(Number)
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const ground = element => {
    for (let one = element; one; one = one.parentElement) {
      const color = channels(getComputedStyle(one).backgroundColor)
      if (color.length === 3 || color[3] === 1) return color
    }
    return [255, 255, 255]
  }
  const faint = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue
    const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))]
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
    if (contrast < 4.5) faint.push([element.textContent.trim().slice(0, 40), contrast])
  }
  return faint
}"""
