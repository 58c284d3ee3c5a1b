"""The demo finds what is wrong: each check is shown to fail where it should."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy.local.demo import checks
from deploy.local.demo.journeys import load_journeys
from deploy.local.demo.leaving import footprint
from deploy.local.demo.privacy import leaks, secrets_of
from deploy.local.places import PROJECT
from sandbox.patients.people import cast

JOURNEYS = load_journeys()
PEOPLE = {person.scenario: person for person in cast(1)}
VISIT = {
    "starts_at": "2026-11-24T08:30:00-05:00",
    "ends_at": "2026-11-24T09:30:00-05:00",
    "clinician": "A",
    "room": "1",
}


def test_the_seven_are_the_sandboxs_cast() -> None:
    assert list(JOURNEYS) == list(PEOPLE)


def test_an_event_that_is_missing_doubled_or_unexpected_is_found() -> None:
    journey = JOURNEYS["inactive"]
    right = Counter(journey.events)
    assert checks.of_events(journey, right) == []
    assert checks.of_events(journey, right - Counter(["appointment_booked"])) == [
        "appointment_booked was said 0 times instead of 1"
    ]
    assert checks.of_events(journey, right + Counter(["coverage_inactive", "coverage_verified"])) == [
        "coverage_inactive was said 2 times instead of 1",
        "coverage_verified was said 1 times instead of 0",
    ]


def test_two_bookings_or_a_shared_room_are_found() -> None:
    one = {**VISIT, "cancelled_at": None, "urgent": False}
    assert checks.of_scheduling(JOURNEYS["covered"], [one]) == []
    assert checks.of_scheduling(JOURNEYS["covered"], [one, one])
    assert checks.of_scheduling(JOURNEYS["in_danger"], [one]) == ["the assessment is not urgent"]
    assert checks.of_bookings([VISIT, {**VISIT, "clinician": "B"}]) == ["two assessments share room at one time"]
    assert checks.of_bookings([VISIT, {**VISIT, "clinician": "B", "room": "2"}]) == []


def test_an_unknown_coverage_told_as_a_no_is_found() -> None:
    verification = {"outcome": "inactive", "owner": "payer", "asking_again_at": None}
    assert "the coverage is inactive instead of undetermined" in checks.of_billing(
        JOURNEYS["payer_silent"], [{"verification": verification}]
    )


def test_one_decision_made_twice_is_found() -> None:
    message = {"purpose": "appointment_booked:1:1", "channel": "email", "fate": "sent"}
    assert checks.of_notify([message]) == []
    assert checks.of_notify([message, message]) == ["email was decided 2 times for one purpose"]


def test_somebody_in_danger_who_is_not_first_is_found() -> None:
    one, other = {"kind": "in_danger", "patient_id": "1"}, {"kind": "card_unreadable", "patient_id": "2"}
    assert checks.of_tasks([one, other], {"1"}) == []
    assert checks.of_tasks([other, one], {"1"}) == checks.of_tasks([other], {"1"}) != []


def test_a_form_that_is_kept_twice_is_found() -> None:
    form = {"card_outcome": None, "card_sides": [], "member_id": None}
    kept = {"name": "Ada Byron", "intakes": [form]}
    assert checks.of_intake(JOURNEYS["uninsured"], kept, "Ada Byron", None) == []
    assert checks.of_intake(JOURNEYS["uninsured"], {**kept, "intakes": [form, form]}, "Ada Byron", None)


async def test_a_process_a_port_a_folder_and_shared_memory_that_stay_are_found(tmp_path: Path) -> None:
    holding = """
import multiprocessing.shared_memory, multiprocessing.resource_tracker, socket, sys
memory = multiprocessing.shared_memory.SharedMemory(create=True, size=16)
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], memory.name, flush=True)
sys.stdin.read()
memory.unlink()
"""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", holding, stdin=pipe, stdout=pipe)
    assert process.stdin and process.stdout
    port, memory = (await process.stdout.readline()).decode().split()
    folder = tmp_path / "house"
    folder.mkdir()
    stood = footprint(os.getpid(), [folder])
    found = "\n".join(stood.left())
    assert f"process {process.pid}" in found
    assert f"port {port}" in found
    assert str(folder) in found
    assert not sys.platform.startswith("linux") or memory in found
    process.stdin.close()
    await process.wait()
    folder.rmdir()
    assert [one for one in stood.left() if memory in one or port in one or str(process.pid) in one] == []


@pytest.mark.engines
async def test_a_demo_that_is_told_to_stop_says_so_and_leaves_nothing() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local", "demo"), cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with asyncio.timeout(60):
        while b"Postgres and Kafka" not in await process.stdout.readline():
            pass
        stood = footprint(process.pid, (PROJECT / ".stillwater" / "tmp").glob(f"{process.pid}-*"))
        process.send_signal(signal.SIGTERM)
        said = (await process.stdout.read()).decode().splitlines()
        assert await process.wait() == 1
    outcome = json.loads(said[-1])
    assert (outcome["ok"], outcome["problems"]) == (False, ["it was told to stop before its end"])
    assert {one.name for one in stood.processes} >= {"java", "postgres"}
    assert stood.left() == []


@pytest.mark.parametrize("scenario", list(PEOPLE))
def test_whatever_gives_somebody_away_is_found_in_a_log(scenario: str) -> None:
    person = PEOPLE[scenario]
    clean: dict[str, Any] = {"a log": '{"event": "started", "level": "info"}'}
    assert leaks([person], clean) == []
    for secret in secrets_of(person):
        found = leaks([person], {**clean, "a log": f"could not tell {secret} about it"})
        assert found == [f"{scenario}: something about them stands in a log"]
