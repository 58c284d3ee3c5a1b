"""Filling in the clinic's public form over HTTP, as a browser would."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.patients.people import Person

if TYPE_CHECKING:
    import httpx

Upload = tuple[str, bytes, str]
"""File name, content, media type."""

Photos = Mapping[str, Upload]
"""By the form's field: card_front, card_back."""


class NotTaken(Exception):
    """The form answered with something other than 201; `status` is 0 where the answer could not be read."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"the form answered {status}")
        self.status = status
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Submitted:
    reference: str
    patient_id: str


async def submit(client: "httpx.AsyncClient", intake_url: str, person: Person, photos: Photos) -> Submitted:
    """Send `person`'s form. Raises NotTaken, or httpx.HTTPError when the clinic cannot be reached."""
    # A field without a file name makes the body multipart even where no photo is sent.
    fields: dict[str, Any] = {name: (None, value) for name, value in person.form_fields().items()}
    answer = await client.post(
        intake_url.rstrip("/") + "/", files={**fields, **photos}, headers={"Accept": "application/json"}
    )
    if answer.status_code != 201:
        raise NotTaken(answer.status_code, answer.text[:2000])
    try:
        body = answer.json()
        return Submitted(reference=body["reference"], patient_id=body["patient_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotTaken(0, answer.text[:2000]) from error
