"""A request that is repeated gets its first answer, and its operation is done once."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import asyncpg
from fastapi import Response
from pydantic_core import to_json

from chassis.database import Database
from chassis.http.context import request_actor
from chassis.http.problems import PROBLEM_JSON, Problem
from chassis.seal import Seal
from chassis.transaction import Transaction

_LONGEST_KEY: Final = 200
_PATIENCE_SECONDS: Final = 10.0
"""How long a repeat waits for the first request to end; well below the database's time-out for a statement."""

_TRANSIENT: Final = frozenset({401, 403, 408, 425, 429})
"""Refusals that say nothing about the operation: the same request may well succeed later."""

_CLAIM: Final = """
INSERT INTO idempotent_answer (scope, key, actor, fingerprint) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""

_KEEP: Final = """
UPDATE idempotent_answer SET status = $4, answer = $5 WHERE scope = $1 AND key = $2 AND actor = $3
"""

_FIRST: Final = """
SELECT fingerprint, status, answer FROM idempotent_answer WHERE scope = $1 AND key = $2 AND actor = $3
"""

_FORGET: Final = """
DELETE FROM idempotent_answer WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotent_answer WHERE at < clock_timestamp() - $1::interval
    ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers. `body` is anything that pydantic can write as JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"


Operation = Callable[[Transaction], Awaitable[Answer]]


async def answer_once(
    database: Database, *, key: str | None, scope: str, fingerprint: bytes, operate: Operation
) -> Response:
    """Run `operate` in a transaction, once for each actor, `scope` (`POST /intakes`) and `key`.

    A repeat gets the first answer, word for word, with the header `Idempotent-Replayed: true`; one that comes while the
    first is under way waits for it. `fingerprint` is a hash of the request: the same key with another one is a 422
    problem. What `operate` decides is kept, refusals too (a Problem below 500, whose writes are undone); a crash, an
    answer of 500 or above, or one that says nothing about the operation (429) is not, so that a repeat tries again.
    Without a key the operation simply runs.
    """
    if key is None:
        async with database.transaction() as tx:
            return _sent(await operate(tx)).response()
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Problem(
            400,
            "The Idempotency-Key is not valid",
            f"It should be 1 to {_LONGEST_KEY} printable ASCII characters, such as a UUID.",
        )
    actor = request_actor()
    claim = _Claim(scope, key, actor.name if actor else "", database.seal)
    try:
        async with database.transaction() as tx:
            if not await claim.made(tx.connection, fingerprint):
                return await claim.replay(tx.connection, fingerprint)
            sent = await _decide(tx, operate)
            if not 200 <= sent.status < 500 or sent.status in _TRANSIENT:
                raise _Undo(sent)
            await claim.keep(tx.connection, sent)
    except _Undo as undone:
        sent = undone.sent
    return sent.response()


async def forget_old_answers(connection: asyncpg.Connection, older_than: timedelta, limit: int) -> int:
    """Remove at most `limit` answers older than `older_than` by the machine's clock. Returns how many went."""
    done = await connection.execute(_FORGET, older_than, limit)
    return int(done.rpartition(" ")[2])


async def _decide(tx: Transaction, operate: Operation) -> _Sent:
    try:
        async with tx.attempt():
            return _sent(await operate(tx))
    except Problem as problem:
        return _sent(Answer(problem.status_code, problem.body(), problem.headers or {}, PROBLEM_JSON))


@dataclass(frozen=True, slots=True)
class _Sent:
    """An answer as it goes out."""

    status: int
    headers: dict[str, str]
    body: str

    def response(self, *, again: bool = False) -> Response:
        replayed = {"Idempotent-Replayed": "true"} if again else {}
        return Response(self.body, self.status, {**self.headers, **replayed})


def _sent(answer: Answer) -> _Sent:
    if answer.body is None:
        return _Sent(answer.status, dict(answer.headers), "")
    headers = {**answer.headers, "Content-Type": answer.media_type}
    return _Sent(answer.status, headers, to_json(answer.body).decode())


class _Undo(Exception):
    """Rolls the transaction back and carries the answer out of it."""

    def __init__(self, sent: _Sent) -> None:
        self.sent = sent


class _Claim:
    """The row that stands for one key of one actor."""

    def __init__(self, scope: str, key: str, actor: str, seal: Seal) -> None:
        self._place = (scope, key, actor)
        self._context = "\0".join(("idempotent_answer", *self._place)).encode()
        self._seal = seal

    async def made(self, connection: asyncpg.Connection, fingerprint: bytes) -> bool:
        """Whether this request is the first. Waits for the end of another one that holds the key."""
        try:
            first = await connection.fetchval(_CLAIM, *self._place, fingerprint, timeout=_PATIENCE_SECONDS)
        except TimeoutError:
            raise _still_under_way() from None
        return first is not None

    async def keep(self, connection: asyncpg.Connection, sent: _Sent) -> None:
        clear = json.dumps([sent.headers, sent.body]).encode()
        sealed = self._seal.seal(clear, context=self._context)
        await connection.execute(_KEEP, *self._place, sent.status, sealed)

    async def replay(self, connection: asyncpg.Connection, fingerprint: bytes) -> Response:
        row = await connection.fetchrow(_FIRST, *self._place)
        if row is None:
            raise _still_under_way()  # Forgotten for its age a moment ago: a new try will be the first.
        if row["fingerprint"] != fingerprint:
            raise Problem(
                422,
                "The Idempotency-Key was used before",
                "It came with another request. Send the first request again unchanged, or take a new key.",
            )
        headers, body = json.loads(self._seal.open(row["answer"], context=self._context))
        return _Sent(row["status"], headers, body).response(again=True)


def _still_under_way() -> Problem:
    return Problem(
        409,
        "The first request is still under way",
        "Send it again with the same Idempotency-Key in a moment.",
        headers={"Retry-After": "1"},
    )
