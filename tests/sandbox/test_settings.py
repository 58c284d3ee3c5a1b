"""What the house tells the sandbox is what the sandbox listens to."""

from datetime import UTC, datetime
from pathlib import Path

from deploy.local.topology import PREFERRED_PORTS, Site, environment
from deploy.local.vault import Vault
from sandbox.settings import Settings


def test_everything_that_the_sandbox_is_told_is_one_of_its_knobs(tmp_path: Path) -> None:
    site = Site(
        admin_dsn="postgresql://admin@127.0.0.1/postgres",
        bootstrap="127.0.0.1:1",
        prefix="",
        ports=PREFERRED_PORTS,
        folder=tmp_path,
        vault=Vault(tmp_path / "vault.json"),
        clock_speed=1.0,
        clock_origin=datetime.now(UTC),
        patients_per_minute=6,
    )
    prefix = "STILLWATER_SANDBOX_"
    told = {name.removeprefix(prefix).lower() for name in environment("sandbox", site) if name.startswith(prefix)}
    assert {"port", "smtp_port", "intake_url", "carrier_inbound_url"} <= told <= set(Settings.model_fields)
    notify = environment("notify", site)
    assert notify["STILLWATER_NOTIFY_CARRIER_TOKEN"] == environment("sandbox", site)[f"{prefix}CARRIER_TOKEN"]
