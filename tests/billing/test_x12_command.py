"""`python -m billing.x12 read` prints one JSON object a file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from billing.x12.__main__ import main
from tests.billing.x12_samples import ACTIVE_271, INTERCHANGE_ACKNOWLEDGED, QUESTION_270, joined


@pytest.fixture
def answer(tmp_path: Path) -> str:
    path = tmp_path / "answer.271"
    path.write_bytes(joined(ACTIVE_271))
    return str(path)


def test_one_object_for_each_file_in_order(answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = tmp_path / "question.270"
    question.write_bytes(joined(QUESTION_270) + joined(INTERCHANGE_ACKNOWLEDGED))
    assert main(["read", answer, str(question)]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["interchanges"][0]["transactions"][0]["coverages"][0]["status"] == "active"
    (inquiry,) = second["interchanges"][0]["transactions"][0]["inquiries"]
    assert inquiry["patient"]["relation"] == "dependent"
    assert inquiry["questions"][0]["service_types"] == ["30", "MH"]
    assert inquiry["questions"][1]["procedure"]["code"] == "90834"
    assert second["interchanges"][1]["acknowledgements"][0]["kind"] == "TA1"


def test_what_is_no_x12_exits_2_with_an_error_and_the_other_files_are_read(
    answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "card.jpg"
    picture.write_bytes(b"\xff\xd8\xff\xe0JFIF")
    assert main(["read", str(picture), str(tmp_path / "none"), answer]) == 2
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["error"]["code"] == "not_x12"
    assert second["error"]["code"] == "unreadable"
    assert "interchanges" in third


def test_the_status_answers_the_day_and_service_asked_about(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["read", answer, "--on", "2025-12-31", "--service-type", "MH"])
    (coverage,) = json.loads(capsys.readouterr().out)["interchanges"][0]["transactions"][0]["coverages"]
    assert (coverage["status"], coverage["status_cause"]) == ("inactive", "not_begun")


def test_it_runs_on_its_own_and_tells_how(answer: str) -> None:
    run = [sys.executable, "-m", "billing.x12"]
    shown = subprocess.run([*run, "read", "-"], input=joined(ACTIVE_271), capture_output=True, check=True)
    assert json.loads(shown.stdout)["interchanges"][0]["control_number"] == "000000042"
    assert b"read" in subprocess.run([*run, "--help"], capture_output=True, check=True).stdout


def test_whoever_reads_only_the_beginning_causes_no_failure(answer: str) -> None:
    """More than a pipe holds, and a reader that goes away."""
    reading = subprocess.Popen(
        [sys.executable, "-m", "billing.x12", "read", *[answer] * 60], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert reading.stdout is not None and reading.stderr is not None
    reading.stdout.read(100)
    reading.stdout.close()
    assert reading.stderr.read() == b""
    assert reading.wait() == 0
