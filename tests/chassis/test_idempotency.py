"""A request that is repeated gets its first answer, and its operation is done once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Header, Request

from chassis.database import Database
from chassis.http import Actor, Answer, Problem, Role, answer_once, forget_old_answers, requires
from chassis.transaction import Transaction
from contracts.intake import RiskFlagged, RiskLevel
from tests.chassis.front_desk import client, desk, open_database
from tests.waiting import eventually

pytestmark = pytest.mark.engines

BOOKED = "CREATE TABLE booking (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person text NOT NULL)"


class Desk:
    """Books whoever asks, unless it was told to fail."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.app: FastAPI = desk(database)
        self.open = asyncio.Event()
        self.open.set()
        self.fails_with: list[Exception | Answer] = []
        self.app.post("/bookings")(self.book)

    async def book(
        self,
        request: Request,
        actor: Annotated[Actor, requires(Role.STAFF)],
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> Any:
        body = await request.body()

        async def operate(tx: Transaction) -> Answer:
            await tx.connection.execute("INSERT INTO booking (person) VALUES ($1)", body.decode())
            tx.emit(RiskFlagged(level=RiskLevel.LOW, source="desk"), subject="patient_1")
            await self.open.wait()
            if self.fails_with:
                outcome = self.fails_with.pop()
                if isinstance(outcome, Exception):
                    raise outcome
                return outcome
            number = await tx.connection.fetchval("SELECT count(*) FROM booking")
            return Answer(201, {"number": number, "person": body.decode()}, {"Location": f"/bookings/{number}"})

        return await answer_once(
            self.database,
            key=idempotency_key,
            scope="POST /bookings",
            fingerprint=sha256(body).digest(),
            operate=operate,
        )

    async def bookings(self) -> int:
        return await self.count("booking")

    async def count(self, table: str) -> int:
        async with self.database.connection() as connection:
            return await connection.fetchval(f"SELECT count(*) FROM {table}")


@pytest.fixture
async def front(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    (tmp_path / "0001_booking.sql").write_text(BOOKED)
    opened = await open_database(database, tmp_path)
    yield Desk(opened)
    await opened.stop()


async def book(front: Desk, person: str, key: str | None = "key-1", actor: str = "kim") -> httpx.Response:
    async with client(front.app, Role.STAFF, actor) as staff:
        headers = {"Idempotency-Key": key} if key is not None else {}
        return await staff.post("/bookings", content=person, headers=headers)


async def test_a_repeat_gets_the_first_answer_word_for_word(front: Desk):
    first = await book(front, "Ophelia")
    again = await book(front, "Ophelia")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"] == "/bookings/1"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await front.bookings() == await front.count("outbox") == 1


async def test_the_same_key_with_another_request_is_an_error_and_does_nothing(front: Desk):
    await book(front, "Ophelia")
    answer = await book(front, "Hamlet")
    assert answer.status_code == 422
    assert answer.json()["title"] == "The Idempotency-Key was used before"
    assert await front.bookings() == 1


async def test_a_repeat_that_comes_too_early_waits_for_the_first_answer(front: Desk):
    front.open.clear()
    first = asyncio.create_task(book(front, "Ophelia"))
    await eventually(lambda: sessions(front, "idle in transaction", "ClientRead"))
    repeat = asyncio.create_task(book(front, "Ophelia"))
    await eventually(lambda: sessions(front, "active", "transactionid"))
    front.open.set()
    assert (await first).content == (await repeat).content
    assert await front.bookings() == 1


async def sessions(front: Desk, state: str, wait: str) -> int:
    """How many of this test's sessions are in a state and wait for something."""
    async with front.database.connection() as connection:
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND state = $1 AND wait_event = $2",
            state,
            wait,
        )


async def test_when_the_first_fails_the_waiting_repeat_does_the_work(front: Desk):
    front.open.clear()
    front.fails_with = [RuntimeError("no room")]
    first = asyncio.create_task(book(front, "Ophelia"))
    await eventually(lambda: sessions(front, "idle in transaction", "ClientRead"))
    repeat = asyncio.create_task(book(front, "Ophelia"))
    await eventually(lambda: sessions(front, "active", "transactionid"))
    front.open.set()
    assert (await first).status_code == 500
    assert (await repeat).status_code == 201
    assert await front.bookings() == 1


async def test_of_many_at_once_one_does_the_work(front: Desk):
    answers = await asyncio.gather(*(book(front, "Ophelia") for _ in range(20)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert await front.bookings() == await front.count("outbox") == 1


async def test_a_refusal_is_an_answer_too_and_leaves_nothing_behind(front: Desk):
    front.fails_with = [Problem(409, "The chair is taken", "Choose another time.")]
    first = await book(front, "Ophelia")
    again = await book(front, "Ophelia")
    assert first.status_code == again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert first.content == again.content
    assert await front.bookings() == await front.count("outbox") == 0


@pytest.mark.parametrize(
    "outcome",
    [
        RuntimeError("Ophelia"),
        Answer(503, {"title": "away"}),
        Problem(503, "The payer is away"),
        Problem(429, "Too many at once"),
        Answer(429, {"title": "Too many at once"}),
    ],
    ids=["a crash", "an answer of 503", "a problem of 503", "a problem of 429", "an answer of 429"],
)
async def test_what_says_nothing_about_the_operation_is_not_kept(front: Desk, outcome: Exception | Answer):
    front.fails_with = [outcome]
    first = await book(front, "Ophelia")
    assert first.status_code in {429, 500, 503}
    assert await front.bookings() == await front.count("outbox") == await front.count("idempotent_answer") == 0
    assert (await book(front, "Ophelia")).status_code == 201
    assert await front.bookings() == await front.count("outbox") == 1


async def test_the_key_of_one_actor_is_nothing_to_another(front: Desk):
    await book(front, "Ophelia", actor="kim")
    other = await book(front, "Hamlet", actor="ines")
    assert other.json() == {"number": 2, "person": "Hamlet"}


async def test_without_a_key_each_request_is_its_own(front: Desk):
    await book(front, "Ophelia", key=None)
    await book(front, "Ophelia", key=None)
    assert await front.bookings() == 2
    assert await front.count("idempotent_answer") == 0


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
async def test_a_key_has_to_be_short_and_plain(front: Desk, key: str):
    answer = await book(front, "Ophelia", key=key)
    assert answer.status_code == 400
    assert "1 to 200 printable ASCII characters" in answer.json()["detail"]
    assert await front.bookings() == 0


async def test_what_was_answered_does_not_lie_in_the_clear(front: Desk):
    await book(front, "Ophelia")
    async with front.database.connection() as connection:
        [row] = await connection.fetch("SELECT * FROM idempotent_answer")
    assert b"Ophelia" not in row["answer"]
    assert "Ophelia" not in repr({**row, "answer": None})


async def test_old_answers_are_forgotten_a_bounded_number_at_a_time(front: Desk):
    for number in range(5):
        await book(front, "Ophelia", key=f"key-{number}")
    async with front.database.connection() as connection:
        await connection.execute("UPDATE idempotent_answer SET at = at - interval '2 days' WHERE key <> 'key-4'")
        day = timedelta(days=1)
        assert [await forget_old_answers(connection, day, 3) for _ in range(3)] == [3, 1, 0]
    assert await front.count("idempotent_answer") == 1
