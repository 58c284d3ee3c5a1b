"""The clinic's own hours and rules with many more people and rooms, for trials under load."""

from pathlib import Path
from typing import Any

import yaml

from deploy.local.places import PROJECT


def large_clinic(folder: Path, clinicians: int) -> Path:
    """Write such a clinic file, with so many more clinicians and rooms for assessments. Returns its path."""
    own: dict[str, Any] = yaml.safe_load((PROJECT / "services/scheduling/scheduling/clinic.yaml").read_text())
    numbers = range(clinicians)
    own["clinicians"] += [{"number": 1000 + n, "name": f"Clinician {n}", "skills": ["assessment"]} for n in numbers]
    own["rooms"] += [{"number": 2000 + n, "name": f"Room {n}", "used_for": ["assessment"]} for n in numbers]
    path = folder / "clinic.yaml"
    path.write_text(yaml.safe_dump(own))
    return path
