"""The services and the outside world as the demo looks at them: over HTTP, with tokens, like anybody else."""

from __future__ import annotations

from typing import Any

import httpx

from chassis.tokens import Role
from deploy.local.doors import token
from deploy.local.house import House
from deploy.local.topology import SANDBOX


class Looking:
    """One client for everything; each look is by the role that may take it."""

    def __init__(self, house: House, client: httpx.AsyncClient) -> None:
        self._house = house
        self._client = client

    async def _get(self, part: str, path: str, role: Role | None = None, **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {token(self._house.vault.secret('tokens'), role)}"} if role else {}
        answer = await self._client.get(f"{self._house.url(part)}{path}", params=query, headers=headers)
        return answer.raise_for_status().json()

    async def patient(self, id: str) -> dict[str, Any]:
        return await self._get("intake", f"/patients/{id}", Role.STAFF)

    async def appointments(self, id: str) -> list[dict[str, Any]]:
        return (await self._get("scheduling", f"/patients/{id}/appointments", Role.STAFF))["appointments"]

    async def coverages(self, id: str) -> list[dict[str, Any]]:
        return (await self._get("billing", f"/patients/{id}/coverages", Role.BILLING))["coverages"]

    async def messages(self, id: str) -> list[dict[str, Any]]:
        return (await self._get("notify", f"/patients/{id}/messages", Role.STAFF))["messages"]

    async def on_the_console(self, id: str) -> dict[str, Any]:
        return await self._get("console", f"/api/patients/{id}", Role.STAFF)

    async def tasks(self) -> list[dict[str, Any]]:
        return (await self._get("console", "/api/tasks", Role.STAFF))["tasks"]

    async def letters(self, address: str) -> list[dict[str, Any]]:
        return (await self._get(SANDBOX, "/mailbox/messages", to=address))["messages"]

    async def texts(self, number: str) -> list[dict[str, Any]]:
        return (await self._get(SANDBOX, "/carrier/messages", to=number))["messages"]

    async def looked_at(self, part: str) -> set[str]:
        """Those of whom a part has lately recorded that somebody looked at them."""
        accesses = (await self._get(part, "/access-log", Role.AUDITOR, limit=200))["accesses"]
        return {subject for access in accesses for subject in access["subjects"]}
