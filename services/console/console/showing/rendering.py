"""The pages' templates with the clinic's words in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from chassis.pages import PageFile, Saying, clause, gap
from chassis.pages import Templates as AnyTemplates
from console.clinic import Clinic
from console.following.wording import Wording
from console.showing.timeline import AXIS_HEIGHT, LANE_HEIGHT
from console.showing.views import percent

_FOLDER: Final = Path(__file__).parent / "templates"


class Templates:
    """Renders; decides nothing. `intake_url` and `billing_url` are where those show pages of their own, if they do."""

    def __init__(
        self, clinic: Clinic, wording: Wording, intake_url: str | None = None, billing_url: str | None = None
    ) -> None:
        self._clinic = clinic
        self._templates = AnyTemplates(
            _FOLDER,
            ("console.css",),
            {
                "clinic": clinic,
                "clinic_name": clinic.name,
                "wording": wording,
                "intake_url": intake_url,
                "billing_url": billing_url,
                "gap": gap,
                "percent": percent,
                "clause": clause,
                "phone": clinic.phone_as_written,
                "lane_height": LANE_HEIGHT,
                "axis_height": AXIS_HEIGHT,
            },
        )

    @property
    def files(self) -> tuple[PageFile, ...]:
        return self._templates.files

    def saying(self, now: datetime) -> Saying:
        return Saying(now, self._clinic.zone)

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        return self._templates.render(name, context)
