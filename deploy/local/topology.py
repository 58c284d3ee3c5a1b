"""The whole house on one page: which parts there are, and what each is told about the others."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.local.ports import LOOPBACK
from deploy.local.tenants import dsn_of_tenant
from deploy.local.vault import Vault

SERVICES = ("intake", "scheduling", "billing", "notify", "console")
SANDBOX = "sandbox"
PARTS = (*SERVICES, SANDBOX)

TOPICS = ("intake.events", "scheduling.events", "billing.events", "notify.events")
PARTITIONS = 12

# Where `make run` would like to listen. A busy port means the next free one.
PREFERRED_PORTS = {
    "console": 8800,
    "intake": 8801,
    "scheduling": 8802,
    "billing": 8803,
    "notify": 8804,
    "sandbox": 8810,
    "smtp": 8825,
    "postgres": 8832,
    "kafka": 8892,
}


@dataclass(frozen=True)
class Site:
    """One house: its engines, ports, folders, secrets and clock."""

    admin_dsn: str
    bootstrap: str
    prefix: str
    """In front of every role, schema, topic and group, so that several houses can share their engines."""
    ports: Mapping[str, int]
    """By part; `smtp` is the sandbox's mail server."""
    folder: Path
    vault: Vault
    clock_speed: float
    clock_origin: datetime
    patients_per_minute: float

    def url(self, part: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[part]}"

    def tenant(self, service: str) -> str:
        """The name of a service's database role, and of its schema."""
        return f"stillwater_{self.prefix.replace('-', '_')}{service}"

    def database_url(self, service: str) -> str:
        return dsn_of_tenant(self.admin_dsn, self.tenant(service), self.vault.secret(f"database of {service}"))


def command(part: str) -> list[str]:
    """How a part is started, in the project's own Python."""
    return [sys.executable, "-m", part]


def environment(part: str, site: Site) -> dict[str, str]:
    """All that a part is told. What the user has set for it beforehand stays, except where we must decide."""
    return _inherited() | _shared(site) | _OWN[part](site)


def _inherited() -> dict[str, str]:
    # The administrator's connection string is nobody's but ours; the rest is about this process alone.
    ours = {"STILLWATER_DATABASE_URL", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "COVERAGE_PROCESS_START"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def _shared(site: Site) -> dict[str, str]:
    return {
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",
        "STILLWATER_KAFKA": site.bootstrap,
        "STILLWATER_TOPIC_PREFIX": site.prefix,
        "STILLWATER_CLOCK_SPEED": str(site.clock_speed),
        "STILLWATER_CLOCK_ORIGIN": site.clock_origin.isoformat(),
    }


def _service(name: str, site: Site) -> dict[str, str]:
    return {
        "STILLWATER_TOKEN_KEY": site.vault.secret("tokens"),
        "STILLWATER_SEAL_KEY": site.vault.secret("seal"),
        f"STILLWATER_{name.upper()}_DATABASE_URL": site.database_url(name),
        f"STILLWATER_{name.upper()}_PORT": str(site.ports[name]),
    }


def _intake(site: Site) -> dict[str, str]:
    return _service("intake", site) | {
        "STILLWATER_INTAKE_PUBLIC_URL": site.url("intake"),
        "STILLWATER_INTAKE_CARD_FOLDER": str(site.folder / "cards"),
        # The keys lie neither beside the images nor in the database.
        "STILLWATER_INTAKE_CARD_KEYS_FILE": str(site.folder / "keys" / "cards.json"),
    }


def _scheduling(site: Site) -> dict[str, str]:
    return _service("scheduling", site)


def _billing(site: Site) -> dict[str, str]:
    return _service("billing", site) | {
        "STILLWATER_BILLING_GATEWAY_URL": f"{site.url(SANDBOX)}/payer/real-time",
        "STILLWATER_BILLING_CONSOLE_URL": site.url("console"),
        "STILLWATER_BILLING_WEBHOOKS_TO_LOOPBACK": "true",
    }


def _notify(site: Site) -> dict[str, str]:
    return _service("notify", site) | {
        "STILLWATER_NOTIFY_PUBLIC_URL": site.url("notify"),
        "STILLWATER_NOTIFY_SMTP_HOST": LOOPBACK,
        "STILLWATER_NOTIFY_SMTP_PORT": str(site.ports["smtp"]),
        "STILLWATER_NOTIFY_CARRIER_URL": f"{site.url(SANDBOX)}/carrier",
        "STILLWATER_NOTIFY_CARRIER_ACCOUNT": _CARRIER_ACCOUNT,
        "STILLWATER_NOTIFY_CARRIER_TOKEN": site.vault.secret("carrier"),
    }


def _console(site: Site) -> dict[str, str]:
    addresses = {f"STILLWATER_CONSOLE_{part.upper()}_URL": site.url(part) for part in PARTS if part != "console"}
    return _service("console", site) | addresses


def _sandbox(site: Site) -> dict[str, str]:
    return {
        "STILLWATER_SANDBOX_PORT": str(site.ports[SANDBOX]),
        "STILLWATER_SANDBOX_SMTP_PORT": str(site.ports["smtp"]),
        "STILLWATER_SANDBOX_INTAKE_URL": site.url("intake"),
        "STILLWATER_SANDBOX_PATIENTS_PER_MINUTE": str(site.patients_per_minute),
        "STILLWATER_SANDBOX_CARRIER_ACCOUNT": _CARRIER_ACCOUNT,
        "STILLWATER_SANDBOX_CARRIER_TOKEN": site.vault.secret("carrier"),
        "STILLWATER_SANDBOX_CARRIER_INBOUND_URL": f"{site.url('notify')}/carrier/inbound",
    }


_CARRIER_ACCOUNT = "AC" + "0" * 31 + "1"

_OWN: Mapping[str, Callable[[Site], dict[str, str]]] = {
    "intake": _intake,
    "scheduling": _scheduling,
    "billing": _billing,
    "notify": _notify,
    "console": _console,
    SANDBOX: _sandbox,
}
