"""Who asked what for themselves, and where they want to be told."""

from __future__ import annotations

from dataclasses import dataclass

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
    connection: asyncpg.Connection, seal: Seal, verification_id: str, actor: str, webhook: Webhook | None
) -> None:
    secret = webhook and seal.seal(webhook.secret.get_secret_value().encode(), context=_context(verification_id))
    await connection.execute(
        "INSERT INTO inquiry (verification_id, actor, webhook_url, webhook_secret) VALUES ($1, $2, $3, $4)",
        verification_id,
        actor,
        str(webhook.url) if webhook else None,
        secret,
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
