"""The seven ways of coming to the clinic, each to its end."""

import pytest

from deploy.local.demo.drive import check, send, wait
from deploy.local.screen import Screen
from tests.journeys.clinics import Clinic

pytestmark = pytest.mark.engines


async def test_whoever_asks_for_help_is_booked_told_the_truth_and_known_to_every_service(clinic: Clinic) -> None:
    travellers = await send(clinic.house, clinic.client, 7, Screen())
    await wait(clinic.heard, travellers, Screen())
    together = await check(clinic.looking, clinic.heard, travellers)
    assert [*together, *(f"{one.name}: {problem}" for one in travellers for problem in one.problems)] == []
