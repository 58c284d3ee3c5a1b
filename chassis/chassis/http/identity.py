"""Who may: a bearer token in `Authorization` for machines, the same token in a cookie for pages."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chassis.http.context import current
from chassis.http.problems import Problem
from chassis.tokens import Actor, BadToken, Role, verify

COOKIE: Final = "stillwater_token"
SIGN_IN: Final = "/sign-in"

_READING: Final = frozenset({"GET", "HEAD"})
_BEARER: Final = HTTPBearer(auto_error=False, bearerFormat="JWT", description="Names the actor and the role.")


def requires(*roles: Role, scope: str | None = None) -> Any:
    """The dependency that admits an actor in one of `roles`, or in any role where none is named.

    `actor: Annotated[Actor, requires(Role.STAFF)]`. Others get a 401 or 403 problem; a browser that asks for a page
    is sent to the sign-in page where the application has one. An engine, and any token that names scopes, needs
    `scope` as well, such as `eligibility:ask`.
    """
    admitted = frozenset(roles or Role)

    async def admit(
        request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> Actor:
        actor = _who(request, bearer)
        if actor.role not in admitted:
            raise _forbidden(request, actor, admitted)
        if roles and scope is None and actor.scopes:
            raise Problem(403, "Not for this token", "Your token is for what its scopes name; this is none of them.")
        if scope and (actor.scopes or actor.role is Role.ENGINE) and scope not in actor.scopes:
            raise Problem(403, "Not for this token", f"This takes a token with the scope {scope}.")
        if context := current.get():
            context.actor = actor
        return actor

    return Depends(admit)


def require_same_origin(request: Request) -> None:
    """Refuse what another site's page had the browser send. Browsers tell by Sec-Fetch-Site, older ones by Origin."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "")
    own = site == "same-origin" if site else origin.partition("://")[2] == request.headers.get("host", "-")
    if not own:
        raise Problem(403, "Not from here", "A change made with the sign-in cookie has to come from our own pages.")


def _who(request: Request, bearer: HTTPAuthorizationCredentials | None) -> Actor:
    token = bearer.credentials if bearer else request.cookies.get(COOKIE)
    if not token:
        raise _unknown(request, "Send a bearer token in the Authorization header.")
    try:
        actor = verify(request.app.state.token_key.get_secret_value(), token)
    except BadToken as error:
        raise _unknown(request, f"{str(error).capitalize()}.", 'Bearer error="invalid_token"') from None
    if bearer is None and request.method not in _READING:
        require_same_origin(request)
    return actor


def _unknown(request: Request, detail: str, challenge: str = "Bearer") -> HTTPException:
    if _is_page(request):
        return _to_sign_in(request, "")
    return Problem(401, "Sign in first", detail, headers={"WWW-Authenticate": challenge})


def _forbidden(request: Request, actor: Actor, admitted: frozenset[Role]) -> HTTPException:
    if _is_page(request):
        return _to_sign_in(request, "&why=role")
    return Problem(403, "Not for this role", f"Your role is {actor.role}; this takes {' or '.join(sorted(admitted))}.")


def _is_page(request: Request) -> bool:
    accepts = request.headers.get("accept", "")
    return request.app.state.pages and request.method in _READING and "text/html" in accepts


def _to_sign_in(request: Request, why: str) -> HTTPException:
    wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return HTTPException(303, headers={"Location": f"{SIGN_IN}?next={quote(wanted, safe='')}{why}"})
