"""The worklist in a real browser: twenty cases cleared, live, by keyboard, on a phone, without scripts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.billing.counter import Counter, counter, patient
from tests.billing.house import Settings, booked, registered, reported
from tests.browser import PHONE

pytestmark = [pytest.mark.engines, pytest.mark.browser]

FAULTS = (Path(__file__).parents[1] / "console" / "accessibility.js").read_text()
CASE = "/worklist/coverages/coverage_1"


@dataclass(frozen=True)
class Paper:
    """What stands on the card in the clerk's hand, and what was reported instead."""

    number: int
    first: str
    last: str
    born: date
    member_id: str
    payer_key: str = "aetna"
    payer: str = "Aetna"
    wrong: str = "member_id"
    instead: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def facts(self) -> dict[str, str]:
        """By the form's fields, as a person types them."""
        return {
            "payer": self.payer,
            "member_id": self.member_id,
            "name": self.name,
            "birth_date": f"{self.born:%m/%d/%Y}",
        }


_INSURED_WITH = {
    "": ("aetna", "Aetna", "W2000000{:02}"),
    "blue cross": ("anthem_oh", "Anthem Blue Cross and Blue Shield Ohio", "JQU200M{:05}"),
    "garbage": ("humana", "Humana", "H200000{:02}"),
}
"""The sandbox's name of a payer, its own, and a member number as it writes them."""


def _papers() -> Iterator[Paper]:
    """As a clinic has them: a digit misread, a number left out, a payer half named, an answer nobody can read."""
    last = ["Abbot", "Brandt", "Castle", "Dorsey", "Ellison", "Farrow", "Griggs", "Hobart", "Ingram", "Jarvis"]
    last += ["Keating", "Larkin", "Mercer", "Norwood", "Osgood", "Pryor", "Quimby", "Rowley", "Sexton", "Tilden"]
    kinds = [("member_id", "wrong")] * 5 + [("member_id", "")] * 2 + [("birth_date", "wrong")] * 4
    kinds += [("birth_date", "")] * 2 + [("name", "wrong")] * 2 + [("payer", "blue cross")] * 2 + [("payer", "Zenith")]
    kinds += [("nothing", "garbage")] * 2
    for number, ((wrong, instead), family) in enumerate(zip(kinds, last, strict=True), 1):
        key, payer, member_id = _INSURED_WITH.get(instead, _INSURED_WITH[""])
        yield Paper(
            number,
            "Robin",
            family,
            date(1970 + number, 1 + number % 12, 1 + number),
            member_id.format(number),
            key,
            payer,
            wrong,
            instead,
        )


async def _arrive(desk: Counter, paper: Paper) -> None:
    """The payer knows them rightly; what reaches billing has the one thing wrong."""
    born: date | None = paper.born
    name, member_id, payer = paper.name, paper.member_id, paper.payer
    if paper.wrong == "member_id":
        member_id = "" if not paper.instead else f"{paper.member_id[:-3]}9{paper.member_id[-2:]}"
    if paper.wrong == "birth_date":
        born = None if not paper.instead else paper.born.replace(year=paper.born.year - 9)
    if paper.wrong == "name":
        name = f"Rubin {paper.last[::-1].title()}"
    if paper.wrong == "payer":
        payer = paper.instead or ""
    member = {"payer": paper.payer_key, "member_id": paper.member_id, "first": paper.first, "last": paper.last}
    answer = await desk.house.outside.post(
        "/control/members", json={**member, "born": paper.born.isoformat(), "scenario": "covered"}
    )
    answer.raise_for_status()
    await desk.house.say(
        registered(name, born),
        booked(id=f"appointment_{paper.number}"),
        reported(payer, member_id, id=f"coverage_{paper.number}"),
        patient=patient(paper.number),
    )


@dataclass
class Clerk:
    """Somebody from billing at the keyboard. Each key that is not part of a corrected value is one action."""

    page: Page
    actions: int = 0
    typed: int = 0
    by_case: list[tuple[int, int]] = field(default_factory=list)

    async def press(self, key: str) -> None:
        self.actions += 1
        await self.page.keyboard.press(key)

    async def type(self, text: str) -> None:
        self.typed += len(text)
        await self.page.keyboard.type(text)

    async def begin_at(self) -> str:
        """The name of what has the focus: what the page expects to be done first."""
        return await self.page.evaluate("document.activeElement.name || document.activeElement.tagName.toLowerCase()")

    async def correct(self, paper: Paper) -> None:
        """What the page asks for, in the field that it puts the cursor in."""
        before = (self.actions, self.typed)
        field = await self.begin_at()
        if field == "payer_id":
            await self.press("Space")
        elif field != "button":
            await self.type(paper.facts[field])
        await self.press("Enter")
        await self.page.wait_for_url(re.compile("done=asked_again" if field == "button" else "done=corrected"))
        self.by_case.append((self.actions + 1 - before[0], self.typed - before[1]))

    async def go_on(self) -> None:
        here = self.page.url
        await self.press("Enter")
        await self.page.wait_for_url(lambda url: url != here)


async def test_a_clerk_clears_twenty_cases_with_two_keys_each_beside_what_is_typed(
    settings: Settings, page: Page
) -> None:
    papers = {paper.number: paper for paper in _papers()}
    async with counter(settings) as desk:
        await desk.house.behave("humana", state="garbage", times=2)
        for paper in papers.values():
            await _arrive(desk, paper)
        await page.goto(desk.signed_in())
        await expect(page.locator("#counts")).to_contain_text("20 need a person", timeout=30_000)
        clerk = Clerk(page)
        await clerk.press("j")
        await clerk.press("Enter")
        for left in range(len(papers) - 1, -1, -1):
            await page.wait_for_url(re.compile("/worklist/coverages/"))
            await page.wait_for_load_state()
            number = int(re.search(r"coverage_(\d+)", page.url)[1])  # type: ignore[index]
            await clerk.correct(papers.pop(number))
            if left:
                await clerk.go_on()
        await expect(page.locator("#next")).to_contain_text("No other needs a person")
        await expect(page.locator("#standing")).to_contain_text("Active")
        await page.goto(f"{desk.address}/worklist")
        await expect(page.locator("#counts")).to_contain_text("0 need a person")
        await expect(page.locator("#counts")).to_contain_text("20 active today")
    most = max(actions for actions, _ in clerk.by_case)
    print(f"20 cases: {clerk.actions} keys and no click, at most {most} a case; {clerk.typed} characters typed")
    assert most <= 3
    assert clerk.actions <= 2 * 20 + 2 + 2  # one more where a payer is picked, two to open the first


async def _one_case(desk: Counter, member_id: str = "W100000099") -> None:
    await desk.house.say(registered(), booked(), reported(member_id=member_id))
    await desk.house.verification("concluded" if member_id == "W100000001" else "with_person")


async def test_the_list_says_what_happens_while_one_looks_at_it(settings: Settings, page: Page) -> None:
    async with counter(settings) as desk:
        await page.goto(desk.signed_in())
        await expect(page.locator("#live")).to_have_text("Live")
        await expect(page.locator("#needs_person")).to_contain_text("Nothing at the moment.")
        assert "token" not in page.url
        await _one_case(desk)
        row = page.locator("#needs_person").get_by_role("row").filter(has_text="Eleanor Whitfield")
        await expect(row).to_contain_text("Check payer, name, birth date and member number against the card.")
        await expect(page.locator("#payers")).to_contain_text(re.compile(r"Aetna\s+Answering"))
        await expect(page.locator("#counts")).to_contain_text("1 needs a person")


async def test_what_comes_of_a_correction_appears_by_itself(settings: Settings, page: Page) -> None:
    async with counter(settings) as desk:
        await desk.house.behave("aetna", state="slow", seconds=0.8, times=2)
        await _one_case(desk)
        await page.goto(desk.signed_in(path=CASE))
        await expect(page.get_by_label("Member number")).to_be_focused()
        await page.keyboard.type("W100000001")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status").filter(has_text="Corrected")).to_be_visible()
        await expect(page.locator("#standing")).to_contain_text("Being asked now")
        await expect(page.locator("#standing")).to_contain_text("Active")
        await expect(page.locator("#benefits")).to_contain_text("Mental health")
        await expect(page.locator("#changes")).to_contain_text("Corrected: member number")


async def test_a_figure_shows_the_segment_it_rests_on(settings: Settings, page: Page) -> None:
    async with counter(settings) as desk:
        await _one_case(desk, "W100000001")
        await page.goto(desk.signed_in(path=CASE))
        await page.get_by_role("row", name="Mental health").get_by_role("link", name="$25.00").click()
        meant = page.locator(".segments .meant")
        await expect(meant).to_have_count(1)
        await expect(meant).to_contain_text("EB*B*IND*MH^A6^CF***27*25.00")
        await expect(meant).to_be_in_viewport()


async def test_lines_are_gone_through_by_key_and_keys_can_be_switched_off(settings: Settings, page: Page) -> None:
    async with counter(settings) as desk:
        papers = list(_papers())[:3]
        for paper in papers:
            await _arrive(desk, paper)
        await page.goto(desk.signed_in())
        await expect(page.locator("#counts")).to_contain_text("3 need a person")
        names = await page.locator("[data-row] .who").all_text_contents()
        for key, name in (("j", names[0]), ("j", names[1]), ("j", names[2]), ("j", names[2]), ("k", names[1])):
            await page.keyboard.press(key)
            await expect(page.get_by_role("link", name=name)).to_be_focused()
        await page.keyboard.press("/")
        await expect(page.get_by_role("combobox", name="Payer")).to_be_focused()
        await page.keyboard.type("?j")
        await expect(page.get_by_role("combobox", name="Payer")).to_have_value("?j")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keys")
        await expect(keys).to_be_visible()
        await keys.get_by_label("Single keys work").uncheck()
        await page.keyboard.press("Escape")
        await page.reload()
        await page.keyboard.press("j")
        await expect(page.get_by_role("link", name=names[0])).not_to_be_focused()
        await page.get_by_role("button", name="Keys").click()
        await keys.get_by_label("Single keys work").check()
        await page.keyboard.press("Escape")
        await page.keyboard.press("j")
        await expect(page.get_by_role("link", name=names[0])).to_be_focused()


async def test_nothing_that_is_typed_and_nobodys_name_gets_into_an_address(settings: Settings, page: Page) -> None:
    async with counter(settings) as desk:
        await _one_case(desk)
        visited: list[str] = []
        page.on("request", lambda request: visited.append(request.url))
        await page.goto(desk.signed_in())
        await page.get_by_role("combobox", name="Payer").fill("Whitfield")
        await page.keyboard.press("Enter")
        await page.get_by_text("No payer that can be asked is called like that.").wait_for()
        await page.get_by_role("link", name="Eleanor Whitfield").click()
        await page.get_by_label("Birth date").fill("31/31/1984")
        await page.get_by_role("button", name="Correct and ask again").click()
        await expect(page.get_by_text("There is no such day.")).to_be_visible()
        await expect(page.get_by_label("Birth date")).to_be_focused()
        assert visited and not re.search(r"(?i)whitfield|eleanor|1984|W1000000|31%2F", " ".join(visited))


async def test_without_javascript_a_case_is_cleared_all_the_same(settings: Settings, browser: Browser) -> None:
    async with counter(settings) as desk:
        await _one_case(desk)
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        address = desk.signed_in()
        await page.goto(f"{desk.address}/worklist")
        await page.get_by_label("token").fill(address.partition("token=")[2])
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("link", name="Eleanor Whitfield").click()
        await page.get_by_label("Member number").fill("W100000001")
        await page.get_by_role("button", name="Correct and ask again").click()
        await expect(page.get_by_text("Corrected, and the payer is asked again.")).to_be_visible()
        await desk.house.verification("concluded")
        await page.reload()
        await page.get_by_role("row", name="Mental health").get_by_role("link", name="$25.00").click()
        await expect(page.locator("li:target")).to_contain_text("EB*B*IND*MH")
        await context.close()


async def test_an_update_leaves_what_is_being_typed_and_the_focus_where_they_are(
    settings: Settings, page: Page
) -> None:
    async with counter(settings) as desk:
        await _one_case(desk)
        await page.goto(desk.signed_in(path=CASE))
        await expect(page.locator("#live")).to_have_text("Live")
        await page.get_by_label("Member number").fill("W10000")
        for paper in list(_papers())[1:3]:
            await _arrive(desk, paper)
        await expect(page.locator("#next")).to_contain_text("3 need a person")
        await expect(page.get_by_label("Member number")).to_be_focused()
        await expect(page.get_by_label("Member number")).to_have_value("W10000")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_read_and_use_the_pages(
    settings: Settings, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    async with counter(settings) as desk:
        await desk.house.say(
            registered("Naomi Prescott", date(1977, 5, 31)), booked(), reported(member_id="W100000019")
        )
        await desk.house.verification("concluded")
        await _arrive(desk, next(_papers()))
        context = await browser.new_context(color_scheme=scheme)
        page = await context.new_page()
        await page.goto(desk.signed_in())
        await expect(page.locator("#counts")).to_contain_text("1 needs a person")
        for path in ("/worklist", CASE):
            await page.goto(f"{desk.address}{path}")
            await expect(page.locator("#live")).to_have_text("Live")
            assert await page.evaluate(FAULTS) == []
        await page.get_by_label("Birth date").fill("soon")
        await page.get_by_role("button", name="Correct and ask again").click()
        await page.get_by_text("Month, day and year are needed").wait_for()
        assert await page.evaluate(FAULTS) == []
        await context.close()


async def test_on_a_phone_nothing_is_cut_off(settings: Settings, browser: Browser) -> None:
    async with counter(settings) as desk:
        await _one_case(desk, "W100000001")
        context = await browser.new_context(viewport=PHONE)
        page = await context.new_page()
        for path in ("/worklist", CASE):
            await page.goto(desk.signed_in(path=path))
            await page.get_by_text("Eleanor Whitfield").first.wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await context.close()
