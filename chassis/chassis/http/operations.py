"""What whoever operates the service asks: is it alive, does it make progress, what does it measure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from chassis.log import logger

Readiness = Callable[[], Awaitable[list[str]]]
"""Returns the reasons why the service makes no progress; none when it does."""

_PATIENCE_SECONDS: Final = 5.0


def operations(readiness: Readiness, registry: CollectorRegistry) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> dict[str, bool]:
        return {"alive": True}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        reasons = await _reasons(readiness)
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": media_type})

    return router


async def _reasons(readiness: Readiness) -> list[str]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await readiness()
    except TimeoutError:
        return [f"could not tell within {_PATIENCE_SECONDS:.0f} s"]
    except Exception as error:
        logger.error("readiness_failed", exc_info=error)
        return [f"could not tell: {type(error).__name__}"]
