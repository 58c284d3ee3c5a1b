"""People who ask for help, and what they were promised: a 201 with a patient id is a promise."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import httpx

from sandbox.patients.people import People, Person

A_SECOND = 6.0
"""Forms."""
_PATIENCE_SECONDS = 90.0
_SCENARIOS = ("covered_typed", "covered_typed", "carved_out", "uninsured", "without_card", "unsure", "in_danger")
_TWICE = 0.15
"""Of the forms are sent a second time after they were taken, as by a double click."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What somebody was answered. Nothing of who they are."""

    key: str
    patient_id: str
    reference: str
    asked_at: float
    accepted_at: float
    insured: bool
    """Payer and member number were typed, so a payer is asked."""
    in_danger: bool
    answers: int
    """Times that the form was answered with 201."""
    ids: tuple[str, ...]
    """Every patient id that was answered: one, if all is well."""


class Load:
    """A steady stream of made-up people, who send their form again until it is taken."""

    def __init__(self, url: str, seed: str, told: Callable[[Promise], None]) -> None:
        self._url = url
        self._chance = random.Random(seed)
        self._people = People(self._chance.getrandbits(32))
        self._told = told

    async def run(self, seconds: float) -> None:
        """Returns when everybody has been taken. Raises TimeoutError for somebody who never was."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client, asyncio.TaskGroup() as group:
            for _ in range(round(seconds * A_SECOND)):
                person = self._people.with_scenario(self._chance.choice(_SCENARIOS))
                key = str(UUID(int=self._chance.getrandbits(128), version=4))
                group.create_task(self._ask(client, person, key, twice=self._chance.random() < _TWICE))
                await asyncio.sleep(1 / A_SECOND)

    async def _ask(self, client: httpx.AsyncClient, person: Person, key: str, *, twice: bool) -> None:
        asked_at = time.time()
        ids: list[str] = []
        first = await self._until_taken(client, person, key)
        accepted_at = time.time()
        ids.append(first["patient_id"])
        if twice:
            ids.append((await self._until_taken(client, person, key))["patient_id"])
        self._told(
            Promise(
                key=key,
                patient_id=ids[0],
                reference=first["reference"],
                asked_at=asked_at,
                accepted_at=accepted_at,
                insured={"payer", "member_id"} <= set(person.types),
                in_danger=person.in_danger,
                answers=len(ids),
                ids=tuple(sorted(set(ids))),
            )
        )

    async def _until_taken(self, client: httpx.AsyncClient, person: Person, key: str) -> dict[str, str]:
        headers = {"Idempotency-Key": key, "Accept": "application/json"}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                try:
                    answer = await client.post(f"{self._url}/intakes", json=person.form_json(), headers=headers)
                except httpx.HTTPError:
                    answer = None
                if answer is not None and answer.status_code == 201:
                    return answer.json()
                if answer is not None and answer.status_code < 500 and answer.status_code not in (408, 429):
                    raise AssertionError(f"the form was refused: {answer.status_code} {answer.text[:300]}")
                await asyncio.sleep(0.2)
