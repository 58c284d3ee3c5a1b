"""Reaching outside: each decision to act is a row; a bounded pool for each destination carries it out.

The decision is exactly once. The act is at least once: it is repeated only when the process that made it died between
the far side's acceptance and our record of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg

from chassis.backoff import backoff
from chassis.database import Database
from chassis.failures import cause_of, is_infrastructure
from chassis.log import logger
from chassis.points import reached
from chassis.telemetry import Telemetry
from chassis.transaction import Transaction, unpack_cause
from contracts.envelope import Envelope

A = TypeVar("A")

LEASE_SECONDS = 8.0
"""Renewed while a call and its record are under way, so that what a dead process left is soon taken up by another."""

_PATIENCE_SECONDS = 0.05
"""How long a few free workers wait for more of them, so that one lease serves all, while work is known to wait."""

_LEASE = """
UPDATE outside_task SET attempt = attempt + 1, due_at = clock_timestamp() + make_interval(secs => $3)
WHERE id IN (
    SELECT id FROM outside_task
    WHERE destination = $1 AND ended_at IS NULL AND due_at <= clock_timestamp() AND id <> ALL($4::uuid[])
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING *
"""

# Whoever was too late to renew finds a higher attempt: the task is another's now.
_RENEW = """
UPDATE outside_task SET due_at = greatest(due_at, clock_timestamp() + make_interval(secs => $3))
FROM unnest($1::uuid[], $2::integer[]) AS mine (id, attempt)
WHERE outside_task.id = mine.id AND outside_task.attempt = mine.attempt AND ended_at IS NULL
"""

_PUT_OFF = """
UPDATE outside_task SET tries = tries + 1, error = $3, due_at = clock_timestamp() + make_interval(secs => $4)
WHERE id = $1 AND attempt = $2 AND ended_at IS NULL
"""

_END = """
UPDATE outside_task SET ended_at = clock_timestamp(), outcome = $2, error = $3 WHERE id = $1 AND ended_at IS NULL
RETURNING true
"""

_END_ANSWERED = """
UPDATE outside_task SET ended_at = clock_timestamp(), outcome = 'answered', error = NULL
WHERE id = ANY($1::uuid[]) AND ended_at IS NULL
RETURNING id
"""


class OutsideUnavailable(Exception):
    """The far side could not be asked, or did not answer. To be tried again."""

    def __init__(self, cause_code: str) -> None:
        super().__init__(cause_code)
        self.cause_code = cause_code


class OutsideRefused(Exception):
    """The far side will never take this. Not to be tried again."""

    def __init__(self, cause_code: str) -> None:
        super().__init__(cause_code)
        self.cause_code = cause_code


@dataclass(frozen=True, slots=True)
class OutsideTask:
    """A decision to act. `id` never changes: the key by which a far side can recognise a repeat."""

    id: UUID
    destination: str
    purpose: str
    subject: str | None
    payload: dict[str, Any]
    attempt: int
    tries: int
    cause: Envelope | None
    correlation_id: str | None = None


Told = Callable[[Transaction, OutsideTask, str], Awaitable[None]]
"""Whoever decided a task hears, in the transaction that ends it, that nothing came of it, and the cause's code."""


@dataclass(frozen=True, slots=True)
class Destination(Generic[A]):
    """How to reach one far side and what to do with its answer. `cause_code`s hold nothing about a person."""

    name: str
    call: Callable[[OutsideTask], Awaitable[A]]
    answered: Callable[[Transaction, OutsideTask, A], Awaitable[None]]
    gave_up: Told
    workers: int = 4
    timeout_seconds: float = 20.0
    tries: int = 5
    retry_first_seconds: float = 1.0
    retry_longest_seconds: float = 300.0
    unapplied: Told | None = None
    """What becomes of a task whose answer `answered` cannot take; without it, the task alone keeps that."""


@dataclass(slots=True, eq=False)
class _Answered(Generic[A]):
    """A call that the far side has answered."""

    task: OutsideTask
    answer: A
    recorded: bool = False


class Pool(Generic[A]):
    """Carries out the tasks of one destination, a bounded number at a time."""

    def __init__(self, destination: Destination[A], database: Database, telemetry: Telemetry) -> None:
        self._to = destination
        self._database = database
        self._telemetry = telemetry
        self._running: dict[asyncio.Task[None], OutsideTask] = {}
        self._more = False
        self._answers: list[_Answered[A]] = []
        self._recording = asyncio.Lock()
        self._at_once = max(1, destination.workers // 4)  # calls go on while a part of them is recorded

    @property
    def name(self) -> str:
        return self._to.name

    async def run(self) -> None:
        renewing = asyncio.create_task(self._keep_leases())
        try:
            while True:
                await self._fill()
                await self._database.wakes.sleep(self._wake, _PATIENCE_SECONDS if self._more else 0.5)
        finally:
            await self._drain()
            renewing.cancel()

    @property
    def _wake(self) -> str:
        return f"outside:{self._to.name}"

    @property
    def _free(self) -> int:
        return self._to.workers - len(self._running)

    async def _fill(self) -> None:
        if free := self._free:
            leased = await self._lease_patiently(free)
            for task in leased:
                self._start(task)
            self._more = len(leased) == free

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            if not self._running:
                continue
            mine = list(self._running.values())
            try:
                async with self._database.connection() as connection:
                    await connection.execute(
                        _RENEW, [task.id for task in mine], [task.attempt for task in mine], LEASE_SECONDS
                    )
            except Exception as error:
                logger.info("outside_leases_not_renewed", destination=self._to.name, cause=cause_of(error))

    async def _drain(self) -> None:
        """Calls under way may end; what they found out is worth keeping."""
        if self._running:
            await asyncio.wait(self._running, timeout=3)
        for task in self._running:
            task.cancel()

    def _start(self, task: OutsideTask) -> None:
        running = asyncio.create_task(self._carry_out(task))
        self._running[running] = task
        running.add_done_callback(self._ended)

    def _ended(self, running: asyncio.Task[None]) -> None:
        del self._running[running]
        if self._more and self._free >= self._at_once:  # one lease for several
            self._database.wakes.wake(self._wake)

    async def _lease_patiently(self, free: int) -> list[OutsideTask]:
        """A database that is away ends no call under way: its answer will be recorded when the database is back."""
        try:
            return await self._lease(free)
        except Exception as error:
            if not is_infrastructure(error):
                raise
            logger.info("outside_waits", destination=self._to.name, cause=cause_of(error))
            await asyncio.sleep(0.5)
            return []

    async def _lease(self, free: int) -> list[OutsideTask]:
        async with self._database.connection() as connection:
            mine = [task.id for task in self._running.values()]
            rows = await connection.fetch(_LEASE, self._to.name, free, LEASE_SECONDS, mine)
        return [_task(row) for row in rows]

    async def _carry_out(self, task: OutsideTask) -> None:
        if task.attempt > task.tries + 1:
            self._telemetry.outside_repeats.labels(self._to.name).inc()
        started = time.monotonic()
        reached("before_call")
        try:
            async with asyncio.timeout(self._to.timeout_seconds):
                answer = await self._to.call(task)
                reached("after_call")
        except OutsideRefused as refused:
            await self._record(task, partial(self._give_up, task, refused.cause_code))
        except Exception as error:
            await self._record(task, partial(self._put_off, task, _code(error)))
        else:
            self._telemetry.outside_seconds.labels(self._to.name).observe(time.monotonic() - started)
            await self._record(task, partial(self._answer, task, answer))

    async def _record(self, task: OutsideTask, write: Callable[[], Awaitable[str]]) -> None:
        """Keep at it while the database is away: the call has been made and must not be made again for that."""
        tries = 0
        while True:
            try:
                outcome = await write()
            except Exception as error:
                tries += 1
                if not is_infrastructure(error):
                    write = partial(self._unapplied, task, cause_of(error))
                await asyncio.sleep(backoff(tries, 0.1, 5))
                continue
            self._telemetry.outside_attempts.labels(self._to.name, outcome).inc()
            return

    async def _answer(self, task: OutsideTask, answer: A) -> str:
        """Recorded together with all that was answered while another record was written; alone where that fails."""
        mine = _Answered(task, answer)
        self._answers.append(mine)
        async with self._recording:
            if mine in self._answers:  # nobody has taken it along
                together, self._answers = self._answers[: self._at_once], self._answers[self._at_once :]
                with suppress(Exception) if len(together) > 1 else nullcontext():
                    await self._apply(together)
        if not mine.recorded:
            await self._apply([mine])
        reached("after_record")
        return "answered"

    async def _apply(self, together: list[_Answered[A]]) -> None:
        async with self._database.transaction() as tx:
            ended = await tx.connection.fetch(_END_ANSWERED, [one.task.id for one in together])
            unknown = {row["id"] for row in ended}
            for one in together:
                if one.task.id in unknown:
                    tx.follow(one.task.cause, one.task.correlation_id)
                    await self._to.answered(tx, one.task, one.answer)
        for one in together:
            one.recorded = True

    async def _put_off(self, task: OutsideTask, cause_code: str) -> str:
        if task.tries + 1 >= self._to.tries:
            return await self._give_up(task, cause_code)
        wait = backoff(task.tries + 1, self._to.retry_first_seconds, self._to.retry_longest_seconds)
        async with self._database.connection() as connection:
            await connection.execute(_PUT_OFF, task.id, task.attempt, cause_code, wait)
        return "put_off"

    async def _give_up(self, task: OutsideTask, cause_code: str) -> str:
        await self._end(task, "gave_up", cause_code, self._to.gave_up)
        return "gave_up"

    async def _unapplied(self, task: OutsideTask, cause: str) -> str:
        """Our own handler failed on the answer. Calling again would not mend that: a person must look."""
        try:
            await self._end(task, "unapplied", cause, self._to.unapplied)
        except Exception as error:
            if is_infrastructure(error):
                raise
            await self._end(task, "unapplied", cause_of(error), None)
        return "unapplied"

    async def _end(self, task: OutsideTask, outcome: str, cause: str, tell: Told | None) -> None:
        """End a task without an answer that counts, and tell whoever decided it."""
        async with self._database.transaction(task.cause, correlation_id=task.correlation_id) as tx:
            if await tx.connection.fetchval(_END, task.id, outcome, cause) and tell is not None:
                await tell(tx, task, cause)


def _task(row: asyncpg.Record) -> OutsideTask:
    return OutsideTask(
        id=row["id"],
        destination=row["destination"],
        purpose=row["purpose"],
        subject=row["subject"],
        payload=json.loads(row["payload"]),
        attempt=row["attempt"],
        tries=row["tries"],
        cause=unpack_cause(row["cause"]),
        correlation_id=row["correlation_id"],
    )


def _code(error: Exception) -> str:
    if isinstance(error, OutsideUnavailable):
        return error.cause_code
    return "timed_out" if isinstance(error, TimeoutError) else cause_of(error)
