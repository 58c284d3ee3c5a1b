"""What booking measures: in base units, without ids as labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from scheduling.booking.store import Appointment

_HOUR = 3600
_WAITS = [hours * _HOUR for hours in (1, 2, 4, 8, 24, 48, 72, 120, 168, 336, 504, 720, 1440)]


class BookingMetrics:
    """Counted when decided; a transaction that is rolled back after that may be counted twice."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._booked = Counter(
            "stillwater_appointments_booked", "Appointments booked", ["kind", "urgency"], registry=registry
        )
        self._wait = Histogram(
            "stillwater_appointment_wait_seconds",
            "From booking to the appointment's start, clinic time",
            ["kind", "urgency"],
            buckets=_WAITS,
            registry=registry,
        )
        self._held = Counter(
            "stillwater_resource_booked_seconds",
            "Time for which clinicians and rooms were booked",
            ["resource"],
            registry=registry,
        )
        self._moved = Counter("stillwater_appointments_moved", "Appointments moved", ["cause"], registry=registry)
        self._unplaced = Counter(
            "stillwater_assessments_unplaced", "Searches that found nothing free", ["urgency"], registry=registry
        )

    def booked(self, one: Appointment) -> None:
        labels = (one.kind.value, _urgency(one.urgent))
        self._booked.labels(*labels).inc()
        self._wait.labels(*labels).observe((one.starts_at - one.booked_at).total_seconds())
        for resource in ("clinician", "room"):
            self._held.labels(resource).inc((one.ends_at - one.starts_at).total_seconds())

    def moved(self, cause: str) -> None:
        self._moved.labels(cause).inc()

    def unplaced(self, *, urgent: bool) -> None:
        self._unplaced.labels(_urgency(urgent)).inc()


def _urgency(urgent: bool) -> str:
    return "urgent" if urgent else "routine"
