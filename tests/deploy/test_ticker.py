"""The terminal's lines tell what happened, and nothing about whom."""

from collections.abc import Sequence
from typing import Any, cast

from deploy.local.ticker import describe


class _Record:
    def __init__(self, headers: Sequence[tuple[str, bytes]], value: bytes = b"") -> None:
        self.headers, self.value = headers, value


def _line(*headers: tuple[str, bytes], value: bytes = b"") -> str | None:
    return describe(cast("Any", _Record(headers, value)))


def test_a_notable_event_is_one_line_without_anything_from_its_body() -> None:
    line = _line(
        ("ce_type", b"intake.submitted.v1"),
        ("ce_subject", b"patient_0199aa-77f3c1"),
        value=b'{"name": "Ada Quill"}',
    )
    assert line == "…77f3c1  a person asks for help"


def test_later_versions_of_an_event_are_the_same_to_a_reader() -> None:
    assert _line(("ce_type", b"notify.message_failed.v12"), ("ce_subject", b"abc"))


def test_what_is_not_notable_or_not_readable_is_passed_over() -> None:
    assert _line(("ce_type", b"notify.message_sent.v1"), ("ce_subject", b"abc")) is None
    assert _line(("ce_type", b"\xff\xfe")) is None
    assert _line() is None
