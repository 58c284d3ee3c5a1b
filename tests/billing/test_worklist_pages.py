"""The worklist over HTTP: what needs a person, one coverage with its evidence, and a correction in one step."""

import re
from datetime import date
from html import unescape
from typing import Any, cast

import asyncpg
import httpx
import pytest

from billing.clinic import load_clinic
from billing.paging import Place
from billing.payers.directory import load_payers
from billing.worklist.filter import NO_PAYER, Age, Filter, Shown
from billing.worklist.overview import Overview
from billing.worklist.rendering import Desk
from chassis.http import Role
from contracts.billing import CoverageChanged, CoverageVerified, Owner
from tests.billing.house import PATIENT, House, Settings, booked, house, registered, reported
from tests.chassis.front_desk import ORIGIN, client, token

pytestmark = pytest.mark.engines

CASE = "/worklist/coverages/coverage_1"
WRONG_NUMBER = "W100000099"


async def _page(clinic: House, path: str, role: Role = Role.BILLING) -> str:
    async with client(clinic.service.http, role, actor="Nell Carver") as reader:
        return unescape((await reader.get(path)).raise_for_status().text)


def _fields(page: str) -> dict[str, str]:
    """What the correction form would send as it stands."""
    form = re.search(r'<form class="correction".*?</form>', page, re.DOTALL)
    assert form is not None
    tags = [tag for tag in re.findall(r"<input [^>]*>", form[0]) if "radio" not in tag]
    return {_attribute(tag, "name"): _attribute(tag, "value") for tag in tags}


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    return found[1] if found else ""


async def _send(clinic: House, path: str, role: Role = Role.BILLING, **fields: str) -> httpx.Response:
    async with client(clinic.service.http, role, actor="Nell Carver") as biller:
        return await biller.post(path, data=fields)


async def _correct(clinic: House, **typed: str) -> httpx.Response:
    stands = _fields(await _page(clinic, CASE))
    return await _send(clinic, f"{CASE}/correction", **{**stands, **typed})


async def _needs_person(clinic: House, **facts: Any) -> None:
    await clinic.say(registered(), booked(), reported(**{"member_id": WRONG_NUMBER, **facts}))
    await clinic.verification("with_person")


# The list


async def test_each_stands_in_the_list_it_belongs_to_with_what_to_do(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        page = await _page(clinic, "/worklist?state=needs_person")
        assert "Eleanor Whitfield" in page and "<b>1</b> needs a person" in page
        assert "Check payer, name, birth date and member number against the card." in page
        await _correct(clinic, member_id="W100000001")
        await clinic.verification("concluded")
        page = await _page(clinic, "/worklist?state=concluded")
        assert "Eleanor Whitfield" in page and "<b>0</b> need a person" in page and "1 active today" in page
        assert "Eleanor Whitfield" not in await _page(clinic, "/worklist?state=needs_person")


async def test_a_list_goes_on_where_its_page_ends_and_shows_each_once(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _many(clinic, 120)
        address, seen = "/worklist?state=needs_person&owner=staff", list[str]()
        while address:
            page = await _page(clinic, address)
            found = re.findall(r'class="who" href="/worklist/coverages/(\w+)', page)
            assert len(found) <= 50
            seen += found
            following = re.search(r'href="([^"]*after=[^"]*)">The next ones', page)
            address = following[1] if following else ""
        assert seen == [f"coverage_{number:04}" for number in range(120)]


async def test_a_filter_stands_in_the_address(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        for query, found in {
            "payer=60054": True,
            "payer=62308": False,
            "payer=62308&payer=60054": True,
            "owner=patient": True,
            "owner=payer": False,
            "age=1h": False,
            "state=waiting": False,
        }.items():
            assert ("Eleanor Whitfield" in await _page(clinic, f"/worklist?{query}")) is found, query


async def test_a_payer_that_is_looked_for_gets_into_the_address_as_its_id_alone(settings: Settings) -> None:
    async with house(settings) as clinic:
        for typed, address in {
            "atena": "/worklist?owner=staff&payer=60054",
            "Eleanor Whitfield": "/worklist?owner=staff&sought=nothing",
            " ": "/worklist?owner=staff",
        }.items():
            answer = await _send(clinic, "/worklist/payer?owner=staff&payer=62308", payer=typed)
            assert (answer.status_code, answer.headers["location"]) == (303, address)
        assert "No payer that can be asked is called like that." in await _page(clinic, "/worklist?sought=nothing")


async def test_every_query_of_the_list_goes_by_an_index(settings: Settings) -> None:
    """Among many that are over and done with, none is looked at without need."""
    async with house(settings) as clinic:
        await _many(clinic, 30)
        await _many_concluded(clinic, 20_000)
        async with clinic.service.database.connection() as connection:
            await connection.execute("ANALYZE verification")
            reader = Explaining(connection)
            desk = Desk.of(load_clinic(), clinic.service.clock, load_payers(), None)
            for shows in (
                Filter(),
                Filter(owner=Owner.STAFF, shown=Shown.NEEDS_PERSON),
                Filter(payers=("60054",)),
                Filter(payers=(NO_PAYER,), age=Age.DAY),
                Filter(shown=Shown.CONCLUDED, payers=("60054",), after=Place(clinic.service.clock.now(), "v")),
            ):
                await Overview(shows, desk).render(cast("asyncpg.Connection", reader))
        assert reader.plans and not [plan for plan in reader.plans if "Seq Scan on verification" in plan]


# One coverage


async def test_figures_stand_beside_the_segments_they_rest_on(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.verification("concluded")
        page = await _page(clinic, CASE)
        figure = re.search(r'<a class="figure" href="#segment-(\d+)"[^>]*>\$1,500.00</a>', page)
        assert figure is not None
        line = re.search(rf'<li id="segment-{figure[1]}".*?</li>', page, re.DOTALL)
        assert line is not None and "EB*C*IND*30***23*1500.00*****Y" in line[0]
        assert "Deductible, individual, calendar year: $1,500.00, in network" in line[0]


async def test_what_the_payer_did_not_say_is_unknown_and_never_nothing(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered("Naomi Prescott", date(1977, 5, 31)), booked(), reported(member_id="W100000019"))
        await clinic.verification("concluded")
        page = await _page(clinic, CASE)
        assert "unknown: the payer did not say" in page and "unknown: segments differ" in page
        assert "$0.00" not in page and ">no<" not in page


async def test_while_nothing_is_known_it_says_so_and_why(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        page = await _page(clinic, CASE)
        assert re.search(r"Unknown</span> <span>because the payer could not answer", page)
        assert "Unknown: there is no answer yet that says so." in page


async def test_an_answer_that_is_too_large_to_read_in_a_moment_is_not_shown(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.verification("concluded")
        async with clinic.service.database.connection() as connection:
            await connection.execute("UPDATE question SET answer = convert_to(repeat('EB*1~', 100000), 'UTF8')")
        page = await _page(clinic, CASE)
        assert "It is too large to be shown here: 488 KB." in page and "$1,500.00" in page


async def test_staff_see_it_and_cannot_change_it(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        page = await _page(clinic, CASE, Role.STAFF)
        assert "<form class" not in page.partition("<main")[2] and "ISA*" not in page
        for path in ("correction", "ask-again"):
            assert (await _send(clinic, f"{CASE}/{path}", Role.STAFF)).status_code == 403
        for role in (Role.CLINICIAN, Role.AUDITOR):
            async with client(clinic.service.http, role) as reader:
                assert (await reader.get(CASE)).status_code == 403


async def test_every_look_and_every_change_is_recorded_with_who_and_when(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        await _page(clinic, "/worklist")
        assert (await _correct(clinic, member_id="W100000001")).status_code == 303
        async with client(clinic.service.http, Role.AUDITOR) as auditor:
            log = (await auditor.get("/access-log", params={"subject": PATIENT})).json()["accesses"]
        assert {"worklist", "coverage", "coverage_corrected"} <= {
            one["what"] for one in log if one["actor"] == "Nell Carver"
        }
        page = await _page(clinic, CASE)
        assert re.search(r"<b>Corrected</b>: member number<span class=\"because\">Nell Carver, ", page)


async def test_a_coverage_that_is_not_there_is_not_found(settings: Settings) -> None:
    async with house(settings) as clinic, client(clinic.service.http, Role.BILLING) as biller:
        for path in ("", "/correction", "/ask-again"):
            call = biller.post if path else biller.get
            assert (await call(f"/worklist/coverages/coverage_9{path}")).status_code == 404


async def test_what_changed_between_two_answers_waits_for_somebody_until_it_is_done(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.verification("concluded")
        eleanor = {"payer": "aetna", "member_id": "W100000001", "first": "Eleanor", "last": "Whitfield"}
        await clinic.outside.post(
            "/control/members", json={**eleanor, "born": "1984-03-12", "scenario": "authorization_required"}
        )
        await _send(clinic, f"{CASE}/ask-again", forced="true")
        await clinic.streams.heard(CoverageChanged)
        listed = await _page(clinic, "/worklist?state=changed")
        assert "<b>1</b> changed" in listed and "Aetna wants an authorization now for" in listed
        page = await _page(clinic, CASE)
        assert re.search("authorization: needed, before not (needed|known)", page)
        done = re.search(r'action="([^"]*/changes/\d+/done[^"]*)"', page)
        assert done is not None
        assert (await _send(clinic, done[1], Role.STAFF)).status_code == 403
        assert (await _send(clinic, done[1])).status_code == 303
        assert "<b>0</b> changed" in await _page(clinic, "/worklist")
        assert "done by Nell Carver" in await _page(clinic, CASE)
        assert (await _send(clinic, f"{CASE}/changes/999/done")).status_code == 404


async def test_which_of_two_insurances_pays_first_is_said_by_a_person(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported(), reported("Cigna", "U1000000003", id="coverage_2"))
        await clinic.verification("concluded")
        assert "Pays after the other" in await _page(clinic, CASE)
        for _ in range(2):
            assert (await _send(clinic, f"{CASE}/order", order="primary")).status_code == 303
        page = await _page(clinic, CASE)
        assert ">Pays first<span" in page and page.count("Said which insurance pays first") == 1
        assert "Cigna" in page and "/worklist/coverages/coverage_2" in page


# Correcting


async def test_a_correction_asks_again_and_leads_back_by_a_redirect(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        answer = await _correct(clinic, member_id="W100000001")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{CASE}?done=corrected")
        await clinic.streams.heard(CoverageVerified)
        assert "Active" in await _page(clinic, CASE)


async def test_what_cannot_be_taken_is_said_beside_its_field_and_what_was_typed_is_kept(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        for field, text, message in [
            ("birth_date", "31/31/1984", "There is no such day."),
            ("birth_date", "in March", "Month, day and year are needed"),
            ("birth_date", "03/12/1850", "The year is 1900 or later."),
            ("name", "Cher", "A first and a last name are needed, in letters."),
            ("member_id", " ", "The member number is needed."),
            ("member_id", "9" * 81, "At most 80 characters."),
            ("payer", "blue cross", "It is not clear which payer this is."),
            ("payer", "", "The payer is needed"),
        ]:
            typed = {"holder": "Ruth Whitfield", field: text}
            answer = await _correct(clinic, **typed)
            page = unescape(answer.text)
            assert answer.status_code == 422
            assert re.search(rf'<p class="fault" id="{field}-says">{re.escape(message)}', page), message
            assert {name: _fields(page)[name] for name in typed} == typed
        assert "Nothing here differs from what was asked." in (await _correct(clinic)).text
        assert (await clinic.coverages())[0]["member_id"] == WRONG_NUMBER


async def test_a_payer_is_picked_from_those_that_may_be_meant(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic, payer="blue cross", member_id="W100000001")
        assert 'name="payer_id" value="00332"' in await _page(clinic, CASE)
        assert (await _correct(clinic, payer_id="00332")).status_code == 303
        assert (await clinic.coverages())[0]["payer_id"] == "00332"


async def test_a_form_that_is_sent_twice_corrects_once(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.behave("aetna", state="slow", seconds=0.5)
        await _needs_person(clinic)
        sent = {**_fields(await _page(clinic, CASE)), "member_id": "W100000001"}
        first = await _send(clinic, f"{CASE}/correction", **sent)
        second = await _send(clinic, f"{CASE}/correction", **sent)
        assert first.headers["location"] == second.headers["location"]
        async with client(clinic.service.http, Role.BILLING) as biller:
            changes = (await biller.get("/coverages/coverage_1/changes")).json()["changes"]
        assert len(changes) == 1


async def test_who_was_overtaken_by_somebody_else_is_told_and_overwrites_nothing(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        opened = _fields(await _page(clinic, CASE))
        await _correct(clinic, member_id="W100000001")
        late = await _send(clinic, f"{CASE}/correction", **{**opened, "member_id": "W100000077"})
        assert late.status_code == 422 and "Somebody has changed this coverage since you opened it." in late.text
        assert _fields(late.text)["member_id"] == "W100000077"
        assert (await clinic.coverages())[0]["member_id"] == "W100000001"


async def test_what_was_answered_today_is_asked_again_only_if_that_is_wanted(settings: Settings) -> None:
    async with house(settings) as clinic:
        await clinic.say(registered(), booked(), reported())
        await clinic.verification("concluded")
        refused = await _send(clinic, f"{CASE}/ask-again")
        assert refused.status_code == 409 and "Ask again all the same" in refused.text
        assert (await _send(clinic, f"{CASE}/ask-again", forced="true")).status_code == 303
        await clinic.streams.heard(CoverageVerified, 2)


async def test_the_next_that_needs_a_person_follows_in_the_order_of_the_list(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _many(clinic, 3)
        following = [await _next(clinic, f"coverage_{number:04}") for number in range(3)]
        assert following == ["coverage_0001", "coverage_0002", "coverage_0000"]
        assert await _next(clinic, "coverage_0000", "?payer=60054") is None


async def test_a_change_from_another_sites_page_is_refused(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _needs_person(clinic)
        async with client(clinic.service.http) as browser:
            browser.cookies.set("stillwater_token", token(Role.BILLING))
            for site, status in (("cross-site", 403), ("same-origin", 303)):
                answer = await browser.post(
                    f"{CASE}/ask-again", headers={"Sec-Fetch-Site": site, "Origin": ORIGIN}, follow_redirects=False
                )
                assert answer.status_code == status


async def test_whoever_has_not_signed_in_is_led_there_and_back(settings: Settings) -> None:
    async with house(settings) as clinic, client(clinic.service.http) as browser:
        answer = await browser.get("/worklist?owner=staff", headers={"Accept": "text/html"})
        assert answer.headers["location"] == "/sign-in?next=%2Fworklist%3Fowner%3Dstaff"


# Helpers of these tests


class Explaining:
    """A connection that keeps how each of its queries is carried out."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.plans: list[str] = []

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        rows = await self._connection.fetch(f"EXPLAIN {query}", *arguments)
        self.plans.append("\n".join(row[0] for row in rows))
        return await self._connection.fetch(query, *arguments)


async def _next(clinic: House, coverage_id: str, query: str = "") -> str | None:
    page = await _page(clinic, f"/worklist/coverages/{coverage_id}{query}")
    found = re.search(r'class="onward" href="/worklist/coverages/(\w+)', page)
    return found[1] if found else None


_OPEN = """
WITH numbers AS (SELECT generate_series(0, $1 - 1) AS n), covered AS (
    INSERT INTO coverage (coverage_id, patient_id, payer_stated, payer_confidence, member_id, source, reported_at)
    SELECT 'coverage_' || to_char(n, 'FM0000'), 'patient_' || n, 'blue cross', 0.7, 'W1', 'typed', $2 FROM numbers)
INSERT INTO verification (verification_id, coverage_id, patient_id, payer, service_date, service_types, reason, state,
    outcome, cause_code, cause, owner, to_do, requested_at)
SELECT 'verification_' || to_char(n, 'FM0000'), 'coverage_' || to_char(n, 'FM0000'), 'patient_' || n, 'blue cross',
    '2027-03-04', '{}', 'reported', 'with_person', 'undetermined', 'payer_unknown',
    'It is not clear which payer this is.', 'staff', 'Pick the payer.', $2::timestamptz + (n / 7) * interval '1 s'
FROM numbers
"""
_CONCLUDED = """
INSERT INTO verification (verification_id, coverage_id, patient_id, payer_id, payer, service_date, service_types,
    reason, state, outcome, requested_at, concluded_at)
SELECT 'verification_done_' || n, 'coverage_0000', 'patient_0', '60054', 'Aetna', '2027-03-04', '{}', 'reported',
    'concluded', 'active', $2::timestamptz - n * interval '1 min', $2::timestamptz - n * interval '1 min'
FROM generate_series(1, $1) AS n
"""


async def _many(clinic: House, count: int) -> None:
    """So many that need a person, several of them since the same moment."""
    async with clinic.service.database.connection() as connection:
        await connection.execute(_OPEN, count, clinic.service.clock.now())


async def _many_concluded(clinic: House, count: int) -> None:
    async with clinic.service.database.connection() as connection:
        await connection.execute(_CONCLUDED, count, clinic.service.clock.now())
