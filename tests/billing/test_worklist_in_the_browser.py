"""The worklist in a real browser: twenty cases cleared, live, by keyboard, on a phone, without scripts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.billing.counter import Counter, counter, patient
from tests.billing.house import Settings, booked, registered, reported

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


def _papers() -> Iterator[Paper]:
    """As a clinic has them: a digit misread, a number left out, a payer half named, a birthday mistaken."""
    last = ["Abbot", "Brandt", "Castle", "Dorsey", "Ellison", "Farrow", "Griggs", "Hobart", "Ingram", "Jarvis"]
    last += ["Keating", "Larkin", "Mercer", "Norwood", "Osgood", "Pryor", "Quimby", "Rowley", "Sexton", "Tilden"]
    kinds = [("member_id", "wrong")] * 6 + [("member_id", "")] * 3 + [("birth_date", "wrong")] * 4
    kinds += [("birth_date", "")] * 2 + [("name", "wrong")] * 2 + [("payer", "blue cross")] * 2 + [("payer", "Zenith")]
    for number, ((wrong, instead), family) in enumerate(zip(kinds, last, strict=True), 1):
        anthem = instead == "blue cross"
        yield Paper(
            number,
            "Robin",
            family,
            date(1970 + number, 1 + number % 12, 1 + number),
            f"JQU200M{number:05}" if anthem else f"W2000000{number:02}",
            "anthem_oh" if anthem else "aetna",
            "Anthem Blue Cross and Blue Shield Ohio" if anthem else "Aetna",
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
        else:
            await self.type(paper.facts[field])
        await self.press("Enter")
        await self.page.wait_for_url(re.compile("done=corrected"))
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
