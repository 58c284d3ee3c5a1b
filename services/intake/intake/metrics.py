"""What intake measures."""

from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, Counter, Gauge

from chassis.database import Database
from chassis.failures import cause_of
from chassis.log import logger
from chassis.sampling import keep_sampling

_WAITING = """
SELECT count(*) FILTER (WHERE urgent) AS urgent, count(*) FILTER (WHERE NOT urgent) AS routine
FROM intake WHERE assessment_booked_at IS NULL
"""


class IntakeMetrics:
    """Counters are the handlers' to raise; `sample` keeps what only the database knows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.intakes = Counter(
            "stillwater_intakes",
            "Forms sent, by outcome: accepted, repeated, refused (a field at fault), unreadable (as a whole)",
            ["outcome"],
            registry=registry,
        )
        self.photos_refused = Counter(
            "stillwater_card_photos_refused", "Photographs not taken, by fault", ["fault"], registry=registry
        )
        self.upload_bytes = Counter(
            "stillwater_card_upload_bytes", "Bytes of photographs received, as sent", registry=registry
        )
        self.card_readings = Counter(
            "stillwater_card_readings", "Cards read, by outcome", ["outcome"], registry=registry
        )
        self.orphans_swept = Counter(
            "stillwater_card_orphans_swept", "Stored files that no intake knew, removed", registry=registry
        )
        self.waiting = Gauge(
            "stillwater_intakes_waiting",
            "Intakes without a booked assessment, by urgency: urgent, routine",
            ["urgency"],
            registry=registry,
        )
        self._forget()

    async def sample(self, database: Database) -> None:
        await keep_sampling(lambda: self._sample(database), self._unknown)

    async def _sample(self, database: Database) -> None:
        async with database.connection() as connection:
            row = await connection.fetchrow(_WAITING)
        assert row is not None
        self.waiting.labels("urgent").set(row["urgent"])
        self.waiting.labels("routine").set(row["routine"])

    def _unknown(self, error: Exception) -> None:
        logger.warning("intakes_waiting_unknown", cause=cause_of(error))
        self._forget()

    def _forget(self) -> None:
        self.waiting.labels("urgent").set(math.nan)
        self.waiting.labels("routine").set(math.nan)
