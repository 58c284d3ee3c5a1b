"""What billing staff are paid to watch, for Prometheus. Labels are payers and causes, never people."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from billing.payers.gateway import Reply
from billing.verification.answer import Finding
from billing.verification.model import State, Step, Verification
from chassis.database import Database
from chassis.sampling import keep_sampling

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30)
_TO_ANSWER = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 43200, 172800)

_OPEN = ("asking", "waiting", "with_person")


class VerificationMetrics:
    """Counts, times and what waits."""

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "stillwater_billing"
        self._answer = Histogram(
            f"{prefix}_payer_answer_seconds", "From question to answer", ["payer"], buckets=_SECONDS, registry=registry
        )
        self._replies = Counter(
            f"{prefix}_payer_replies_total", "What came of questions", ["payer", "reply"], registry=registry
        )
        self._concluded = Counter(
            f"{prefix}_verifications_total", "Findings", ["payer", "outcome", "cause"], registry=registry
        )
        self._known = Histogram(
            f"{prefix}_coverage_known_seconds",
            "From the request to a coverage that is known to be active or not, in clinic time",
            buckets=_TO_ANSWER,
            registry=registry,
        )
        self._open = Gauge(f"{prefix}_verifications_open", "Not concluded, by state", ["state"], registry=registry)
        self._oldest = Gauge(
            f"{prefix}_verifications_oldest_age_seconds", "Of those not concluded", ["state"], registry=registry
        )

    @contextmanager
    def asking(self, payer_id: str) -> Generator[None]:
        began = monotonic()
        yield
        self._answer.labels(payer_id).observe(monotonic() - began)

    def replied(self, payer_id: str, reply: Reply) -> None:
        self._replies.labels(payer_id, _kind(reply.cause or "answer")).inc()

    def stepped(self, one: Verification, finding: Finding, step: Step, now: datetime) -> None:
        cause = _kind(step.cause.code) if step.cause else ""
        self._concluded.labels(one.payer_id or "unknown", finding.outcome, cause).inc()
        if step.state is State.CONCLUDED:
            self._known.observe((now - one.requested_at).total_seconds())

    async def sample(self, database: Database, now: Callable[[], datetime]) -> None:
        """What is open; what cannot be read reads as absent, and is raised."""
        await keep_sampling(lambda: self._sample(database, now()), self._unknown)

    def _unknown(self, error: Exception) -> None:
        self._open.clear()
        self._oldest.clear()
        raise error

    async def _sample(self, database: Database, now: datetime) -> None:
        async with database.connection() as connection:
            rows = await connection.fetch(
                "SELECT state, count(*) AS open, min(requested_at) AS oldest FROM verification "
                "WHERE state IN ('asking', 'waiting', 'with_person') GROUP BY state"
            )
        found = {row["state"]: row for row in rows}
        for state in _OPEN:
            row = found.get(state)
            self._open.labels(state).set(row["open"] if row else 0)
            age = (now - row["oldest"]).total_seconds() if row else 0
            self._oldest.labels(state).set(age)


def _kind(code: str) -> str:
    """A code that far sides cannot multiply: the codes in envelopes are theirs to invent."""
    return "envelope" if code.startswith("envelope_") else code
