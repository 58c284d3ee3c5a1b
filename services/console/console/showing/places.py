"""Where a list of the console goes on."""

from __future__ import annotations

from uuid import UUID

from chassis.http.places import count, instant, name, read_place
from console.showing.reading import JournalPlace, PatientPlace, TaskPlace


def patient_place(text: str | None, field: str = "after") -> PatientPlace | None:
    """Raises a 422 problem."""
    if text is None:
        return None
    at, id = read_place(text, field, instant, name)
    return at, id


def task_place(text: str | None, field: str = "after") -> TaskPlace | None:
    """Raises a 422 problem."""
    if text is None:
        return None
    rank, at, id = read_place(text, field, _rank, instant, count)
    return rank, at, id


def event_place(text: str | None, field: str = "before") -> JournalPlace | None:
    """Raises a 422 problem."""
    if text is None:
        return None
    at, id = read_place(text, field, instant, UUID)
    return at, str(id)


def _rank(text: str) -> int:
    rank = count(text)
    if rank > 9_999:
        raise ValueError
    return rank
