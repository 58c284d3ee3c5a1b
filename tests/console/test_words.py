"""Times, causes and delays in the words of the clinic."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from prometheus_client import CollectorRegistry, Gauge

from chassis.http import Problem
from chassis.pages import Saying, clause, gap
from console.clinic import OWN_FILE as OWN_CLINIC
from console.clinic import BadClinicFile, read_clinic
from console.following.tasks import TaskKind
from console.following.wording import OWN_FILE, BadWordingFile, read_wording
from console.metrics import Delay
from console.showing.board import Filter
from console.showing.places import task_place
from console.showing.reading import Counts
from console.showing.rendering import Templates
from console.showing.views import percent
from tests.console.house import NOW

SAYING = Saying(datetime(2027, 3, 2, 15, 30, tzinfo=UTC), ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=119), "1 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(hours=48), "2 days"),
    ],
)
def test_an_age_is_said_as_a_person_would(ago: timedelta, words: str) -> None:
    assert SAYING.age(SAYING.now - ago) == words


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (datetime(2027, 3, 2, 5, 0, tzinfo=UTC), "today, 12:00 am"),
        (datetime(2027, 3, 2, 4, 59, tzinfo=UTC), "yesterday, 11:59 pm"),
        (datetime(2027, 3, 3, 14, 0, tzinfo=UTC), "tomorrow, 9:00 am"),
        (datetime(2027, 3, 15, 13, 0, tzinfo=UTC), "Mon 15 Mar, 9:00 am"),
        (datetime(2028, 1, 5, 17, 0, tzinfo=UTC), "Wed 5 Jan 2028, 12:00 pm"),
    ],
)
def test_a_day_is_the_clinics_day(when: datetime, words: str) -> None:
    assert SAYING.when(when) == words


def test_the_exact_time_names_its_zone() -> None:
    assert SAYING.exact(SAYING.now) == "Tue 2 Mar 2027, 10:30:00 am EST"


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 ms"), (0.0384, "38 ms"), (2.06, "2.1 s"), (200, "3 min")])
def test_the_time_between_two_events_is_told_in_its_own_measure(seconds: float, words: str) -> None:
    assert gap(seconds) == words


def test_a_cause_goes_on_after_because() -> None:
    assert clause("The card is being read") == "the card is being read"
    assert clause("Aetna has not answered in time") == "Aetna has not answered in time"


@pytest.mark.parametrize(("share", "words"), [("0.2", "20 %"), ("0.20", "20 %"), ("1", "100 %"), ("0.125", "12.5 %")])
def test_a_share_is_a_percentage(share: str, words: str) -> None:
    assert percent(share) == words


def test_a_wording_file_that_forgets_a_case_is_refused_by_name(tmp_path: Path) -> None:
    content = yaml.safe_load(OWN_FILE.read_text())
    del content["tasks"][TaskKind.IN_DANGER]
    path = tmp_path / "wording.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(BadWordingFile, match=r"nothing is said for tasks\.in_danger"):
        read_wording(path)


def test_a_clinic_in_no_time_zone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clinic.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(OWN_CLINIC.read_text()), "time_zone": "Ohio"}))
    with pytest.raises(BadClinicFile, match="time_zone"):
        read_clinic(path)


def test_nobody_marks_away_danger_or_a_missing_appointment() -> None:
    rules = read_wording().rules
    assert {kind for kind, rule in rules.items() if not rule.by_hand} == {
        TaskKind.IN_DANGER,
        TaskKind.ASSESSMENT_UNPLACED,
        TaskKind.ASSESSMENT_AWAITED,
        TaskKind.CARD_AWAITED,
        TaskKind.PAYER_SILENT,
    }
    assert all(rule.late_after > rule.patience for rule in rules.values())


def test_the_page_says_how_old_it_is_when_the_streams_are_far_ahead() -> None:
    registry = CollectorRegistry()
    delay = Delay(registry)
    assert math.isnan(delay.behind())
    lag = Gauge("stillwater_consumer_lag_seconds", "As every consumer tells", ["consumer"], registry=registry)
    lag.labels("another").set(5)
    assert math.isnan(delay.behind())
    lag.labels("console").set(95)
    assert delay.behind() == 95
    counts = Counts(in_danger=0, tasks=0, waiting=0, today=0, booked=0, coverage={})
    templates = Templates(read_clinic(), read_wording())
    html = templates.render("board/counts.html", {"behind": gap(95), "counts": counts, "filter": Filter()})
    assert "What you see here is about 2 min old." in html


@pytest.mark.parametrize("place", ["", "x", "1~2", "1~2027-03-02~5", f"1~{NOW.isoformat()}~-5", "99999~2027~1"])
def test_a_place_that_no_page_gave_is_refused(place: str) -> None:
    with pytest.raises(Problem) as refusal:
        task_place(place)
    assert (refusal.value.status_code, refusal.value.title) == (422, "The place to go on from is not valid")
