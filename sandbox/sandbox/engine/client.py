"""A client of the clinic's door for engines: takes questions, asks the payer's gateway, posts what it was answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4

import httpx

from sandbox.engine.envelope import Away, ask


class Manner(StrEnum):
    """How an engine behaves."""

    WELL = "well"
    TWICE = "twice"
    """Posts each result two times."""
    LATE = "late"
    """Posts only after its lease has run out."""
    FOR_ANOTHER = "for_another"
    """Posts each answer under the lease of another question."""
    SILENT = "silent"
    """Takes questions and never posts anything."""
    GARBAGE = "garbage"
    """Posts something that is no X12."""


@dataclass
class Engine:
    """One engine with its token. `clinic` and `gateway` are addresses."""

    clinic: str
    token: str
    gateway: str
    manner: Manner = Manner.WELL
    lease_seconds: int = 60
    fates: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What the clinic said of each result."""

    async def once(self, at_most: int = 10) -> int:
        """Take what waits and deal with it. Returns how many questions that were."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.clinic, headers=headers, timeout=30, trust_env=False) as http:
            wanted = {"at_most": at_most, "seconds": self.lease_seconds}
            leases = (await http.post("/engines/leases", json=wanted)).raise_for_status().json()["leases"]
            if self.manner is not Manner.SILENT:
                results = await asyncio.gather(*(self._result(lease) for lease in leases))
                await self._post(http, leases, list(results))
        return len(leases)

    async def keep(self, pause_seconds: float = 1.0) -> None:
        """Go on until cancelled."""
        while True:
            if not await self.once():
                await asyncio.sleep(pause_seconds)

    async def _result(self, lease: dict[str, Any]) -> dict[str, Any]:
        if self.manner is Manner.GARBAGE:
            return {"x12": "this is no X12"}
        if lease["x12_270"] is None:
            return {"failed": "failing"}  # an engine that asks in another way than by X12 could
        try:
            return {
                "x12": await ask(self.gateway, lease["x12_270"], payer_id=lease["payer_id"], payload_id=str(uuid4()))
            }
        except Away as away:
            return {"failed": away.cause}

    async def _post(self, http: httpx.AsyncClient, leases: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
        if self.manner is Manner.LATE:
            await asyncio.sleep(self.lease_seconds + 0.5)
        if self.manner is Manner.FOR_ANOTHER:
            results = results[1:] + results[:1]
        for _ in range(2 if self.manner is Manner.TWICE else 1):
            for lease, result in zip(leases, results, strict=True):
                answer = await http.post(f"/engines/leases/{lease['lease_id']}/result", json=result)
                self.fates.append(answer.raise_for_status().json())
