"""Clinics for tests, as their files would describe them."""

import copy
from pathlib import Path
from typing import Any

import yaml

from scheduling.clinic import Clinic

ALL_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

SMALL: dict[str, Any] = {
    "time_zone": "America/New_York",
    "place": "88 Canal Street, Akron",
    "grid_minutes": 15,
    "horizon_days": 14,
    "try_again_minutes": 30,
    "opening_hours": {day: [{"from": "09:00", "to": "12:00"}] for day in ALL_DAYS},
    "clinicians": [
        {"number": 1, "name": "Dr. Ash", "skills": ["assessment"]},
        {"number": 2, "name": "Dr. Birch", "skills": ["assessment"]},
    ],
    "rooms": [
        {"number": 11, "name": "Room A", "used_for": ["assessment"]},
        {"number": 12, "name": "Room B", "used_for": ["assessment"]},
    ],
    "kinds": {"assessment": {"minutes": 60, "lead_minutes": {"routine": 120, "urgent": 30}}},
    "held_for_urgent": [{"clinician": 1, "days": ALL_DAYS, "from": "11:00", "to": "12:00"}],
    "moving": {"sooner_by_hours": 12, "notice_hours": 2},
}


def described(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SMALL), **changes}


def clinic(**changes: Any) -> Clinic:
    return Clinic.model_validate(described(**changes))


def clinic_file(folder: Path, **changes: Any) -> Path:
    path = folder / "clinic.yaml"
    path.write_text(yaml.safe_dump(described(**changes)))
    return path
