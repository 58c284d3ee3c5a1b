"""Takes the README's pictures anew, of a real house with real pages: `python docs/take_pictures.py`. Needs Chromium."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from playwright.async_api import Page, async_playwright

from chassis.tokens import Role
from deploy.local.demo.drive import send, wait
from deploy.local.demo.hearing import hearing
from deploy.local.doors import token
from deploy.local.house import House
from deploy.local.screen import Screen

FOLDER = Path(__file__).with_name("pictures")
WIDE = {"width": 1280, "height": 860}
TALL = {"width": 420, "height": 900}


async def main() -> None:
    screen = Screen()
    async with (
        House(step=screen.step, durable=False) as house,
        hearing(house.engines.bootstrap, house.topics) as heard,
        httpx.AsyncClient(timeout=30, trust_env=False) as client,
        async_playwright() as playwright,
    ):
        travellers = await send(house, client, 1, screen)
        await wait(heard, travellers, screen)
        chromium = os.environ.get("STILLWATER_CHROMIUM") or shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(viewport=TALL, device_scale_factor=2)
        await page.goto(house.url("intake"))
        await _take(page, "form")
        page = await browser.new_page(viewport=WIDE, device_scale_factor=1.5)
        await page.goto(f"{house.url('console')}/#token={token(house.vault.secret('tokens'), Role.STAFF)}")
        await page.get_by_role("heading", name="In danger").wait_for()
        await page.get_by_text("Live", exact=True).wait_for()
        await _take(page, "live-page")
        await page.goto(f"{house.url('console')}/patients/{travellers[0].patient_id}")
        await page.get_by_text("Live", exact=True).wait_for()
        await _take(page, "person", whole=True)
        await _worklist(page, client, house, travellers[0].patient_id)
        await page.goto(f"{house.url('sandbox')}/mailbox")
        await _take(page, "mailbox")
        await browser.close()


async def _worklist(page: Page, client: httpx.AsyncClient, house: House, patient_id: str) -> None:
    """One coverage as billing sees it, with a figure's segment shown."""
    billing, key = house.url("billing"), token(house.vault.secret("tokens"), Role.BILLING)
    answer = await client.get(f"{billing}/patients/{patient_id}/coverages", headers={"Authorization": f"Bearer {key}"})
    coverage_id = answer.raise_for_status().json()["coverages"][0]["coverage_id"]
    await page.goto(f"{billing}/sign-in?next=/worklist/coverages/{coverage_id}#token={key}")
    await page.get_by_text("Live", exact=True).wait_for()
    await page.locator("a.figure").nth(2).click()
    await _take(page, "worklist", whole=True)


async def _take(page: Page, name: str, *, whole: bool = False) -> None:
    await page.screenshot(path=FOLDER / f"{name}.png", full_page=whole)


if __name__ == "__main__":
    asyncio.run(main())
