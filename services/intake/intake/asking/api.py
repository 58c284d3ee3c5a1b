"""The form over JSON: the same desk, told and answered by machines."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from chassis.http import Problem
from contracts.intake import Insured, Treatment
from intake.asking.desk import FrontDesk
from intake.asking.model import FormFaulty
from intake.uploads.multipart import FormUnreadable

LARGEST_BODY: Final = 1024 * 1024 * 1024
"""Leaves it to the form's own reader to refuse, as it can tell a person why."""


class IntakeForm(BaseModel):
    """What a person asks for. A name, and a phone number or an e-mail address; everything else may be left out."""

    name: str = Field(max_length=200, examples=["Ada Byron"])
    phone: str | None = Field(None, max_length=60, examples=["(330) 555-0123"], description="US unless it says")
    email: str | None = Field(None, max_length=254, examples=["ada@example.com"])
    birth_date: date | None = Field(None, description="From 1900-01-01 to today", examples=["1985-07-30"])
    reason: str | None = Field(None, max_length=4_000)
    treatment: Treatment | None = None
    insured: Insured | None = None
    payer: str | None = Field(None, max_length=120, examples=["Lakeshore Mutual"])
    member_id: str | None = Field(None, max_length=40, examples=["XYZ123456789"])
    consent_texts: bool | None = Field(None, description="Agrees to appointment texts in the clinic's words")
    in_danger: bool | None = Field(None, description="In danger, or thinking of harming oneself, now")


class IntakeFormWithPhotos(IntakeForm):
    card_front: bytes | None = Field(
        None, description="JPEG, PNG, WebP or HEIC, at most 32 MB", json_schema_extra={"format": "binary"}
    )
    card_back: bytes | None = Field(
        None, description="JPEG, PNG, WebP or HEIC, at most 32 MB", json_schema_extra={"format": "binary"}
    )


class Taken(BaseModel):
    """The form was taken; Location is a confirmation page for the person."""

    reference: str = Field(description="For the person to quote", examples=["7KMQ-2XPD"])
    patient_id: str


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    for field in schema["properties"].values():
        field["anyOf"] = [parts.get(one.get("$ref", "").rpartition("/")[2], one) for one in field.get("anyOf", [])]
        if not field["anyOf"]:
            del field["anyOf"]
    return {"schema": schema}


_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _schema(IntakeForm),
            "multipart/form-data": _schema(IntakeFormWithPhotos),
            "application/x-www-form-urlencoded": _schema(IntakeForm),
        },
    },
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            "description": "The same key with the same form gets the first answer again",
        }
    ],
}


def intake_api(desk: FrontDesk) -> APIRouter:
    router = APIRouter(tags=["asking for help"])

    @router.post(
        "/intakes",
        status_code=201,
        response_model=Taken,
        summary="Ask for help",
        openapi_extra=_BODY,
        max_body_size=LARGEST_BODY,
    )
    async def ask(request: Request) -> Response:
        return await answer_in_json(desk, request)

    return router


async def answer_in_json(desk: FrontDesk, request: Request) -> Response:
    """Raises Problem with a message for each field at fault."""
    try:
        with desk.place():
            sent = await desk.read(request)
            return await desk.take(sent, key=request.headers.get("Idempotency-Key"))
    except FormUnreadable as unreadable:
        retry = {"Retry-After": "60"} if unreadable.status == 503 else {}
        raise Problem(
            unreadable.status, "The form cannot be read", unreadable.sentence, headers={**retry, "Connection": "close"}
        ) from None
    except FormFaulty as faulty:
        errors = [{"field": name, "message": sentence} for name, sentence in faulty.faults.items()]
        raise Problem(422, "Some fields need another look", "See `errors` for each field.", errors) from None
