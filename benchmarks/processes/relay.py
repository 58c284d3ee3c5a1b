"""Nothing but a relay: its topic as argument, its settings in the environment."""

import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from chassis import loop
from chassis.clock import Clock
from chassis.database import Database
from chassis.log import start_logging
from chassis.relay import Relay
from chassis.settings import ServiceSettings, settings_for
from chassis.telemetry import Telemetry


class RelaySettings(ServiceSettings):
    model_config = settings_for("relay")


async def main(topic: str) -> None:
    settings = RelaySettings()  # type: ignore[call-arg]
    database = Database("stillwater/relay", settings, Clock())
    await database.start(Path(__file__).with_name("no_migrations"))
    await Relay(topic, database, settings, Telemetry(CollectorRegistry())).run()


if __name__ == "__main__":
    start_logging("relay")
    loop.run(main(sys.argv[1]))
