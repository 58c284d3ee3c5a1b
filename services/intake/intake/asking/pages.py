"""The public page: the form, its answer, and what is said when a form cannot be taken."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.http import Problem
from intake.asking.api import LARGEST_BODY, answer_in_json
from intake.asking.desk import RECEIVED, FrontDesk
from intake.asking.model import EARLIEST_BIRTH, FormFaulty, says_in_danger
from intake.asking.sent import SentForm
from intake.uploads.multipart import FormUnreadable

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = (_TEMPLATES / "style.css").read_bytes()
_STYLE_PATH: Final = f"/style.{sha256(_STYLE).hexdigest()[:12]}.css"
_ICON: Final = (_TEMPLATES / "icon.svg").read_bytes()
_A_DAY: Final = "public, max-age=86400"
_A_YEAR: Final = "public, max-age=31536000, immutable"

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class _Filled:
    """The form as it stands in front of a person."""

    form_id: str
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: Mapping[str, str] = field(default_factory=dict[str, str])
    photos_lost: bool = False
    """Photographs came with a form that could not be taken: a browser does not send them again by itself."""


class PublicPages:
    """Renders; decides nothing."""

    def __init__(self, desk: FrontDesk) -> None:
        self._desk = desk
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def form(self, filled: _Filled, status: int = 200) -> HTMLResponse:
        today = self._desk.clock.now().astimezone(self._desk.clinic.zone).date()
        return self._page(
            "form.html",
            status,
            form_id=filled.form_id,
            values=filled.values,
            faults=filled.faults,
            photos_lost=filled.photos_lost,
            in_danger=says_in_danger(filled.values),
            earliest_birth=EARLIEST_BIRTH,
            today=today,
        )

    def received(self, reference: str | None, *, in_danger: bool) -> HTMLResponse:
        return self._page("received.html", 200, reference=reference, in_danger=in_danger)

    def trouble(self, status: int, sentence: str, *, in_danger: bool = False) -> HTMLResponse:
        return self._page("trouble.html", status, sentence=sentence, in_danger=in_danger)

    def _page(self, template: str, status: int, **context: object) -> HTMLResponse:
        html = self._environment.get_template(template).render(clinic=self._desk.clinic, style=_STYLE_PATH, **context)
        return HTMLResponse(html, status, _HEADERS)


def public_pages(desk: FrontDesk) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    pages = PublicPages(desk)

    @router.get("/")
    async def form() -> HTMLResponse:
        return pages.form(_Filled(new_form_id()))

    @router.post("/", max_body_size=LARGEST_BODY)
    async def send(request: Request) -> Response:
        if wants_json(request):
            return await answer_in_json(desk, request)
        return await _answer_in_html(desk, pages, request)

    @router.get(RECEIVED + "{receipt}")
    async def received(receipt: str) -> HTMLResponse:
        found = await desk.receipt(receipt)
        if found is None:
            return pages.trouble(404, "We do not know this address. If you sent us a form, we have it all the same.")
        return pages.received(found.reference, in_danger=found.in_danger)

    @router.get("/icon.svg")
    async def icon() -> Response:
        return Response(_ICON, media_type="image/svg+xml", headers={"Cache-Control": _A_DAY})

    @router.get(_STYLE_PATH)
    async def style() -> Response:
        return Response(_STYLE, media_type="text/css", headers={"Cache-Control": _A_YEAR})

    return router


async def _answer_in_html(desk: FrontDesk, pages: PublicPages, request: Request) -> Response:
    try:
        with desk.place():
            sent = await desk.read(request)
            return await _taken(desk, pages, sent, request.headers.get("Idempotency-Key"))
    except FormUnreadable as unreadable:
        return pages.trouble(unreadable.status, unreadable.sentence)


async def _taken(desk: FrontDesk, pages: PublicPages, sent: SentForm, key: str | None) -> Response:
    """The confirmation lies behind a redirect, so that reloading it sends nothing again."""
    try:
        response = await desk.take(sent, key=key)
    except FormFaulty as faulty:
        return pages.form(_refilled(sent, faulty), 422)
    except Problem as problem:
        return pages.trouble(problem.status_code, _sentence(problem), in_danger=says_in_danger(sent.values))
    return RedirectResponse(response.headers["Location"], 303, {"Cache-Control": "no-store"})


def _refilled(sent: SentForm, faulty: FormFaulty) -> _Filled:
    return _Filled(
        form_id=sent.form_id or new_form_id(),
        values=sent.values,
        faults=faulty.faults,
        photos_lost=bool(sent.digests),
    )


def _sentence(problem: Problem) -> str:
    if problem.status_code == 422:
        return "We have your first form already. To change something in it, call us and say your reference."
    return "We could not take the form just now. Send it again in a minute, or call us."


def new_form_id() -> str:
    return secrets.token_hex(16)


def wants_json(request: Request) -> bool:
    """Whoever asks for JSON, or sends it without asking for a page."""
    accepted = request.headers.get("accept", "")
    spoken = f"{accepted} {request.headers.get('content-type', '')}"
    return "application/json" in spoken and "text/html" not in accepted
