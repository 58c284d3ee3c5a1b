"""What a person can do about parked records, over HTTP and from the command line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.http import Role
from chassis.settings import ServiceSettings
from contracts.intake import PatientRegistered
from tests.chassis.front_desk import client, token
from tests.chassis.test_fates import Clinic, clinic, envelope, named
from tests.listening import listening
from tests.waiting import eventually

pytestmark = pytest.mark.engines

Settings = Callable[..., ServiceSettings]
SLOW = {"retry_first_seconds": 3600}
"""So that nothing is tried again before somebody wants it."""


@asynccontextmanager
async def desk(one: Clinic, role: Role = Role.STAFF) -> AsyncGenerator[httpx.AsyncClient]:
    async with client(one.service.http, role, actor="ines") as http:
        yield http


async def parked(http: httpx.AsyncClient, **query: str | int) -> list[dict[str, Any]]:
    return (await http.get("/parked", params=query)).raise_for_status().json()["parked"]


async def three_of_ada_one_of_bea(one: Clinic, http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Ada's first cannot be read, and two wait behind it; Bea's cannot be read either."""
    await one.send(b"not JSON", envelope(), key=b"patient_ada")
    await eventually(lambda: parked(http))
    await one.send(named("Ada, second"), envelope(), key=b"patient_ada")
    await one.send(named("Ada, third"), envelope(), key=b"patient_ada")
    await one.send(b"\xff\x00", envelope(), key=b"patient_bea")

    async def heads() -> list[dict[str, Any]]:
        found = await parked(http)
        return found if [head["behind"] for head in found] == [2, 0] else []

    return await eventually(heads)


async def test_the_first_of_each_key_is_listed_with_those_behind_it_and_its_cause(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(**SLOW), tmp_path) as one, one.service.running(), desk(one) as http:
        ada, bea = await three_of_ada_one_of_bea(one, http)
        assert (ada["key"], ada["reason"], ada["tries"], ada["behind"]) == ("patient_ada", "failed", 1, 2)
        assert "Ada" not in ada["cause"]
        assert bea["key"] == "patient_bea"
        of_ada = await parked(http, key="patient_ada")
        assert [record["reason"] for record in of_ada] == ["failed", "behind", "behind"]
        first = (await http.get("/parked", params={"limit": 1})).json()
        assert [head["id"] for head in first["parked"]] == [ada["id"]]
        assert [head["id"] for head in await parked(http, after=first["after"])] == [bea["id"]]


async def test_a_replay_goes_through_the_same_handler_in_order_and_is_recorded(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(**SLOW), tmp_path) as one, desk(one) as http:
        refuses = True

        async def moody(*said: Any) -> None:
            if refuses:
                raise ValueError("not today")
            await one.note(*said)

        one.service._routes["scheduling"].clear()
        one.service.handle(PatientRegistered, moody)
        async with one.service.running():
            for name in ("first", "second", "third"):
                await one.send(named(name), envelope(), key=b"patient_ada")

            async def all_parked() -> bool:
                return len(await parked(http, key="patient_ada")) == 3

            await eventually(all_parked)
            [head] = await parked(http)
            refuses = False
            assert (await http.post(f"/parked/{head['id']}/replay")).status_code == 202
            await one.noted("first", "second", "third")
            assert await one._column("SELECT said FROM note") == ["first", "second", "third"]
            [decision] = (await http.get("/parked/decisions")).json()["decisions"]
            assert (decision["actor"], decision["role"], decision["decision"]) == ("ines", "staff", "replayed")
            assert decision["parked_id"] == head["id"]


async def test_a_replay_that_fails_again_waits_again(settings: Settings, tmp_path: Path) -> None:
    async with clinic(settings(**SLOW, retry_tries=2), tmp_path) as one, one.service.running(), desk(one) as http:
        ada, _ = await three_of_ada_one_of_bea(one, http)
        await http.post(f"/parked/{ada['id']}/replay")

        async def tried() -> bool:
            [again, _] = await parked(http)
            return again["tries"] == 1 and again["due_at"] is not None and again["due_at"] > ada["due_at"]

        await eventually(tried)
        assert len(await parked(http, key="patient_ada")) == 3


async def test_a_discarded_record_is_kept_never_comes_to_effect_and_lets_the_next_pass(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(**SLOW), tmp_path) as one, one.service.running(), desk(one) as http:
        ada, _ = await three_of_ada_one_of_bea(one, http)
        answer = await http.post(f"/parked/{ada['id']}/discard", json={"why": "Sent by a test"})
        assert answer.status_code == 204
        await one.noted("Ada, second", "Ada, third")
        [decision] = (await http.get("/parked/decisions")).json()["decisions"]
        assert (decision["decision"], decision["why"], decision["actor"]) == ("discarded", "Sent by a test", "ines")
        assert await one._column("SELECT record IS NOT NULL FROM parked_decision") == [True]
        assert await one._column(f"SELECT count(*) FROM inbox WHERE event_id = '{ada['event_id']}'") == [1]


async def test_one_that_waits_behind_another_can_be_neither_replayed_nor_discarded(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(**SLOW), tmp_path) as one, one.service.running(), desk(one) as http:
        ada, _ = await three_of_ada_one_of_bea(one, http)
        _, second, _ = await parked(http, key="patient_ada")
        replayed = await http.post(f"/parked/{second['id']}/replay")
        discarded = await http.post(f"/parked/{second['id']}/discard", json={"why": "no reason"})
        for refused in (replayed, discarded):
            assert refused.status_code == 409
            assert f"Record {ada['id']} of the same key" in refused.json()["detail"]
        assert (await http.get("/parked/decisions")).json()["decisions"] == []


async def test_two_people_who_settle_one_record_at_once_settle_it_once(settings: Settings, tmp_path: Path) -> None:
    async with clinic(settings(**SLOW), tmp_path) as one, one.service.running(), desk(one) as http:
        _, bea = await three_of_ada_one_of_bea(one, http)
        both = await asyncio.gather(
            *(http.post(f"/parked/{bea['id']}/discard", json={"why": "twice over"}) for _ in range(2))
        )
        assert sorted(answer.status_code for answer in both) == [204, 404]
        assert len((await http.get("/parked/decisions")).json()["decisions"]) == 1


async def test_only_an_auditor_sees_what_is_in_a_record_and_the_look_is_on_record(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(**SLOW), tmp_path) as one, one.service.running(), desk(one) as http:
        ada, bea = await three_of_ada_one_of_bea(one, http)
        assert (await http.get(f"/parked/{ada['id']}")).status_code == 403
        async with desk(one, Role.AUDITOR) as auditor:
            seen = (await auditor.get(f"/parked/{ada['id']}")).json()
            assert seen["body"] == {"text": "not JSON", "base64": None}
            assert (await auditor.get(f"/parked/{bea['id']}")).json()["body"]["base64"] == "/wA="
            assert (await auditor.post(f"/parked/{ada['id']}/replay")).status_code == 403
            looks = (await auditor.get("/access-log")).json()["accesses"]
        assert {(look["actor"], look["what"], *look["subjects"]) for look in looks} == {
            ("ines", "parked_record", "patient_ada"),
            ("ines", "parked_record", "patient_bea"),
        }


async def test_the_command_line_lists_replays_discards_and_says_what_it_cannot(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(**SLOW), tmp_path) as one, one.service.running(), desk(one) as http:
        ada, bea = await three_of_ada_one_of_bea(one, http)
        async with listening(one.service) as url:
            shown = await command(url, "list")
            assert shown.code == 0
            assert "patient_ada" in shown.out
            assert "patient_bea" in shown.out
            assert (await command(url, "discard", str(ada["id"]), "--why", "by hand")).code == 0
            await one.noted("Ada, second", "Ada, third")
            assert (await command(url, "replay", str(bea["id"]))).code == 0
            assert "by hand" in (await command(url, "decisions")).out
            gone = await command(url, "discard", str(ada["id"]), "--why", "once more")
            assert (gone.code, gone.out) == (
                1,
                "Not parked. No record with this id is parked; it may have been settled.\n",
            )
            refused = await command(url, "show", str(bea["id"]))
            assert refused.code == 1
            assert "Not for this role" in refused.out
        away = await command("http://127.0.0.1:1", "list")
        assert (away.code, away.out) == (1, "No answer from http://127.0.0.1:1: ConnectError.\n")


class Said:
    def __init__(self, code: int | None, out: bytes) -> None:
        self.code, self.out = code, out.decode()


async def command(url: str, *words: str) -> Said:
    """`python -m chassis parked …`, with everything that it prints."""
    environment = os.environ | {"STILLWATER_URL": url, "STILLWATER_TOKEN": token(Role.STAFF, "ines")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chassis", "parked", *words,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return Said(process.returncode, out)
