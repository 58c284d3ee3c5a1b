"""The mailbox: takes mail for anybody over SMTP, shows it, and fails on request."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest

from tests.sandbox.outside import Outside, outside

PERSON = "Ada.Byron@Example.com"


def letter(
    subject: str = "Your visit", text: str = "See you on Monday", *, id: str = "<1@clinic.test>"
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "clinic@example.org", PERSON, subject
    message["Message-ID"] = id
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p><script>alert(1)</script>", subtype="html")
    return message


async def send(world: Outside, message: EmailMessage | None = None, *, patience: float = 10) -> None:
    port = world.world.smtp_port
    await aiosmtplib.send(message or letter(), hostname="127.0.0.1", port=port, timeout=patience, start_tls=False)


async def letters(world: Outside, to: str = PERSON) -> list[dict[str, Any]]:
    return (await world.http.get("/mailbox/messages", params={"to": to})).json()["messages"]


async def behave(world: Outside, **conduct: Any) -> None:
    (await world.http.put("/control/mailbox", json=conduct)).raise_for_status()


async def test_a_letter_is_kept_as_it_was_sent() -> None:
    async with outside() as world:
        await send(world, letter("Dein Termin für März", "Grüße – bis Montag"))
        [kept] = await letters(world)
        assert (kept["subject"], kept["text"].strip()) == ("Dein Termin für März", "Grüße – bis Montag")
        assert (kept["message_id"], kept["to"]) == ("<1@clinic.test>", [PERSON.lower()])
        assert not await letters(world, "somebody.else@example.com")


async def test_the_same_letter_twice_is_two_letters() -> None:
    async with outside() as world:
        for _ in range(2):
            await send(world)
        assert [kept["message_id"] for kept in await letters(world)] == ["<1@clinic.test>"] * 2


async def test_a_letter_is_read_on_a_page_that_runs_nothing_of_it() -> None:
    async with outside() as world:
        await send(world, letter("<b>Subject</b>"))
        [kept] = await letters(world)
        page = await world.http.get(f"/mailbox/{kept['id']}")
        assert "&lt;b&gt;Subject" in page.text
        assert "<script" not in page.text
        assert "<iframe sandbox " in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "&lt;b&gt;Subject" in (await world.http.get("/mailbox")).text
        assert (await world.http.get("/mailbox/999")).status_code == 404


async def test_only_the_latest_letters_are_kept_and_all_are_counted() -> None:
    async with outside(mailbox_messages_kept=2) as world:
        for number in range(3):
            await send(world, letter(f"Letter {number}"))
        seen = (await world.http.get("/mailbox/messages")).json()
        assert seen["accepted"] == 3
        assert [kept["subject"] for kept in seen["messages"]] == ["Letter 2", "Letter 1"]


@pytest.mark.parametrize(("state", "code"), [("deferring", 451), ("refusing", 550)])
async def test_the_server_refuses_for_now_or_for_good(state: str, code: int) -> None:
    async with outside() as world:
        await behave(world, state=state)
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await send(world)
        assert [answer.code for answer in refused.value.recipients] == [code]
        await behave(world, state=state, recipient="somebody.else@example.com")
        await send(world)
        assert len(await letters(world)) == 1


async def test_a_forgetful_server_takes_the_letter_and_hangs_up() -> None:
    async with outside() as world:
        await behave(world, state="forgetful")
        with pytest.raises(aiosmtplib.SMTPException):
            await send(world)
        assert len(await letters(world)) == 1


async def test_a_hanging_server_takes_nothing_and_a_slow_one_in_its_time() -> None:
    async with outside() as world:
        await behave(world, state="hanging")
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await send(world, patience=0.5)
        assert not await letters(world)
        await behave(world, state="slow", seconds=0.1)
        await send(world)
        assert len(await letters(world)) == 1


async def test_no_letter_is_larger_than_the_server_says() -> None:
    async with outside() as world:
        with pytest.raises(aiosmtplib.SMTPException):
            await send(world, letter(text="x" * 11_000_000))
        assert not await letters(world)
