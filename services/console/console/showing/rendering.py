"""The pages' templates, and the files that go with them under names that change with their content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.clinic import Clinic
from console.following.wording import Wording
from console.showing.timeline import AXIS_HEIGHT, LANE_HEIGHT
from console.showing.views import percent
from console.showing.words import Saying, clause, gap

_FOLDER: Final = Path(__file__).parent / "templates"

_TYPES: Final = {
    "style.css": "text/css",
    "keys.js": "text/javascript",
    "live.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


class Templates:
    """Renders; decides nothing."""

    def __init__(self, clinic: Clinic, wording: Wording, intake_url: str | None) -> None:
        self._clinic = clinic
        self.files = {self._address(name): ((_FOLDER / name).read_bytes(), kind) for name, kind in _TYPES.items()}
        """Address → content and media type."""
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        cast("dict[str, Any]", self._environment.globals).update(
            clinic=clinic,
            wording=wording,
            intake_url=intake_url,
            address=self._address,
            gap=gap,
            percent=percent,
            clause=clause,
            phone=clinic.phone_as_written,
            lane_height=LANE_HEIGHT,
            axis_height=AXIS_HEIGHT,
        )

    def saying(self, now: datetime) -> Saying:
        return Saying(now, self._clinic.zone)

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        return self._environment.get_template(name).render(context).strip()

    def _address(self, name: str) -> str:
        stem, _, suffix = name.partition(".")
        return f"/{stem}.{sha256((_FOLDER / name).read_bytes()).hexdigest()[:12]}.{suffix}"
