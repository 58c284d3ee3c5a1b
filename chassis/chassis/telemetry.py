"""The metrics that every service has, in base units and without ids as labels."""

from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from chassis.database import Database
from chassis.sampling import keep_sampling

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# The outbox is read from above its floors: below them there may be millions of deleted rows that an open transaction
# keeps from being cleaned away.
_SAMPLE = """
SELECT outbox.rows AS outbox_rows, outbox.age AS outbox_age,
       (SELECT coalesce(extract(epoch FROM $1 - min(due_at)), 0) FROM timer
        WHERE given_up_at IS NULL AND due_at <= $1) AS timers_overdue
FROM (
    SELECT sum(waiting.rows) AS rows, coalesce(extract(epoch FROM clock_timestamp() - min(waiting.oldest)), 0) AS age
    FROM relay_lease CROSS JOIN LATERAL (
        SELECT count(*) AS rows, min(created_at) AS oldest FROM outbox
        WHERE shard = relay_lease.shard AND id > relay_lease.floor
    ) AS waiting
) AS outbox
"""

_PARKED = """
SELECT reason, count(*) AS rows, extract(epoch FROM clock_timestamp() - min(parked_at)) AS age, max(tries) AS tries,
       count(*) FILTER (WHERE given_up_at IS NOT NULL) AS given_up,
       extract(epoch FROM min(due_at) - clock_timestamp()) AS next_try
FROM parked GROUP BY reason
"""

_REASONS = ("failed", "behind", "undecodable")


class Telemetry:
    """Everything that the chassis measures."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events_applied = Counter(
            "stillwater_events_applied", "Records by type and outcome", ["type", "outcome"], registry=registry
        )
        self.parkings = Counter(
            "stillwater_parkings", "Records parked, by reason", ["consumer", "reason"], registry=registry
        )
        self.published = Histogram(
            "stillwater_outbox_publish_seconds",
            "From an event's commit to the broker's acknowledgement",
            buckets=_FAST,
            registry=registry,
        )
        self.outbox_rows = Gauge("stillwater_outbox_rows", "Events not yet acknowledged", registry=registry)
        self.outbox_age = Gauge(
            "stillwater_outbox_oldest_age_seconds",
            "Age of the oldest event not yet acknowledged",
            registry=registry,
        )
        self.parked = Gauge("stillwater_parked_records", "Records that wait", ["reason"], registry=registry)
        self.parked_age = Gauge(
            "stillwater_parked_oldest_age_seconds", "Age of the oldest parked record", registry=registry
        )
        self.parked_tries = Gauge(
            "stillwater_parked_most_tries", "Tries of the parked record tried most often", registry=registry
        )
        self.parked_next_try = Gauge(
            "stillwater_parked_next_try_seconds",
            "Until the next try of a parked record; below zero where it is late, NaN where none is to come",
            registry=registry,
        )
        self.parked_given_up = Gauge(
            "stillwater_parked_given_up_records", "Parked records that wait for a person", registry=registry
        )
        self.parked_retries = Counter(
            "stillwater_parked_retries", "Tries of parked records, by outcome", ["outcome"], registry=registry
        )
        self.timers_overdue = Gauge(
            "stillwater_timers_overdue_seconds",
            "How late the latest due timer is, clinic time",
            registry=registry,
        )
        self.lag_records = Gauge(
            "stillwater_consumer_lag_records", "Records said and not yet finished", ["consumer"], registry=registry
        )
        self.lag_seconds = Gauge(
            "stillwater_consumer_lag_seconds",
            "Age of the oldest record read and not finished; 0 when all are",
            ["consumer"],
            registry=registry,
        )
        self.progress = Gauge(
            "stillwater_consumer_last_progress_timestamp_seconds",
            "When a consumer last finished a record or found nothing to do",
            ["consumer"],
            registry=registry,
        )
        self.restarts = Counter(
            "stillwater_consumer_restarts",
            "Clients replaced because they made no progress",
            ["consumer"],
            registry=registry,
        )
        self.outside_attempts = Counter(
            "stillwater_outside_attempts",
            "Calls to the outside world, by destination and outcome",
            ["destination", "outcome"],
            registry=registry,
        )
        self.outside_repeats = Counter(
            "stillwater_outside_repeats",
            "Calls made again because an earlier attempt's end is not known",
            ["destination"],
            registry=registry,
        )
        self.outside_seconds = Histogram(
            "stillwater_outside_seconds",
            "How long the outside world took to answer",
            ["destination"],
            registry=registry,
        )

    async def sample(self, database: Database) -> None:
        """Keep the gauges that only the database knows."""
        await keep_sampling(lambda: self._sample(database), lambda _: self._forget())

    async def _sample(self, database: Database) -> None:
        async with database.transaction() as tx:
            row = await tx.connection.fetchrow(_SAMPLE, tx.now)
            parked = await tx.connection.fetch(_PARKED)
        assert row is not None
        self.outbox_rows.set(row["outbox_rows"])
        self.outbox_age.set(row["outbox_age"])
        self.timers_overdue.set(row["timers_overdue"])
        rows = {one["reason"]: one["rows"] for one in parked}
        for reason in _REASONS:
            self.parked.labels(reason).set(rows.get(reason, 0))
        self.parked_age.set(max((one["age"] for one in parked), default=0))
        self.parked_tries.set(max((one["tries"] for one in parked), default=0))
        self.parked_given_up.set(sum(one["given_up"] for one in parked))
        next_tries = [one["next_try"] for one in parked if one["next_try"] is not None]
        self.parked_next_try.set(min(next_tries, default=math.nan))

    def _forget(self) -> None:
        for gauge in (
            self.outbox_rows,
            self.outbox_age,
            self.timers_overdue,
            self.parked_age,
            self.parked_tries,
            self.parked_given_up,
            self.parked_next_try,
        ):
            gauge.set(math.nan)
        for reason in _REASONS:
            self.parked.labels(reason).set(math.nan)
