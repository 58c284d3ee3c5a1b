"""Who asked what for themselves, and where they want to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from billing.eligibility.inquiry import Webhook
from chassis.seal import Seal


@dataclass(frozen=True, slots=True)
class Kept:
    """An inquiry as it is kept."""

    actor: str
    webhook_url: str | None
    webhook_secret: str | None


async def keep(
    connection: asyncpg.Connection,
    seal: Seal,
    verification_id: str,
    actor: str,
    question: bytes,
    webhook: Webhook | None,
) -> None:
    """`question` is the digest by which its repeats are known."""
    secret = webhook and seal.seal(webhook.secret.get_secret_value().encode(), context=_context(verification_id))
    await connection.execute(
        "INSERT INTO inquiry (verification_id, actor, question, webhook_url, webhook_secret) "
        "VALUES ($1, $2, $3, $4, $5)",
        verification_id,
        actor,
        question,
        str(webhook.url) if webhook else None,
        secret,
    )


async def same(
    connection: asyncpg.Connection, actor: str, question: bytes, since: datetime, *, out: bool
) -> str | None:
    """The verification by which a payer has answered this asker the same since then, or, if `out` will do, may yet.

    Until the transaction ends, nobody else looks for the same question.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(question[:8], signed=True))
    return await connection.fetchval(
        "SELECT verification_id FROM inquiry JOIN verification USING (verification_id) "
        "WHERE actor = $1 AND question = $2 AND requested_at >= $3 "
        "AND (outcome IN ('active', 'inactive') OR ($4 AND state IN ('asking', 'waiting'))) "
        "ORDER BY requested_at DESC LIMIT 1",
        actor,
        question,
        since,
        out,
    )


async def kept(connection: asyncpg.Connection, seal: Seal, verification_id: str) -> Kept | None:
    row = await connection.fetchrow(
        "SELECT actor, webhook_url, webhook_secret FROM inquiry WHERE verification_id = $1", verification_id
    )
    if row is None:
        return None
    sealed = row["webhook_secret"]
    secret = seal.open(sealed, context=_context(verification_id)).decode() if sealed else None
    return Kept(row["actor"], row["webhook_url"], secret)


def _context(verification_id: str) -> bytes:
    return f"webhook:{verification_id}".encode()
