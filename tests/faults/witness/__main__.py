"""`python -m tests.faults.witness`: every event of every stream → one row each."""

from __future__ import annotations

from pathlib import Path

from chassis.service import Service
from chassis.settings import ServiceSettings, settings_for
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.event import Event
from contracts.registry import EVENT_TYPES

_TELL = "INSERT INTO told (topic, subject, sequence, event_id) VALUES ($1, $2, $3, $4)"


class WitnessSettings(ServiceSettings):
    model_config = settings_for("witness")


async def _tell(tx: Transaction, event: Event, envelope: Envelope) -> None:
    await tx.connection.execute(_TELL, event.topic(), envelope.subject, envelope.sequence, envelope.id)


def compose(settings: WitnessSettings) -> Service:
    service = Service("witness", settings, migrations=Path(__file__).with_name("migrations"))
    for event in EVENT_TYPES.values():
        service.handle(event, _tell)
    return service


def main() -> None:
    compose(WitnessSettings()).run()  # pyright: ignore[reportCallIssue]  (from the environment)


if __name__ == "__main__":
    main()
