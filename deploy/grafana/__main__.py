"""Write every dashboard as the JSON that Grafana imports."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.event_core import dashboard

FILE = Path(__file__).with_name("event-core.json")


def written() -> str:
    """The dashboard of the event core, as committed."""
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard().build()) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
