"""One clinic for all journeys: starting it takes longer than most of them."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.engines import Engines
from tests.journeys.clinics import Clinic, open_clinic


@pytest.fixture(scope="package")
async def clinic(engines: Engines) -> AsyncIterator[Clinic]:
    async with open_clinic(engines, "journeys-") as clinic:
        yield clinic
