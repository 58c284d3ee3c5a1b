"""A service with one handler of one statement, for `benchmarks.apply`. Settings in the environment."""

from pathlib import Path

from chassis.service import Service
from chassis.settings import ServiceSettings, settings_for
from chassis.transaction import Transaction
from contracts.envelope import Envelope
from contracts.intake import PatientRegistered

COUNT = """
INSERT INTO tally (patient, events) VALUES ($1, 1) ON CONFLICT (patient) DO UPDATE SET events = tally.events + 1
"""
FAILS = "nobody"


class ApplierSettings(ServiceSettings):
    model_config = settings_for("applier")


async def count(tx: Transaction, event: PatientRegistered, about: Envelope) -> None:
    if event.name == FAILS:
        raise ValueError(FAILS)
    await tx.connection.execute(COUNT, about.subject)


def compose() -> Service:
    service = Service("applier", ApplierSettings(), migrations=Path(__file__).with_name("no_migrations"))  # type: ignore[call-arg]
    service.handle(PatientRegistered, count)
    return service


if __name__ == "__main__":
    compose().run()
