"""Errors as `application/problem+json` (RFC 9457): what was wrong, where, what is accepted. Never the input."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY

from chassis.http.context import request_id

PROBLEM_JSON: Final = "application/problem+json"

_QUOTES_INPUT: Final = {
    "uuid_parsing": "Input should be a valid UUID",
    "url_parsing": "Input should be a valid URL",
    "date_parsing": "Input should be a valid date, YYYY-MM-DD",
    "date_from_datetime_parsing": "Input should be a valid date, YYYY-MM-DD",
    "datetime_parsing": "Input should be a valid instant, for example 2026-03-01T09:30:00Z",
    "datetime_from_date_parsing": "Input should be a valid instant, for example 2026-03-01T09:30:00Z",
    "time_parsing": "Input should be a valid time of day, HH:MM",
    "time_delta_parsing": "Input should be a valid duration, ISO 8601",
    "bytes_invalid_encoding": "Input should be valid in its encoding",
    "get_attribute_error": "Input cannot be read",
    "iteration_error": "Input cannot be read",
    "mapping_type": "Input should be an object",
}
"""What we say where pydantic's own message may quote a part of what was sent."""

_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class FieldError(BaseModel):
    """One field at fault."""

    field: str = Field(description="Where: `birth_date`, `services.0.code`")
    message: str = Field(description="What was wrong and what is accepted")


class ProblemBody(BaseModel):
    """RFC 9457, with the request's id and the fields at fault."""

    title: str
    status: int
    detail: str | None = None
    request_id: str | None = None
    errors: list[FieldError] | None = None


class Problem(HTTPException):
    """Raise it to answer with a problem. `errors` are `{"field": …, "message": …}`; no text may hold PHI."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail or "", dict(headers) if headers else None)
        self.title = title
        self.errors = [FieldError.model_validate(error) for error in errors]

    def body(self) -> dict[str, Any]:
        whole = ProblemBody(
            title=self.title,
            status=self.status_code,
            detail=self.detail or None,
            request_id=request_id(),
            errors=self.errors or None,
        )
        return whole.model_dump(exclude_none=True)

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status_code, self.headers, media_type=PROBLEM_JSON)


def speak_problems(app: FastAPI) -> None:
    """Have every error of `app` that is not a crash answered as a problem."""
    app.add_exception_handler(AnyHTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)


def too_large(limit: int) -> Problem:
    return Problem(413, "The body is too large", f"At most {limit:,} bytes are accepted at this address.")


async def _answer_http(request: Request, error: Exception) -> Response:
    error = cast("AnyHTTPException", error)
    if isinstance(error, Problem):
        return error.response()
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    return _framework_problem(request, error).response()


def _framework_problem(request: Request, error: AnyHTTPException) -> Problem:
    """What FastAPI and Starlette raise by themselves, in our words where theirs say too little."""
    match error.status_code:
        case 404:
            return Problem(404, "Not found", "There is nothing at this address.")
        case 405:
            allowed = (error.headers or {}).get("Allow", "")
            return Problem(405, "Method not allowed", f"This address takes {allowed}.", headers=error.headers)
        case 413:
            return too_large(request.scope.get(MAX_BODY_SIZE_SCOPE_KEY, 0))
        case status:
            title = HTTPStatus(status).phrase
            return Problem(status, title, error.detail if error.detail != title else None, headers=error.headers)


async def _answer_invalid(_request: Request, error: Exception) -> Response:
    faults = cast("RequestValidationError", error).errors()
    return Problem(
        422,
        "The request does not fit",
        "See `errors` for each field at fault.",
        [{"field": _field(fault["loc"]), "message": _message(fault)} for fault in faults],
    ).response()


def _field(location: Sequence[str | int]) -> str:
    """`("body", "services", 0, "code")` → `services.0.code`; a key that is no plain name is not repeated."""
    place, *path = location
    plain = [str(part) if isinstance(part, int) or _PLAIN_NAME.fullmatch(part) else "…" for part in path]
    return ".".join(plain) or str(place)


def _message(fault: Mapping[str, Any]) -> str:
    kind = fault["type"]
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if kind == "json_invalid":
        return "The body should be valid JSON"
    if kind == "union_tag_invalid":
        return f"{context['discriminator']} should be one of {context['expected_tags']}"
    return _QUOTES_INPUT.get(kind) or str(fault["msg"]).removeprefix("Value error, ")
