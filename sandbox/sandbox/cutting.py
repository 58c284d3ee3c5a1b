"""Ending a connection in the middle of an answer, as broken networks do."""

import logging
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse


class CutOff(Exception):
    """Raised inside a streamed answer; the server can only close the connection."""


def cut_off(whole: Response) -> StreamingResponse:
    """The headers of `whole`, half of its body, and then no connection."""
    body = bytes(whole.body)

    async def half() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        raise CutOff

    return StreamingResponse(half(), whole.status_code, dict(whole.headers))


def keep_out_of_log() -> None:
    """A connection cut on purpose is no fault of the server: leave no stack trace of it."""
    logging.getLogger("uvicorn.error").addFilter(lambda record: not _meant(record))


def _meant(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return isinstance(error, CutOff)
