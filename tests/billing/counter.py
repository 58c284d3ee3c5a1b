"""The worklist as a browser reaches it: billing's own pages over a real listener, and cases to clear."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chassis.http import Role
from chassis.tokens import issue
from tests.billing.house import House, Settings, house
from tests.listening import listening
from tests.services import TOKEN_KEY


def patient(number: int) -> str:
    return f"patient_0198c5f2-0000-7000-8000-{number:012}"


@dataclass
class Counter:
    """Billing's front door."""

    house: House
    address: str

    def signed_in(self, role: Role = Role.BILLING, path: str = "/worklist") -> str:
        """The address that signs a browser in."""
        token = issue(TOKEN_KEY, actor="Nell Carver", role=role, ttl=timedelta(hours=1))
        return f"{self.address}/sign-in?next={path}#token={token}"


@asynccontextmanager
async def counter(settings: Settings, **knobs: Any) -> AsyncIterator[Counter]:
    async with (
        house(settings, live_interval_seconds=0.1, live_refresh_seconds=1.0, **knobs) as clinic,
        listening(clinic.service) as address,
    ):
        yield Counter(clinic, address)
