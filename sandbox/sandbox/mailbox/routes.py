"""The mailbox over HTTP: its page, its JSON and its controls."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import HTMLResponse

from sandbox.mailbox.letters import Letter
from sandbox.mailbox.server import Mailbox, MailboxConduct

SHOWN = 200


def routes(mailbox: Mailbox, page: Callable[..., HTMLResponse]) -> APIRouter:
    router = APIRouter(tags=["mailbox"])

    def letter_numbered(number: int) -> Letter:
        letter = mailbox.letters.find(number)
        if letter is None:
            raise HTTPException(404, "No such letter; only the latest are kept.")
        return letter

    @router.get("/mailbox", response_class=HTMLResponse)
    async def shown(request: Request, to: str = "") -> HTMLResponse:
        return page(request, "mailbox.html", letters=mailbox.letters.matching(to, SHOWN), to=to)

    @router.get("/mailbox/messages")
    async def seen(to: str | None = None, limit: Annotated[int, Query(ge=1, le=5000)] = SHOWN) -> dict[str, Any]:
        """How many letters were ever accepted, and the latest, newest first."""
        found = mailbox.letters.matching(to, limit)
        return {"accepted": mailbox.letters.accepted, "messages": [letter.resource() for letter in found]}

    @router.get("/mailbox/{number}", response_class=HTMLResponse)
    async def opened(request: Request, number: int) -> HTMLResponse:
        return page(request, "letter.html", letter=letter_numbered(number))

    @router.put("/control/mailbox")
    async def behave(conduct: MailboxConduct) -> MailboxConduct:
        """Make the mail server slow, hanging, deferring (451), refusing (550), forgetful or healthy."""
        mailbox.conduct = conduct
        return conduct

    @router.delete("/control/mailbox/messages", status_code=204)
    async def forget() -> None:
        """Empty the mailbox."""
        mailbox.letters.clear()

    return router
