"""A program asks about somebody's insurance: in line, later, told, once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from billing.eligibility.telling import checked
from chassis.http import Role
from chassis.outside import OutsideRefused
from chassis.tokens import issue
from contracts.billing import CoverageVerified, VerificationRequested
from tests.billing.house import House, Settings, house
from tests.chassis.front_desk import ORIGIN
from tests.services import TOKEN_KEY
from tests.waiting import eventually

pytestmark = pytest.mark.engines

ELEANOR = {"payer": "Aetna", "member_id": "W100000001", "name": "Eleanor Whitfield", "birth_date": "1984-03-12"}
GRACE = {"payer": "UHC", "member_id": "900000007", "name": "Grace Nakamura", "birth_date": "1988-12-01"}
SECRET = "whsec_0123456789abcdefghijklmn"


@asynccontextmanager
async def program(
    clinic: House, *scopes: str, name: str = "engine-1", role: Role = Role.ENGINE
) -> AsyncGenerator[httpx.AsyncClient]:
    token = issue(TOKEN_KEY, name, role, timedelta(hours=1), scopes)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(clinic.service.http),
        base_url=ORIGIN,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    ) as http:
        yield http


async def test_a_quick_payers_answer_is_in_line_and_nothing_is_said_on_the_streams(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask") as asker:
        answer = await asker.post("/eligibility", json=ELEANOR)
        assert answer.status_code == 200
        whole = answer.json()
        assert whole["complete"] is True
        assert whole["verification"]["outcome"] == "active"
        assert whole["verification"]["service_date"] == "2027-03-02"
        assert whole["verification"]["services"][0]["cost"]["segments"]
        assert (await asker.get(answer.headers["Location"])).json() == whole
        assert not await clinic.streams.heard(VerificationRequested, 0)
        assert not await clinic.streams.heard(CoverageVerified, 0)


async def test_a_rejection_is_undetermined_with_its_cause_and_owner_and_nobodys_task(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask") as asker:
        answer = await asker.post("/eligibility", json=GRACE)
        found = answer.json()["verification"]
        assert answer.status_code == 200
        assert (found["outcome"], found["cause_code"], found["owner"]) == ("undetermined", "aaa_75", "patient")
        assert (found["state"], found["to_do"]) == ("concluded", None)


async def test_a_slow_payers_answer_comes_later_at_the_same_place(settings: Settings) -> None:
    async with house(settings, ask_timeout_seconds=10) as clinic, program(clinic, "eligibility:ask") as asker:
        await clinic.behave("aetna", state="slow", seconds=1)
        pending = await asker.post("/eligibility", json=ELEANOR, params={"wait_seconds": 0})
        assert (pending.status_code, pending.json()["complete"]) == (202, False)
        assert pending.json()["verification"]["outcome"] is None
        later = await asker.get(pending.headers["Location"], params={"wait_seconds": 20})
        assert (later.status_code, later.json()["verification"]["outcome"]) == (200, "active")


async def test_a_repeat_with_the_same_key_asks_nothing_twice_and_another_question_under_it_is_refused(
    settings: Settings,
) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask") as asker:
        key = {"Idempotency-Key": "3f0c"}
        both = await asyncio.gather(*(asker.post("/eligibility", json=ELEANOR, headers=key) for _ in range(3)))
        assert {one.json()["id"] for one in both} == {both[0].json()["id"]}
        assert len(await clinic.asked()) == 1
        other = await asker.post("/eligibility", json=GRACE, headers=key)
        assert other.status_code == 422


async def test_what_was_answered_today_is_asked_again_only_if_that_is_wanted(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask") as asker:
        first = (await asker.post("/eligibility", json=ELEANOR)).json()
        same = await asker.post(
            "/eligibility", json=ELEANOR | {"member_id": "w1000-00001", "service_date": "2027-03-02"}
        )
        assert (same.status_code, same.json()) == (200, first)
        assert len(await clinic.asked()) == 1
        forced = await asker.post("/eligibility", json=ELEANOR | {"forced": True})
        assert forced.json()["id"] != first["id"]
        another_day = await asker.post("/eligibility", json=ELEANOR | {"service_date": "2027-03-09"})
        assert another_day.json()["id"] not in (first["id"], forced.json()["id"])
        assert len(await clinic.asked()) == 3
        async with program(clinic, "eligibility:ask", name="engine-2") as another:
            assert (await another.post("/eligibility", json=ELEANOR)).json()["id"] != first["id"]
        clinic.service.clock.travel(timedelta(days=1))
        tomorrow = await asker.post("/eligibility", json=ELEANOR | {"service_date": "2027-03-03"})
        assert tomorrow.json()["verification"]["service_date"] == "2027-03-03"
        assert len(await clinic.asked()) == 5


async def test_the_same_question_at_once_is_one(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask") as asker:
        all = await asyncio.gather(*(asker.post("/eligibility", json=ELEANOR) for _ in range(5)))
        assert len({one.json()["id"] for one in all}) == 1
        assert len(await clinic.asked()) == 1


async def test_whom_a_program_asks_about_is_nobody_elses_to_read(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask", "coverages:read") as asker:
        assert (await asker.post("/eligibility", json=ELEANOR)).status_code == 200
        assert (await asker.get("/coverages")).json()["coverages"] == []


async def test_a_question_is_seen_by_whoever_asked_it_and_by_billing_staff_alone(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask") as asker:
        where = (await asker.post("/eligibility", json=ELEANOR)).headers["Location"]
        async with program(clinic, "eligibility:ask", name="engine-2") as another:
            assert (await another.get(where)).status_code == 404
        async with program(clinic, role=Role.BILLING, name="bo") as person:
            assert (await person.get(where)).status_code == 200


@pytest.mark.parametrize("scopes", [(), ("coverages:read",)])
async def test_a_token_without_the_scope_is_told_which_one_it_takes(
    settings: Settings, scopes: tuple[str, ...]
) -> None:
    async with house(settings) as clinic, program(clinic, *scopes) as asker:
        answer = await asker.post("/eligibility", json=ELEANOR)
        assert answer.status_code == 403
        assert answer.json()["detail"] == "This takes a token with the scope eligibility:ask."


@pytest.mark.parametrize(
    ("change", "field", "accepted"),
    [
        ({"payer": "blue cross"}, "payer", "Anthem"),
        ({"name": "Cher"}, "name", "a first and a last name"),
        ({"member_id": "'; DROP"}, "member_id", "pattern"),
        ({"service_types": ["ZZ"]}, "service_types", "30, MH or 98"),
        ({"birth_date": "12/03/1984"}, "birth_date", "YYYY-MM-DD"),
        ({"webhook": {"url": "ftp://x.example", "secret": SECRET}}, "webhook.url", "URL scheme"),
        ({"webhook": {"url": "https://x.example", "secret": "short"}}, "webhook.secret", "24"),
    ],
)
async def test_a_question_that_cannot_be_asked_says_which_field_and_what_is_accepted(
    settings: Settings, change: dict[str, Any], field: str, accepted: str
) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask") as asker:
        answer = await asker.post("/eligibility", json=ELEANOR | change)
        assert answer.status_code == 422
        assert any(one["field"] == field and accepted in one["message"] for one in answer.json()["errors"])
        assert "DROP" not in answer.text


@dataclass
class Ear:
    """A program's own door, on this machine. It may be deaf at first."""

    deaf_for: int = 0
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in head[1:] if ":" in line}
        body = await reader.readexactly(int(headers["content-length"]))
        status = "200 OK" if self.deaf_for <= 0 else "503 Service Unavailable"
        self.deaf_for -= 1
        self.heard.append((headers, body))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[str]:
        async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/told"


async def test_whoever_asked_is_told_by_a_signed_webhook_that_holds_no_more_than_ids_and_again_if_deaf(
    settings: Settings,
) -> None:
    ear = Ear(deaf_for=1)
    async with (
        house(settings, webhooks_to_loopback=True) as clinic,
        ear.listening() as url,
        program(clinic, "eligibility:ask") as asker,
    ):
        question = ELEANOR | {"webhook": {"url": url, "secret": SECRET}}
        id = (await asker.post("/eligibility", json=question)).json()["id"]

        async def twice() -> bool:
            return len(ear.heard) == 2

        await eventually(twice, within=20)
    for headers, body in ear.heard:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        told = json.loads(body)
        assert told == {
            "type": "eligibility.answered",
            "id": id,
            "outcome": "active",
            "cause_code": None,
            "link": f"/eligibility/{id}",
        }
    assert ear.heard[0][0]["webhook-id"] == ear.heard[1][0]["webhook-id"]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.0.0.7/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[fd00::1]/x",
        "http://93.184.215.14/x",
    ],
)
async def test_a_webhook_reaches_no_inner_address_and_nothing_without_tls(url: str) -> None:
    with pytest.raises(OutsideRefused):
        await checked(url, loopback=False)


async def test_a_token_that_names_scopes_opens_nothing_else_whatever_its_role(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, "eligibility:ask", role=Role.BILLING) as asker:
        assert (await asker.post("/eligibility", json=ELEANOR)).status_code == 200
        for path in ("/verifications", "/coverages", "/parked"):
            assert (await asker.get(path)).status_code == 403
        assert (await asker.get("/openapi.json")).status_code == 200
