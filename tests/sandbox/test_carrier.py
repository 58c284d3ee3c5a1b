"""The SMS carrier: its API, its signed callbacks, what people text back, and how it fails."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from sandbox.carrier.signature import sign
from tests.sandbox.listener import Listener, listener
from tests.sandbox.outside import Outside, outside
from tests.waiting import eventually

ACCOUNT, TOKEN = "AC" + "7" * 32, "the-token"
MESSAGES = f"/carrier/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
CLINIC, PERSON = "+13305550188", "+13305550123"
KNOBS = {"carrier_account": ACCOUNT, "carrier_token": TOKEN, "carrier_delivery_seconds": 0.02}


async def send(
    world: Outside, to: str = PERSON, body: str = "Your visit is on Monday", *, patience: float = 10, **more: str
) -> httpx.Response:
    form = {"To": to, "From": CLINIC, "Body": body, **more}
    return await world.http.post(MESSAGES, data=form, auth=(ACCOUNT, TOKEN), timeout=patience)


async def texts(world: Outside, to: str = PERSON) -> list[dict[str, Any]]:
    return (await world.http.get("/carrier/messages", params={"to": to})).json()["messages"]


async def statuses(heard: Listener, count: int) -> list[str]:
    return [post.form["MessageStatus"] for post in await heard.posts(count)]


async def behave(world: Outside, **conduct: Any) -> None:
    (await world.http.put("/control/carrier", json=conduct)).raise_for_status()


@pytest.mark.parametrize(
    ("caller", "expected"),
    [("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="), ("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")],
)
def test_a_callback_is_signed_as_the_real_carrier_signs_it(caller: str, expected: str) -> None:
    """The examples of the carrier's own documentation and client library."""
    parameters = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": caller,
        "Digits": "1234",
        "From": caller,
        "To": "+18005551212",
    }
    assert sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", parameters) == expected


async def test_a_message_is_accepted_sent_and_delivered_and_each_is_said_signed() -> None:
    async with outside(**KNOBS) as world, listener() as heard:
        callback = f"{heard.url}/status?message=m1"
        accepted = await send(world, StatusCallback=callback)
        assert accepted.status_code == 201
        message = accepted.json()
        assert (message["status"], message["to"], message["error_code"]) == ("queued", PERSON, None)
        assert await statuses(heard, 2) == ["sent", "delivered"]
        for post in heard.heard:
            assert post.target == "/status?message=m1"
            assert post.form["MessageSid"] == message["sid"]
            assert post.headers["x-twilio-signature"] == sign(TOKEN, callback, post.form)
        fetched = await world.http.get(f"{MESSAGES[:-5]}/{message['sid']}.json", auth=(ACCOUNT, TOKEN))
        assert fetched.json()["status"] == "delivered"


async def test_a_number_that_takes_no_texts_is_undelivered_with_its_code() -> None:
    async with outside(**KNOBS) as world, listener() as heard:
        await send(world, "+13305550199", StatusCallback=heard.url)
        assert await statuses(heard, 2) == ["sent", "undelivered"]
        assert heard.heard[1].form["ErrorCode"] == "30005"
        await world.http.put(f"/control/carrier/numbers/{PERSON}", json={"fate": "undelivered"})
        await send(world, StatusCallback=heard.url)
        assert (await statuses(heard, 4))[3] == "undelivered"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": "330 555 0123"}, 21211),
        ({"To": "+15005550009"}, 21614),
        ({"To": ""}, 21604),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"From": ""}, 21603),
        ({"From": "the clinic"}, 21212),
        ({"StatusCallback": "ftp://nowhere"}, 21609),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_carriers_code(form: dict[str, str], code: int) -> None:
    async with outside(**KNOBS) as world:
        refused = await world.http.post(
            MESSAGES, data={"To": PERSON, "From": CLINIC, "Body": "Hello", **form}, auth=(ACCOUNT, TOKEN)
        )
        assert (refused.status_code, refused.json()["code"]) == (400, code)
        assert not await texts(world)


async def test_nobody_sends_without_the_accounts_own_credentials() -> None:
    async with outside(**KNOBS) as world:
        form = {"To": PERSON, "From": CLINIC, "Body": "Hello"}
        assert (await world.http.post(MESSAGES, data=form)).status_code == 401
        assert (await world.http.post(MESSAGES, data=form, auth=(ACCOUNT, "guess"))).status_code == 401
        elsewhere = MESSAGES.replace(ACCOUNT, "AC" + "8" * 32)
        assert (await world.http.post(elsewhere, data=form, auth=(ACCOUNT, TOKEN))).status_code == 404


async def test_the_same_message_twice_is_two_messages() -> None:
    async with outside(**KNOBS) as world:
        sids = {(await send(world)).json()["sid"] for _ in range(2)}
        assert len(sids) == len(await texts(world)) == 2
        listed = await world.http.get(MESSAGES, params={"To": PERSON, "PageSize": 1}, auth=(ACCOUNT, TOKEN))
        assert len(listed.json()["messages"]) == 1


async def test_a_stop_is_confirmed_once_and_holds_until_a_start() -> None:
    async with outside(**KNOBS) as world, listener() as heard:

        async def says(body: str) -> Any:
            reply = {"from": PERSON, "to": CLINIC, "body": body, "url": f"{heard.url}/inbound"}
            answer = await world.http.post("/control/carrier/replies", json=reply)
            return answer.raise_for_status().json()["webhook_status"]

        assert await says("please stop calling me") == 204
        assert (await send(world)).status_code == 201
        assert await says(" stop ") == 204
        assert (await send(world)).json()["code"] == 21610
        assert [post.form["Body"] for post in heard.heard] == ["please stop calling me", " stop "]
        for post in heard.heard:
            assert post.headers["x-twilio-signature"] == sign(TOKEN, f"{heard.url}/inbound", post.form)
        assert [m["direction"] for m in await texts(world)] == ["outbound-reply", "outbound-api"]
        assert await says("START") == 204
        assert (await send(world)).status_code == 201


async def test_a_reply_goes_where_the_account_says_unless_told_otherwise() -> None:
    async with listener() as heard, outside(**KNOBS, carrier_inbound_url=f"{heard.url}/usual") as world:
        await world.http.post("/control/carrier/replies", json={"from": PERSON, "to": CLINIC, "body": "Yes"})
        assert [post.target for post in heard.heard] == ["/usual"]


async def test_a_callback_to_nobody_is_lost_and_the_message_delivered_all_the_same() -> None:
    async with outside(**KNOBS) as world:
        await send(world, StatusCallback="http://127.0.0.1:9/nobody")

        async def delivered() -> bool:
            return [message["status"] for message in await texts(world)] == ["delivered"]

        await eventually(delivered)


@pytest.mark.parametrize(
    ("state", "status", "kept"), [("broken", 500, 0), ("throttled", 429, 0), ("forgetful", 500, 1)]
)
async def test_the_carrier_fails_on_request(state: str, status: int, kept: int) -> None:
    async with outside(**KNOBS) as world:
        await behave(world, state=state)
        assert (await send(world)).status_code == status
        assert len(await texts(world)) == kept
        await behave(world)
        assert (await send(world)).status_code == 201


async def test_a_hanging_carrier_takes_nothing_and_a_slow_one_in_its_time() -> None:
    async with outside(**KNOBS) as world:
        await behave(world, state="hanging")
        with pytest.raises(httpx.ReadTimeout):
            await send(world, patience=0.5)
        await behave(world, state="slow", seconds=0.1)
        slow, again = await asyncio.gather(send(world), send(world))
        assert (slow.status_code, again.status_code) == (201, 201)
        assert len(await texts(world)) == 2


async def test_texts_are_shown_on_a_page_that_runs_nothing_of_theirs() -> None:
    async with outside(**KNOBS) as world:
        await send(world, body="<script>alert(1)</script>")
        page = await world.http.get("/carrier")
        assert "&lt;script&gt;alert(1)" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
