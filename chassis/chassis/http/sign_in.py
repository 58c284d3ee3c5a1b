"""Signing in to the pages: a token, pasted or in a link's fragment, becomes a cookie that no script can read."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from chassis.http.identity import COOKIE, SIGN_IN, require_same_origin
from chassis.tokens import BadToken, verify

_PAGES: Final = Path(__file__).parent / "pages"
_LARGEST_FORM: Final = 16 * 1024
_WHY: Final = {"role": "The page that you asked for is not open to your role. Sign in as somebody else to see it."}

pages = APIRouter(include_in_schema=False)


@pages.get(SIGN_IN)
async def sign_in_page(next: str = "/", why: str = "") -> HTMLResponse:
    return _page(next, _WHY.get(why, ""))


@pages.post(SIGN_IN, max_body_size=_LARGEST_FORM)
async def sign_in(request: Request) -> Response:
    require_same_origin(request)
    form = parse_qs((await request.body()).decode(errors="replace"))
    token, wanted = (form.get(name, [""])[0].strip() for name in ("token", "next"))
    try:
        verify(request.app.state.token_key.get_secret_value(), token)
    except BadToken as error:
        return _page(wanted, f"That did not work: {error}. Ask for a new token, then paste all of it.", status=401)
    response = RedirectResponse(_local(wanted), 303)
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


@pages.post("/sign-out")
async def sign_out(request: Request) -> Response:
    require_same_origin(request)
    response = RedirectResponse(SIGN_IN, 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


@pages.get(f"{SIGN_IN}.js")
async def script() -> FileResponse:
    return FileResponse(_PAGES / "sign_in.js", media_type="text/javascript")


@pages.get(f"{SIGN_IN}.css")
async def style() -> FileResponse:
    return FileResponse(_PAGES / "sign_in.css", media_type="text/css")


_TEMPLATE: Final = Template((_PAGES / "sign_in.html").read_text())


def _page(wanted: str, message: str, status: int = 200) -> HTMLResponse:
    notice = f'<p class="notice" role="alert">{escape(message)}</p>' if message else ""
    html = _TEMPLATE.substitute(notice=notice, next=escape(_local(wanted), quote=True))
    return HTMLResponse(html, status, {"Cache-Control": "no-store"})


def _local(wanted: str) -> str:
    """A path of this site. Browsers read `//host` and `/\\host` as another site, and drop tabs and line ends."""
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if is_path and wanted.isprintable() and "\\" not in wanted else "/"
