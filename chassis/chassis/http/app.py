"""The application that every service starts from; its own routers are added to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from chassis.database import Database
from chassis.http.access import access_log
from chassis.http.identity import requires
from chassis.http.operations import Readiness, operations
from chassis.http.parked import parked_records
from chassis.http.problems import PROBLEM_JSON, Problem, ProblemBody, speak_problems
from chassis.http.request import RequestScope, request_seconds
from chassis.http.sign_in import pages as sign_in_pages
from chassis.tokens import Actor

LARGEST_BODY: Final = 1024 * 1024
"""Bytes. A route that takes more says so: `@router.post("/intakes", max_body_size=…)`."""

_SILENT: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own telemetry puts paths, queries and exception texts on spans and logs."""

_ANY_PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "A problem, RFC 9457",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def create_app(
    name: str,
    *,
    token_key: SecretStr,
    registry: CollectorRegistry,
    readiness: Readiness,
    database: Database,
    pages: bool = False,
    asyncapi: Callable[[], dict[str, Any]] | None = None,
) -> FastAPI:
    """Mounts what every service has: health, metrics, its own description, the access log; with `pages` a sign-in."""
    app = _Application(
        title=f"Stillwater {name}",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=_ANY_PROBLEM,
        telemetry=_SILENT,
        middleware=[
            Middleware(RequestScope, seconds=request_seconds(registry)),
            Middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_BODY),
        ],
    )
    app.state.token_key = token_key
    app.state.pages = pages
    speak_problems(app)
    app.include_router(operations(readiness, registry))
    app.include_router(access_log(database))
    app.include_router(parked_records(database))
    if pages:
        app.include_router(sign_in_pages)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(_reader: Annotated[Actor, requires()]) -> dict[str, Any]:
        return app.openapi()

    @app.get("/asyncapi.json", include_in_schema=False)
    async def events(_reader: Annotated[Actor, requires()]) -> dict[str, Any]:
        if asyncapi is None:
            raise Problem(404, "No events", detail="This service neither says nor hears any.")
        return asyncapi()

    return app


class _Application(FastAPI):
    """Adds the one schema to which every route's problems refer."""

    def openapi(self) -> dict[str, Any]:
        whole = super().openapi()
        schemas = whole.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            schema = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {})
            schemas["Problem"] = schema
        return whole
