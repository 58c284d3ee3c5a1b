"""Logs hold ids and codes, whoever writes them."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chassis.log import fault_of, logger, start_logging

SECRET = "Ophelia-Secret-1984"


@pytest.fixture(autouse=True)
def house() -> Iterator[None]:
    """Our logging for one test, then pytest's again."""
    root = logging.getLogger()
    before = (root.handlers, root.level, sys.excepthook, sys.unraisablehook)
    start_logging("desk")
    yield
    root.handlers, root.level, sys.excepthook, sys.unraisablehook = before


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Any:
    def read() -> list[dict[str, Any]]:
        written = capsys.readouterr()
        assert written.out == ""
        assert SECRET not in written.err
        return [json.loads(line) for line in written.err.splitlines()]

    return read


def fail() -> None:
    try:
        {}[SECRET]
    except KeyError as error:
        raise ValueError(f"no such person: {SECRET}") from error


def test_a_line_names_its_service_level_event_and_machine_time(lines: Any):
    logger.info("card_read", intake_id="intake_1", confidence=0.9)
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "card_read",
        "level": "info",
        "service": "desk",
        "intake_id": "intake_1",
        "confidence": 0.9,
    }


def test_an_exception_is_its_class_and_places_and_what_led_to_it(lines: Any):
    try:
        fail()
    except ValueError:
        logger.exception("not_found")
    [line] = lines()
    assert line["fault"]["error"] == "ValueError"
    assert line["fault"]["at"][-1].startswith("tests/chassis/test_log.py:")
    assert line["fault"]["because"][0]["error"] == "KeyError"


def test_each_of_several_failures_is_named(lines: Any):
    try:
        raise ExceptionGroup(SECRET, [ValueError(SECRET), OSError(SECRET)])
    except ExceptionGroup:
        logger.exception("all_failed")
    [line] = lines()
    assert [member["error"] for member in line["fault"]["members"]] == ["ValueError", "OSError"]


def test_what_json_cannot_say_is_named_and_not_shown(lines: Any):
    logger.info("odd", error=ValueError(SECRET), people={SECRET}, id=UUID(int=1))
    [line] = lines()
    assert line["error"] == "ValueError"
    assert line["people"] == "<set>"
    assert line["id"] == "00000000-0000-0000-0000-000000000001"


def test_what_a_library_fills_into_its_message_is_left_out(lines: Any):
    library = logging.getLogger("aiokafka.consumer")
    library.error("Failed fetch of %s at offset %d: %r", SECRET, 17, ValueError(SECRET))
    library.error("Failed fetch of %(topic)s", {"topic": SECRET})
    library.error("Unclosed connection\nfuture: %s", SECRET)
    wrong = {"name": "aiokafka", "levelno": logging.ERROR, "msg": "wrongly %d written", "args": (SECRET,)}
    logging.getLogger().handlers[0].handle(logging.makeLogRecord(wrong))
    assert [line["event"] for line in lines()] == [
        "Failed fetch of <str> at offset 17: <ValueError>",
        "Failed fetch of <str>",
        "Unclosed connection",
        "wrongly %d written",
    ]


def test_a_librarys_exception_is_treated_like_our_own(lines: Any):
    try:
        fail()
    except ValueError as error:
        logging.getLogger("faststream").exception(f"ValueError: {error}")
    [line] = lines()
    assert line["logger"] == "faststream"
    assert line["fault"]["error"] == "ValueError"


def test_libraries_speak_up_only_when_something_is_wrong(lines: Any):
    for name in ("asyncpg", "aiokafka", "faststream", "httpx", "uvicorn.access"):
        logging.getLogger(name).info(f"GET /patients/{SECRET}")
    logging.getLogger("uvicorn.access").error(SECRET)
    assert lines() == []


def test_a_task_that_nobody_awaited_fails_without_its_text(lines: Any):
    async def forgotten() -> None:
        task = asyncio.create_task(asyncio.to_thread(fail))
        await asyncio.wait([task])

    asyncio.run(forgotten())
    [line] = lines()
    assert line["logger"] == "asyncio"
    assert line["fault"]["error"] == "ValueError"


def test_a_process_that_dies_says_where_and_not_with_what():
    script = f"""
from chassis.log import start_logging
start_logging("desk")
raise ValueError("{SECRET}")
"""
    died = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert died.returncode == 1
    assert SECRET not in died.stderr
    assert json.loads(died.stderr)["fault"] == {"error": "ValueError", "at": ["<string>:4"]}


def test_the_databases_codes_are_kept_and_its_detail_is_not():
    class UniqueViolation(Exception):
        sqlstate = "23505"
        constraint_name = "booking_pkey"
        detail = f"Key (name)=({SECRET}) already exists."

    fault = fault_of(UniqueViolation(SECRET))
    assert (fault["sqlstate"], fault["constraint_name"]) == ("23505", "booking_pkey")
    assert SECRET not in repr(fault)
