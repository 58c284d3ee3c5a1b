"""Where a list goes on: read back as it was written, and refused with its field otherwise."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chassis.http import Problem
from chassis.http.places import count, instant, name, read_place, write_place

NOW = datetime(2027, 3, 2, 9, 30, 0, 125_000, tzinfo=UTC)


@pytest.mark.parametrize("at", [NOW, NOW.astimezone(timezone(timedelta(hours=14)))])
def test_a_place_is_one_word_and_read_back_as_it_was_written(at: datetime) -> None:
    text = write_place(7, at, "patient_1")
    assert text == "7~2027-03-02T09:30:00.125000Z~patient_1"
    assert read_place(text, "after", count, instant, name) == (7, NOW, "patient_1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7~2027-03-02T09:30:00Z",
        "7~2027-03-02T09:30:00Z~patient_1~more",
        "-7~2027-03-02T09:30:00Z~patient_1",
        "٧~2027-03-02T09:30:00Z~patient_1",
        "1234567890123456789~2027-03-02T09:30:00Z~patient_1",
        "7~2027-03-02T09:30:00~patient_1",
        "7~0001-01-01T00:00:00+14:00~patient_1",
        "7~yesterday~patient_1",
        "7~2027-03-02T09:30:00Z~",
        "7~2027-03-02T09:30:00Z~\0",
    ],
)
def test_what_no_page_gave_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Problem) as refusal:
        read_place(text, "after", count, instant, name)
    assert refusal.value.status_code == 422
    assert [error.field for error in refusal.value.errors] == ["after"]
