"""What is said about a machine before the house starts on it."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.preflight import Machine, inspect

FIT = Machine("Linux", "x86_64", (3, 11), "glibc", memory_mb=4_000, disk_mb=20_000)
FOLDER = Path("/srv/clinic")


def test_a_fit_machine_is_started_on_without_a_word() -> None:
    assert inspect(FIT, FOLDER) == []
    assert inspect(replace(FIT, system="Darwin", processor="arm64", libc=""), FOLDER) == []


@pytest.mark.parametrize(
    ("machine", "named", "stops"),
    [
        (replace(FIT, python=(3, 10)), "3.11 or newer", True),
        (replace(FIT, memory_mb=600), "600 MB of memory are free; 1600 MB are needed", True),
        (replace(FIT, memory_mb=1_200), "1600 MB would be better", False),
        (replace(FIT, disk_mb=300), "make down CLEAN=1", True),
        (replace(FIT, disk_mb=1_500), "/srv/clinic", False),
        (replace(FIT, system="Windows"), "WSL 2", True),
        (replace(FIT, processor="riscv64"), "STILLWATER_DATABASE_URL", True),
        (replace(FIT, libc=""), "Alpine", True),
    ],
)
def test_what_is_missing_is_said_with_its_remedy(machine: Machine, named: str, stops: bool) -> None:
    (finding,) = inspect(machine, FOLDER)
    assert named in finding.text
    assert finding.stops is stops


def test_a_platform_without_embedded_engines_will_do_for_a_users_own() -> None:
    assert inspect(replace(FIT, processor="riscv64"), FOLDER, engines_needed=False) == []
