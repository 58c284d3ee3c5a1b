"""An engine outside of the clinic asks payers in its place: well, twice, late, for somebody else, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.http import Role
from chassis.tokens import issue
from contracts.billing import CoverageUndetermined, CoverageVerified, VerificationNeedsStaff
from sandbox.engine.client import Engine, Manner
from tests.billing.house import House, Settings, booked, house, payers_file, registered, reported
from tests.chassis.front_desk import client
from tests.listening import listening
from tests.services import TOKEN_KEY
from tests.waiting import eventually

pytestmark = pytest.mark.engines

PATIENT_2 = "patient_0198c5f2-0000-7000-8000-000000000002"


@asynccontextmanager
async def clinic_with_engine(
    settings: Settings, folder: Path, manner: Manner = Manner.WELL, **knobs: Any
) -> AsyncGenerator[tuple[House, Engine]]:
    """A clinic whose Aetna is answered for by an engine, and that engine."""
    by_engine = {"answered_by": "engine", "engine_minutes": 30}
    own = payers_file(folder, lambda payer: by_engine if payer["name"] == "Aetna" else {})
    async with house(settings, payers_file=own) as clinic, listening(clinic.service) as url:
        gateway = str(clinic.service.settings.gateway_url)  # type: ignore[attr-defined]
        yield clinic, Engine(url, a_token(), gateway, manner, **knobs)


def a_token(name: str = "engine-1", *scopes: str) -> str:
    return issue(TOKEN_KEY, name, Role.ENGINE, timedelta(hours=1), scopes or ("engine:answer",))


async def there_is(clinic: House, what: str) -> bool:
    async with clinic.service.database.connection() as connection:
        return await connection.fetchval(f"SELECT EXISTS (SELECT FROM {what})")


async def waiting(engine: Engine) -> int:
    return await engine.once()


async def test_an_engine_takes_a_question_asks_the_payer_and_its_answer_counts_like_a_payers(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic_with_engine(settings, tmp_path) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())
        assert await eventually(lambda: waiting(engine)) == 1
        (verified,) = await clinic.streams.heard(CoverageVerified)
        assert [fate["fate"] for fate in engine.fates] == ["taken"]
        (question,) = await clinic.evidence(verified.verification_id)
        assert question["sent"].startswith("ISA*")
        assert question["answer"].startswith("ISA*")


async def test_the_same_result_twice_is_answered_alike_and_another_one_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic_with_engine(settings, tmp_path, Manner.TWICE) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())
        await eventually(lambda: waiting(engine))
        first, second = engine.fates
        assert first == second
        assert len(await clinic.streams.heard(CoverageVerified)) == 1


async def test_a_question_is_one_engines_at_a_time_and_anothers_once_given_back_or_run_out(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic_with_engine(settings, tmp_path) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())
        async with (
            httpx.AsyncClient(base_url=engine.clinic, headers=bearer("engine-1")) as one,
            httpx.AsyncClient(base_url=engine.clinic, headers=bearer("engine-2")) as other,
        ):

            async def leased() -> list[dict[str, Any]]:
                return (await one.post("/engines/leases", json={})).raise_for_status().json()["leases"]

            (lease,) = await eventually(leased)
            assert (await other.post("/engines/leases", json={})).json() == {"leases": []}
            assert (await other.post(f"/engines/leases/{lease['lease_id']}/release")).status_code == 404
            assert (await one.post(f"/engines/leases/{lease['lease_id']}/release")).json()["fate"] == "released"
            (brief,) = (await other.post("/engines/leases", json={"seconds": 5})).json()["leases"]
            await eventually(leased)
            assert (await other.post(f"/engines/leases/{brief['lease_id']}/release")).json()["fate"] == "released"
            assert (await other.post("/engines/leases", json={})).json() == {"leases": []}  # it is the other's


async def test_a_question_about_a_card_that_was_corrected_since_is_asked_by_no_engine(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic_with_engine(settings, tmp_path) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())
        await eventually(lambda: there_is(clinic, "question"))
        await clinic.say(reported(member_id="SUN999888"))

        async def both() -> bool:
            return await clinic.service.database.pool.fetchval("SELECT count(*) FROM question") == 2

        await eventually(both)
        async with httpx.AsyncClient(base_url=engine.clinic, headers=bearer("engine-1")) as one:
            (lease,) = (await one.post("/engines/leases", json={})).raise_for_status().json()["leases"]
        assert "SUN999888" in lease["x12_270"]


async def test_a_result_after_the_lease_still_counts_while_nobody_else_has_answered(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic_with_engine(settings, tmp_path, Manner.LATE, lease_seconds=5) as (clinic, late):
        await clinic.say(registered(), booked(), reported())

        await eventually(lambda: there_is(clinic, "question"))
        await late.once()
        assert late.fates[-1]["fate"] == "taken"


async def test_a_result_that_comes_when_another_engine_has_answered_is_kept_and_changes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic_with_engine(settings, tmp_path, Manner.LATE, lease_seconds=5) as (clinic, late):
        await clinic.say(registered(), booked(), reported())
        quick = Engine(late.clinic, a_token("engine-2"), late.gateway)
        await eventually(lambda: there_is(clinic, "question"))
        slow = asyncio.create_task(late.once())
        await eventually(lambda: there_is(clinic, "engine_lease"))
        await eventually(lambda: waiting(quick), within=30)
        (verified,) = await clinic.streams.heard(CoverageVerified)
        await slow
        assert late.fates[-1] == {"fate": "late", "verification_id": verified.verification_id}
        assert len(await clinic.streams.heard(CoverageVerified)) == 1


async def test_an_answer_for_another_patient_is_attached_to_nobody(settings: Settings, tmp_path: Path) -> None:
    async with clinic_with_engine(settings, tmp_path, Manner.FOR_ANOTHER) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())
        await clinic.say(
            registered("Oscar Bellamy", date(1965, 12, 12)),
            booked(id="appointment_2"),
            reported(member_id="W100000020", id="coverage_2"),
            patient=PATIENT_2,
        )

        async def both_wait() -> bool:
            async with clinic.service.database.connection() as connection:
                return await connection.fetchval("SELECT count(*) = 2 FROM question")

        await eventually(both_wait)
        await engine.once()
        causes = {one.cause_code for one in await clinic.streams.heard(CoverageUndetermined, 2)}
        assert causes == {"answer_for_another"}
        assert len(await clinic.streams.heard(VerificationNeedsStaff, 2)) == 2
        assert not await clinic.streams.heard(CoverageVerified, 0)


async def test_what_is_no_x12_goes_to_a_person(settings: Settings, tmp_path: Path) -> None:
    async with clinic_with_engine(settings, tmp_path, Manner.GARBAGE) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())
        await eventually(lambda: waiting(engine))
        (undetermined,) = await clinic.streams.heard(CoverageUndetermined)
        assert undetermined.cause_code == "unreadable_answer"


async def test_an_engine_that_never_answers_is_noticed_and_a_person_told(settings: Settings, tmp_path: Path) -> None:
    async with clinic_with_engine(settings, tmp_path, Manner.SILENT) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())
        await eventually(lambda: waiting(engine))
        clinic.service.clock.travel(timedelta(minutes=31))
        (task,) = await clinic.streams.heard(VerificationNeedsStaff)
        assert task.cause_code == "engine_silent"


async def test_a_question_that_x12_has_no_words_for_is_not_kept_from_engines(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic_with_engine(settings, tmp_path) as (clinic, engine):
        await clinic.say(registered("Ophelia"), booked(), reported())
        async with httpx.AsyncClient(base_url=engine.clinic, headers=bearer("engine-1")) as http:

            async def leased() -> list[dict[str, Any]]:
                return (await http.post("/engines/leases", json={})).raise_for_status().json()["leases"]

            (lease,) = await eventually(leased)
            assert (lease["name"], lease["x12_270"]) == ("Ophelia", None)
            given = await http.post(f"/engines/leases/{lease['lease_id']}/result", json={"failed": "timed_out"})
            assert given.json()["fate"] == "taken"
        (undetermined,) = await clinic.streams.heard(CoverageUndetermined)
        assert undetermined.cause_code == "timed_out"


async def test_a_token_without_the_scope_takes_no_question(settings: Settings, tmp_path: Path) -> None:
    async with clinic_with_engine(settings, tmp_path) as (_, engine):
        async with httpx.AsyncClient(base_url=engine.clinic, headers=bearer("engine-1", "coverages:read")) as http:
            answer = await http.post("/engines/leases", json={})
        assert answer.status_code == 403
        assert "engine:answer" in answer.json()["detail"]


def bearer(name: str, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {a_token(name, *scopes)}"}


async def test_the_worklist_says_what_waits_for_an_engine(settings: Settings, tmp_path: Path) -> None:
    async with clinic_with_engine(settings, tmp_path) as (clinic, engine):
        await clinic.say(registered(), booked(), reported())

        async def page() -> str:
            async with client(clinic.service.http, Role.BILLING) as http:
                return (await http.get("/worklist")).raise_for_status().text

        async def says(words: str) -> bool:
            return words in await page()

        await eventually(lambda: says("Asked by an engine, 1 waits for one since"))
        await engine.once()
        await eventually(lambda: says("Asked by an engine, nothing waits for one"))
