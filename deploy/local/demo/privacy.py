"""Whether anything about the seven has got to where nothing about a person belongs: logs, metrics, keys and headers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from deploy.local.house import House
from deploy.local.topology import SANDBOX, SERVICES
from sandbox.patients.people import Person


def secrets_of(person: Person) -> list[str]:
    """What would give this person away, in the spellings in which it might turn up."""
    digits = person.phone.removeprefix("+1")
    insurance = [person.insurance.member_id] if person.insurance else []
    return [person.name, person.last_name.upper(), person.email, digits, person.birth_date.isoformat(), *insurance]


def leaks(people: Iterable[Person], places: Mapping[str, str]) -> list[str]:
    """Where something of somebody stands. Pure. Says who and where, and not what."""
    return [
        f"{person.scenario}: something about them stands in {place}"
        for person in people
        for place, text in places.items()
        if any(secret in text for secret in secrets_of(person))
    ]


async def places_to_search(house: House, client: httpx.AsyncClient, keys_and_headers: str) -> dict[str, str]:
    """Every log but that of the outside world, every service's metrics, and all keys and headers of events."""
    logs = await asyncio.to_thread(_logs, house.folder)
    metrics = {
        f"the metrics of {part}": (await client.get(f"{house.url(part)}/metrics")).raise_for_status().text
        for part in SERVICES
    }
    return {**logs, **metrics, "keys and headers of events": keys_and_headers}


def _logs(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and (path.suffix == ".log" or path.name == "log"))
    return {
        f"the log {path.name}": text
        for path in found
        if path.stem != SANDBOX and "\0" not in (text := path.read_text(errors="replace"))
    }
