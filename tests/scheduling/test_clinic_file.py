"""The clinic's file is checked when the service starts, and says what is wrong with it and where."""

from pathlib import Path
from typing import Any

import pytest

from scheduling.clinic import BadClinicFile, load_clinic
from tests.scheduling.clinics import clinic_file, described


def test_the_clinic_that_comes_with_the_service_can_be_used() -> None:
    clinic = load_clinic()
    assert clinic.digest
    assert clinic.held_for_urgent


@pytest.mark.parametrize(
    ("changes", "place", "wording"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone", "an IANA time zone is wanted"),
        ({"opening_hours": {"monday": [{"from": 510, "to": "12:00"}]}}, "opening_hours.monday.1.from", "in quotes"),
        ({"opening_hours": {"monday": [{"from": "12:00", "to": "09:00"}]}}, "opening_hours.monday.1", "before `to`"),
        ({"opening_hours": {"mon": []}}, "opening_hours", "monday"),
        ({"grid_minutes": 7}, "grid_minutes", "15"),
        ({"kinds": {"assessment": {"minutes": 60, "lead_minutes": {"routine": 10, "urgent": 20}}}}, "kinds", "longer"),
        ({"rooms": [{"number": 1, "name": "Room", "used_for": ["assessment"]}]}, "file", "given twice: [1]"),
        ({"rooms": [{"number": 11, "name": "Room", "used_for": []}]}, "file", "no room is used for assessment"),
        ({"held_for_urgent": [{"clinician": 9, "days": ["monday"], "from": "09:00", "to": "10:00"}]}, "file", "[9]"),
        ({"closures": [{"from": "2026-12-26", "to": "2026-12-24", "why": "x"}]}, "closures.1", "on or before"),
        ({"colour": "green"}, "colour", "not permitted"),
    ],
)
def test_a_faulty_file_is_refused_with_the_place_of_its_fault(
    tmp_path: Path, changes: dict[str, Any], place: str, wording: str
) -> None:
    with pytest.raises(BadClinicFile) as caught:
        load_clinic(clinic_file(tmp_path, **changes))
    fault = next(line for line in str(caught.value).splitlines() if place in line and wording in line)
    assert "Traceback" not in fault


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadClinicFile) as caught:
        load_clinic(clinic_file(tmp_path, grid_minutes=7, horizon_days=0))
    assert "grid_minutes" in str(caught.value)
    assert "horizon_days" in str(caught.value)


def test_a_missing_or_garbled_file_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(BadClinicFile, match="cannot be read"):
        load_clinic(tmp_path / "nowhere.yaml")
    (tmp_path / "garbled.yaml").write_text("a: [1,\nb: }")
    with pytest.raises(BadClinicFile, match="not YAML in line"):
        load_clinic(tmp_path / "garbled.yaml")


def test_a_changed_file_is_another_edition(tmp_path: Path) -> None:
    first = load_clinic(clinic_file(tmp_path)).digest
    assert load_clinic(clinic_file(tmp_path, **described(horizon_days=15))).digest != first
