"""What the console measures: who waits, for how long, and how far behind the streams it is."""

from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, Gauge, Histogram

from chassis.database import Database
from chassis.failures import cause_of
from chassis.log import logger
from chassis.sampling import keep_sampling
from console.following.tasks import TaskKind

_LAG = "stillwater_consumer_lag_seconds"

_OPEN = """
SELECT kind, count(*) AS open, extract(epoch FROM $1 - min(since)) AS age
FROM task WHERE settled_at IS NULL AND person_from <= $1 GROUP BY kind
"""


class Delay:
    """How far what is shown is behind what was said, in machine seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "stillwater_console_event_delay_seconds",
            "From an event's time to its being applied here",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
            registry=registry,
        )
        self._lag = registry.restricted_registry([_LAG])

    def applied(self, seconds: float) -> None:
        """An event was applied so long after it was said."""
        self._seconds.observe(max(0.0, seconds))

    def behind(self) -> float:
        """Age of the oldest event that has come and is not shown yet; 0 where there is none; NaN where unknown."""
        samples = (sample for metric in self._lag.collect() for sample in metric.samples)
        return next((one.value for one in samples if one.labels.get("consumer") == "console"), math.nan)


class OpenTaskMetrics:
    """Sampled: only the database knows."""

    def __init__(self, registry: CollectorRegistry, database: Database) -> None:
        self._database = database
        self._in_danger = Gauge(
            "stillwater_people_in_danger", "People in danger whose flag nobody has cleared", registry=registry
        )
        self._open = Gauge("stillwater_tasks_open", "Tasks that need a person", ["kind"], registry=registry)
        self._oldest = Gauge(
            "stillwater_tasks_oldest_age_seconds",
            "Age of the oldest task that needs a person, clinic time",
            ["kind"],
            registry=registry,
        )
        self._forget()

    async def sample(self) -> None:
        await keep_sampling(self._sample, self._unknown)

    async def _sample(self) -> None:
        async with self._database.transaction() as tx:
            rows = {row["kind"]: row for row in await tx.connection.fetch(_OPEN, tx.now)}
        for kind in TaskKind:
            row = rows.get(kind)
            self._open.labels(kind).set(row["open"] if row else 0)
            self._oldest.labels(kind).set(row["age"] if row else 0)
        in_danger = rows.get(TaskKind.IN_DANGER)
        self._in_danger.set(in_danger["open"] if in_danger else 0)

    def _unknown(self, error: Exception) -> None:
        logger.warning("tasks_open_unknown", cause=cause_of(error))
        self._forget()

    def _forget(self) -> None:
        self._in_danger.set(math.nan)
        for kind in TaskKind:
            self._open.labels(kind).set(math.nan)
            self._oldest.labels(kind).set(math.nan)
