"""Around every request: its id, its time, its log line, the headers that protect it, and what is left of a crash."""

from __future__ import annotations

import re
import time
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from uuid_utils import uuid7

from chassis.http.context import RequestContext, current
from chassis.http.problems import Problem, too_large
from chassis.log import logger

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_CLIENT_LEFT: Final = 499
"""Nobody sees this status; logs and metrics tell by it that the client did not wait."""

_PROTECTION: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""A response that brings one of these headers keeps its own."""


def request_seconds(registry: CollectorRegistry) -> Histogram:
    return Histogram(
        "stillwater_http_request_duration_seconds",
        "From a request's headers to the end of its answer; to its start for an event stream",
        ["method", "route", "status"],
        buckets=_BUCKETS,
        registry=registry,
    )


class RequestScope:
    """ASGI middleware, outermost of ours."""

    def __init__(self, app: ASGIApp, seconds: Histogram) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        context = RequestContext(_request_id(headers))
        known = {"request_id": context.id}
        if trace := _TRACEPARENT.fullmatch(headers.get("traceparent", "")):
            known["trace_id"] = trace[1]
        token = current.set(context)
        try:
            with bound_contextvars(**known):
                await self._follow(_Exchange(scope, receive, send, context))
        finally:
            current.reset(token)

    async def _follow(self, exchange: _Exchange) -> None:
        try:
            app = _NO_ADDRESS.response() if _holds_nul(exchange.scope) else self._app
            await app(exchange.scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            pass
        except Exception as error:
            logger.error("request_failed", method=exchange.method, route=exchange.route, exc_info=error)
            if exchange.status is not None:
                raise  # The server cuts the connection, so that half an answer does not pass for a whole one.
            await Problem(500, "Something went wrong here").response()(exchange.scope, exchange.receive, exchange.send)
        finally:
            self._record(exchange)

    def _record(self, exchange: _Exchange) -> None:
        seconds = (exchange.ended or time.perf_counter()) - exchange.began
        status = exchange.status or _CLIENT_LEFT
        self._seconds.labels(exchange.method, exchange.route, str(status)).observe(seconds)
        if exchange.route not in _QUIET or status >= 500:
            logger.info(
                "request",
                method=exchange.method,
                route=exchange.route,
                status=status,
                ms=round(seconds * 1000, 1),
            )


class _Exchange:
    """A request and what has become of its answer so far."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, context: RequestContext) -> None:
        self.scope = scope
        self.receive = receive
        self.method = scope["method"] if scope["method"] in _METHODS else "other"
        self.began = time.perf_counter()
        self.ended: float | None = None
        self.status: int | None = None
        self._send = send
        self._context = context
        self._replaced = False

    @property
    def route(self) -> str:
        """The route's template, never the path, which may hold anything."""
        # FastAPI keeps the whole template of an included router's route here, and the rest of it in "route".
        chosen = self.scope.get("fastapi", {}).get("effective_route_context") or self.scope.get("route")
        return getattr(chosen, "path_format", None) or getattr(chosen, "path", None) or "unmatched"

    async def send(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] == 413 and headers.get("content-type", "").startswith("text/plain"):
                # Starlette's own refusal of a body that no route has read is not a problem document.
                refusal = too_large(self.scope.get(MAX_BODY_SIZE_SCOPE_KEY, 0)).response()
                await refusal(self.scope, self.receive, self.send)
                self._replaced = True
                return
            self.status = message["status"]
            self._protect(headers)
            if headers.get("content-type", "").startswith("text/event-stream"):
                self.ended = time.perf_counter()
        await self._send(message)

    def _protect(self, headers: MutableHeaders) -> None:
        headers["X-Request-ID"] = self._context.id
        for name, value in _PROTECTION.items():
            headers.setdefault(name, value)
        if self._context.actor is not None or self.scope["method"] not in {"GET", "HEAD"}:
            headers.setdefault("Cache-Control", "no-store")


_NO_ADDRESS: Final = Problem(
    400, "The address cannot be read", "It holds the character NUL (%00), which is in no text here."
)


def _holds_nul(scope: Scope) -> bool:
    """Postgres takes every character in a text but this one."""
    return b"%00" in scope["query_string"] or "\0" in scope["path"]


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _SANE_ID.fullmatch(given) else str(uuid7())
