"""Which insurance pays first, and what changed in it, over HTTP. Every look at a patient is recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from billing.benefits.order import Place
from billing.verification import changing, shown
from billing.verification.api import MOST_CHANGES, MOST_COVERAGES, Biller, CoverageIdInPath, Coverages, refusing
from billing.verification.by_hand import ByHand
from billing.verification.changing import ChangedShown
from billing.verification.concluding import CHANGED
from chassis.database import Database
from chassis.http import Problem, record_access

NO_SUCH_CHANGE = "There is no change with this number. GET /coverage-changes lists those that wait for a person."


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"order": "primary"}]})

    order: Place | None = Field(description="null takes back what a person had said")


class ChangedPage(BaseModel):
    changes: list[ChangedShown]
    after: int | None = Field(None, description="Ask with this for the page that follows; null on the last one")


def benefits_api(database: Database, by_hand: ByHand) -> APIRouter:
    router = APIRouter(tags=["coverage"])

    @router.post("/coverages/{coverage_id}/order", summary="Say which insurance pays first")
    async def order(coverage_id: CoverageIdInPath, wanted: Order, actor: Biller) -> Coverages:
        async with database.transaction() as tx, refusing():
            coverage = await by_hand.order(tx, coverage_id, wanted.order, actor)
            await record_access(tx.connection, actor, subjects=[coverage.patient_id], what="coverage")
            found = await shown.coverages_shown(tx.connection, coverage.patient_id, MOST_COVERAGES)
            tx.wake(CHANGED)
        return Coverages(coverages=found)

    @router.get("/coverages/{coverage_id}/answers-changed", summary="What changed from answer to answer, newest first")
    async def of_coverage(coverage_id: CoverageIdInPath, actor: Biller) -> ChangedPage:
        async with database.connection() as connection:
            found = await changing.of_coverage(connection, coverage_id, MOST_CHANGES)
            await record_access(
                connection, actor, subjects=sorted({one.patient_id for one in found}), what="coverage changes"
            )
        return ChangedPage(changes=found, after=None)

    @router.get("/coverage-changes", summary="Changes that wait for a person, the oldest first")
    async def to_be_done(
        actor: Biller,
        after: Annotated[int, Query(ge=0, description="`after` of the page before")] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ChangedPage:
        async with database.connection() as connection:
            found = await changing.to_be_done(connection, after, limit + 1)
            page = found[:limit]
            await record_access(
                connection, actor, subjects=sorted({one.patient_id for one in page}), what="coverage changes"
            )
        return ChangedPage(changes=page, after=page[-1].id if len(found) > limit else None)

    @router.post("/coverage-changes/{id}/done", summary="Mark what a change asked for as done")
    async def done(id: Annotated[int, Path(ge=1, lt=2**63)], actor: Biller) -> ChangedShown:
        async with database.transaction() as tx:
            found = await changing.mark_done(tx.connection, id, actor.name, tx.now)
            if found is None:
                raise Problem(404, "No such change", NO_SUCH_CHANGE)
            await record_access(tx.connection, actor, subjects=[found.patient_id], what="coverage change")
            tx.wake(CHANGED)
        return found

    return router
