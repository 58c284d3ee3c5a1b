"""The gateway over HTTP: its door, its controls, its record and the page of its members."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Query, Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse

from sandbox.payer.catalogue import Conduct, Member, Payer
from sandbox.payer.gateway import REAL_TIME, Gateway
from sandbox.payer.strangers import Mode

LATEST_SHOWN = 100


class Questions(BaseModel):
    """How often the gateway was asked, and the latest of it, newest first."""

    asked: int
    by_payer: dict[str, int]
    by_outcome: dict[str, int]
    questions: list[dict[str, Any]]


def routes(gateway: Gateway, page: Callable[..., HTMLResponse]) -> APIRouter:
    router = APIRouter(tags=["payer"])
    router.add_api_route(REAL_TIME, gateway.real_time, methods=["POST"], response_model=None)

    def payer_called(name: str) -> Payer:
        payer = gateway.catalogue.payer(name)
        if payer is None:
            raise HTTPException(404, f"No payer is called {name!r}; there are {', '.join(gateway.catalogue.payers)}.")
        return payer

    @router.get("/payer/members", response_class=HTMLResponse)
    async def members(request: Request) -> HTMLResponse:
        """Who is insured with whom, and what their payer answers."""
        return page(
            request,
            "members.html",
            catalogue=gateway.catalogue,
            payers=[(payer, gateway.conduct_of(payer)) for payer in gateway.catalogue.payers.values()],
            named=list(gateway.register.named()),
            registered=gateway.register.latest(LATEST_SHOWN),
            asked=gateway.record.asked,
        )

    @router.post("/control/members", status_code=201)
    async def register(members: Annotated[list[Member] | Member, Body()]) -> dict[str, int]:
        """Put members on record, one or a list; a number already taken is replaced."""
        listed = members if isinstance(members, list) else [members]
        for member in listed:
            if problem := gateway.catalogue.problem_with(member):
                raise HTTPException(422, problem)
        for member in listed:
            gateway.register.add(member)
        return {"registered": len(listed), "members": len(gateway.register)}

    @router.get("/control/members")
    async def latest(limit: Annotated[int, Query(ge=1, le=1000)] = LATEST_SHOWN) -> dict[str, list[Member]]:
        """The named members, and the latest registered."""
        return {"named": list(gateway.register.named()), "registered": gateway.register.latest(limit)}

    @router.get("/control/payers")
    async def payers() -> dict[str, Any]:
        """Each payer with its id and its present conduct."""
        return {
            payer.key: {"id": payer.id, "name": payer.name, "conduct": gateway.conduct_of(payer)}
            for payer in gateway.catalogue.payers.values()
        }

    @router.put("/control/payers/{payer}")
    async def behave(payer: str, conduct: Conduct) -> Conduct:
        """Make one payer slow, hanging, broken, refusing, cut_off, garbage or healthy, by key or payer id."""
        gateway.set_conduct(payer_called(payer), conduct)
        return conduct

    @router.delete("/control/payers", status_code=204)
    async def heal() -> None:
        """Every payer healthy again."""
        gateway.heal()

    @router.get("/control/payer/mode")
    async def mode() -> Mode:
        """Whom the gateway answers for."""
        return gateway.mode

    @router.put("/control/payer/mode")
    async def answer_for(mode: Mode) -> Mode:
        """Answer for members on record, instantly for anybody, or for anybody with misbehaviour drawn by a seed."""
        try:
            gateway.answer_for(mode)
        except ValueError as error:
            raise HTTPException(422, f"{error}.") from None
        return mode

    @router.get("/control/payer/questions")
    async def questions(
        payer: str | None = None,
        member_id: str | None = None,
        before: Annotated[int | None, Query(ge=1)] = None,
        limit: Annotated[int, Query(ge=1, le=20_000)] = 200,
    ) -> Questions:
        """The count of everything asked, and the latest questions; `before` a number, to page through them all."""
        record = gateway.record
        wanted = payer_called(payer).id if payer else None
        return Questions(
            asked=record.asked,
            by_payer=dict(record.by_payer),
            by_outcome=dict(record.by_outcome),
            questions=[asdict(asking) for asking in record.matching(wanted, member_id, before, limit)],
        )

    @router.delete("/control/payer/questions", status_code=204)
    async def forget() -> None:
        """Empty the record."""
        gateway.record.clear()

    return router
