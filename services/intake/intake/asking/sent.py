"""The form as it arrives over HTTP: multipart with photographs, urlencoded, or JSON; the same values in the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from fastapi import Request

from intake.asking.model import PHOTO_FIELDS, VALUE_FIELDS
from intake.uploads.faults import CardRefused
from intake.uploads.multipart import FormLimits, FormUnreadable
from intake.uploads.receiving import receive_form
from intake.uploads.storage import CardStore, SealedFile

FORM_ID: Final = "form_id"
"""The hidden field that tells one filled-in page from another, so that a double click sends one form."""

LIMITS: Final = FormLimits()
SMALL_BODY_BYTES: Final = 128 * 1024
"""Most that a form without photographs may have."""

_BOOLEANS: Final = {True: "yes", False: "no"}
_TOO_MUCH: Final = "That is more than this form can take. Send smaller photos, or call us."


@dataclass(slots=True)
class SentForm:
    """What somebody sent. Photographs lie raw and sealed in the store until somebody deletes them."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    faults: dict[str, str] = field(default_factory=dict[str, str])
    """Values that could not be taken at all: field → sentence."""
    photos: dict[str, SealedFile] = field(default_factory=dict[str, SealedFile])
    refused: dict[str, CardRefused] = field(default_factory=dict[str, CardRefused])
    digests: dict[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def form_id(self) -> str | None:
        given = self.values.get(FORM_ID, "")
        return given if given.isalnum() and given.isascii() and len(given) <= 64 else None

    def fingerprint(self) -> bytes:
        """A hash of all that was sent, the same for a repeat and for nothing else."""
        values = {name: self.values.get(name, "") for name in VALUE_FIELDS}
        photos = {name: self.digests[name].hex() for name in sorted(self.digests)}
        return sha256(json.dumps([values, photos]).encode()).digest()


async def read_sent(request: Request, store: CardStore) -> SentForm:
    """Read a form in whichever way it was sent. Raises FormUnreadable."""
    sent = await _read_any(request, store)
    for name in PHOTO_FIELDS:
        if sent.values.pop(name, ""):
            sent.faults[name] = "A photo has to come as a file, in a form sent as multipart/form-data."
    return sent


async def _read_any(request: Request, store: CardStore) -> SentForm:
    content_type = request.headers.get("content-type", "")
    match content_type.partition(";")[0].strip().lower():
        case "multipart/form-data":
            return await _multipart(request, content_type, store)
        case "application/x-www-form-urlencoded":
            return _urlencoded(await _small_body(request))
        case "application/json":
            return _json(await _small_body(request))
        case _:
            raise FormUnreadable(
                415, "Send the form as multipart/form-data, application/x-www-form-urlencoded or application/json."
            )


async def _multipart(request: Request, content_type: str, store: CardStore) -> SentForm:
    if _announced(request) > LIMITS.body_bytes:
        raise FormUnreadable(413, _TOO_MUCH)
    form = await receive_form(request.stream(), content_type, photo_fields=PHOTO_FIELDS, store=store, limits=LIMITS)
    sent = SentForm(form.fields.values, {}, form.photos, form.refused, form.digests)
    for name in form.fields.unusable & set(VALUE_FIELDS):
        sent.faults[name] = "This is too long, or not text. Shorten it."
    return sent


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


async def _small_body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > SMALL_BODY_BYTES:
            raise FormUnreadable(413, _TOO_MUCH)
    return bytes(body)


def _urlencoded(body: bytes) -> SentForm:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=LIMITS.parts)
    except ValueError:
        raise FormUnreadable(400, "The form arrived damaged. Go back and send it again.") from None
    return SentForm(values=dict(pairs))


def _json(body: bytes) -> SentForm:
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise FormUnreadable(400, "The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise FormUnreadable(400, "The body should be a JSON object with the form's fields.")
    sent = SentForm()
    for name, value in cast("dict[str, Any]", content).items():
        if isinstance(value, str):
            sent.values[name] = value
        elif isinstance(value, bool):
            sent.values[name] = _BOOLEANS[value]
        elif value is not None and name in (*VALUE_FIELDS, *PHOTO_FIELDS):
            sent.faults[name] = "This should be a string, or true or false where the answer is yes or no."
    return sent
