"""Where a list goes on, as it stands in a URL: times and ids, never anything of a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.http import Problem
from console.showing.reading import JournalPlace, PatientPlace, TaskPlace


def at_patient(place: PatientPlace) -> str:
    return f"{place[0].isoformat()}~{place[1]}"


def at_task(place: TaskPlace) -> str:
    return f"{place[0]}~{place[1].isoformat()}~{place[2]}"


def at_event(place: JournalPlace) -> str:
    return f"{place[0].isoformat()}~{place[1]}"


def patient_place(text: str | None, field: str = "after") -> PatientPlace | None:
    """Raises a 422 problem."""
    if text is None:
        return None
    instant, _, id = text.partition("~")
    if not id:
        raise _not_valid(field)
    return _instant(instant, field), id


def task_place(text: str | None, field: str = "after") -> TaskPlace | None:
    """Raises a 422 problem."""
    if text is None:
        return None
    rank, instant, id = [*text.split("~"), "", ""][:3]
    if not (_is_count(rank, 4) and _is_count(id, 18)):
        raise _not_valid(field)
    return int(rank), _instant(instant, field), int(id)


def event_place(text: str | None, field: str = "before") -> JournalPlace | None:
    """Raises a 422 problem."""
    if text is None:
        return None
    instant, _, id = text.partition("~")
    try:
        return _instant(instant, field), str(UUID(id))
    except ValueError:
        raise _not_valid(field) from None


def _is_count(text: str, digits: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits


def _instant(text: str, field: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _not_valid(field) from None
    if instant.tzinfo is None or not 1900 <= instant.year <= 8000:
        raise _not_valid(field)
    return instant


def _not_valid(field: str) -> Problem:
    error = {"field": field, "message": "Take it from the page before, unchanged."}
    return Problem(422, "The place to go on from is not valid", errors=[error])
