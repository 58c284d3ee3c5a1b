"""No request ends in a fault of ours: a few hundred here, `make fuzz` for twenty thousand."""

from __future__ import annotations

import asyncio

import pytest

from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.topology import SERVICES
from tests.fuzz.requests import Answers, fuzz

pytestmark = pytest.mark.engines


async def test_whatever_is_asked_no_service_fails(engines: Engines) -> None:
    answers = Answers()
    async with House(engines=engines, prefix="fuzz-") as house:
        key = house.vault.secret("tokens")
        for service in SERVICES:
            await asyncio.to_thread(fuzz, house.url(service), key, 100, 1, answers)
    assert answers.requests > 300
    assert not answers.faults
    assert answers.statuses[200] and answers.statuses[401] and answers.statuses[422]
