"""`GET /coverages`: what is known of every coverage, in the order in which it changed, for programs that keep up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from billing.paging import Place
from billing.verification.answer import Outcome
from billing.verification.model import State
from billing.verification.shown import VERIFICATION, VerificationShown, verification_shown
from chassis.database import Database
from chassis.http import Actor, Role, record_access, requires
from contracts.billing import Owner

READ = "coverages:read"

Reader = Annotated[Actor, requires(Role.ENGINE, Role.BILLING, Role.STAFF, Role.CLINICIAN, scope=READ)]
Text = Annotated[str, Query(min_length=1, max_length=100)]


class CoveragePage(BaseModel):
    """The latest verification of each coverage; what changed longest ago comes first."""

    coverages: list[VerificationShown]
    cursor: str | None = Field(description="Ask with this for what follows; null when nothing does yet")


def coverage_feed(database: Database) -> APIRouter:
    router = APIRouter(tags=["coverage"])

    @router.get("/coverages", summary="What is known of every coverage, as it changes")
    async def listed(
        actor: Reader,
        outcome: Outcome | None = None,
        state: State | None = None,
        owner: Owner | None = None,
        payer_id: Text | None = None,
        patient_id: Text | None = None,
        updated_since: Annotated[AwareDatetime | None, Query(description="By the machine's clock")] = None,
        cursor: Annotated[str | None, Query(max_length=200, description="Of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> CoveragePage:
        """Left out are superseded ones, and people whom a program has asked about, who are no patients.

        To miss nothing that is being committed, ask from a minute before the last.
        """
        wanted = {"outcome": outcome, "state": state, "owner": owner, "payer_id": payer_id, "patient_id": patient_id}
        after = Place.read(cursor or None, "cursor")
        async with database.connection() as connection:
            rows = await _page(connection, wanted, updated_since, after, limit + 1)
            page = rows[:limit]
            await record_access(connection, actor, subjects=[row["patient_id"] for row in page], what="coverages")
        last = page[-1] if len(rows) > limit else None
        more = str(Place(last["changed_at"], last["verification_id"])) if last else None
        return CoveragePage(coverages=[verification_shown(dict(row)) for row in page], cursor=more)

    return router


async def _page(
    connection: asyncpg.Connection,
    wanted: dict[str, Any],
    since: datetime | None,
    after: Place | None,
    limit: int,
) -> list[asyncpg.Record]:
    conditions, values = ["latest"], list[Any]()
    for column, value in wanted.items():
        if value is not None:
            values.append(value)
            conditions.append(f"{column} = ${len(values)}")
    if since is not None:
        values.append(since)
        conditions.append(f"changed_at >= ${len(values)}")
    if after is not None:
        values += [after.at, after.id]
        conditions.append(f"(changed_at, verification_id) > (${len(values) - 1}, ${len(values)})")
    return await connection.fetch(
        f"SELECT {VERIFICATION}, changed_at FROM verification WHERE {' AND '.join(conditions)} "  # noqa: S608  (columns of ours)
        f"ORDER BY changed_at, verification_id LIMIT {limit}",
        *values,
    )
