"""Who may, by token and by cookie."""

from typing import Annotated

import pytest
from fastapi import FastAPI

from chassis.http import Actor, Role, requires
from tests.chassis.front_desk import ORIGIN, client, desk, token

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
AS_BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def clinic(*, pages: bool = True) -> FastAPI:
    app = desk(pages=pages)

    @app.get("/worklist")
    async def worklist(actor: Annotated[Actor, requires(Role.STAFF, Role.CLINICIAN)]) -> dict[str, str]:
        return {"actor": actor.name, "role": actor.role}

    @app.post("/flags")
    async def clear(actor: Annotated[Actor, requires(Role.CLINICIAN)]) -> dict[str, str]:
        return {"cleared_by": actor.name}

    return app


async def test_a_token_admits_its_actor_in_its_role():
    async with client(clinic(), Role.STAFF, actor="ines") as staff:
        assert (await staff.get("/worklist")).json() == {"actor": "ines", "role": "staff"}


async def test_without_a_token_one_is_told_to_send_one():
    async with client(clinic()) as nobody:
        answer = await nobody.get("/worklist")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["detail"] == "Send a bearer token in the Authorization header."


async def test_a_forged_token_is_refused_without_being_repeated():
    forged = token(Role.STAFF)[:-4] + "AAAA"
    async with client(clinic()) as nobody:
        answer = await nobody.get("/worklist", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert forged not in answer.text


async def test_another_role_is_told_which_roles_may():
    async with client(clinic(), Role.BILLING) as billing:
        answer = await billing.get("/worklist")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Your role is billing; this takes clinician or staff."


async def test_a_browser_is_sent_to_sign_in_and_comes_back_to_the_page_it_wanted():
    async with client(clinic()) as browser:
        sent = await browser.get("/worklist?owner=staff&age=2", headers=AS_BROWSER)
        assert sent.status_code == 303
        page = await browser.get(sent.headers["location"])
        assert 'name="next" value="/worklist?owner=staff&amp;age=2"' in page.text
        form = {"token": token(Role.STAFF), "next": "/worklist?owner=staff&age=2"}
        signed_in = await browser.post("/sign-in", data=form, headers=OWN_PAGE)
        assert signed_in.status_code == 303
        assert signed_in.headers["location"] == "/worklist?owner=staff&age=2"
        assert (await browser.get("/worklist", headers=AS_BROWSER)).json()["actor"] == "kim"


async def test_a_browser_in_another_role_is_told_so_on_the_sign_in_page():
    async with client(clinic(), Role.BILLING) as browser:
        sent = await browser.get("/worklist", headers=AS_BROWSER)
        page = await browser.get(sent.headers["location"])
    assert "not open to your role" in page.text


async def test_where_there_is_no_sign_in_page_a_browser_gets_the_problem():
    async with client(clinic(pages=False)) as browser:
        assert (await browser.get("/worklist", headers=AS_BROWSER)).status_code == 401
        assert (await browser.get("/sign-in")).status_code == 404


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites():
    async with client(clinic()) as browser:
        answer = await browser.post("/sign-in", data={"token": token(Role.STAFF)}, headers=OWN_PAGE)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("stillwater_token=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_a_wrong_token_leads_back_to_the_form_with_the_reason():
    async with client(clinic()) as browser:
        answer = await browser.post("/sign-in", data={"token": "hello", "next": "/worklist"}, headers=OWN_PAGE)
    assert answer.status_code == 401
    assert "not one that this clinic issued" in answer.text
    assert 'value="/worklist"' in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.test/x", "https://evil.test", "/\\evil.test", "/\t/evil.test", "javascript:alert(1)", "", "evil"],
)
async def test_signing_in_leads_to_no_other_site(elsewhere: str):
    async with client(clinic()) as browser:
        form = {"token": token(Role.STAFF), "next": elsewhere}
        answer = await browser.post("/sign-in", data=form, headers=OWN_PAGE)
    assert answer.headers["location"] == "/"


async def test_what_the_link_asks_for_cannot_break_out_of_the_sign_in_page():
    async with client(clinic()) as browser:
        page = await browser.get("/sign-in", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": ORIGIN}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_change_by_cookie_has_to_come_from_our_own_pages(headers: dict[str, str], status: int):
    async with client(clinic()) as browser:
        browser.cookies.set("stillwater_token", token(Role.CLINICIAN))
        assert (await browser.post("/flags", headers=headers)).status_code == status


async def test_a_change_by_bearer_token_may_come_from_anywhere():
    async with client(clinic(), Role.CLINICIAN) as machine:
        assert (await machine.post("/flags")).json() == {"cleared_by": "kim"}


async def test_signing_out_forgets_who_one_was():
    async with client(clinic()) as browser:
        await browser.post("/sign-in", data={"token": token(Role.STAFF)}, headers=OWN_PAGE)
        await browser.post("/sign-out", headers=OWN_PAGE)
        assert (await browser.get("/worklist")).status_code == 401


async def test_nothing_but_the_doors_for_everybody_opens_without_a_token():
    app = clinic()
    async with client(app) as nobody:
        closed = {
            path
            for path in ("/openapi.json", "/access-log", "/worklist")
            if (await nobody.get(path)).status_code == 401
        }
    assert closed == {"/openapi.json", "/access-log", "/worklist"}
