"""Clinic time goes on where it was, whatever speed the house is started at."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.clinic_clock import clinic_time, resume

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_first_start_begins_at_the_machines_time() -> None:
    speed, origin = resume(600.0, NOW, None)
    assert clinic_time(speed, origin, NOW) == NOW
    assert clinic_time(speed, origin, NOW + timedelta(minutes=1)) == NOW + timedelta(minutes=600)


@pytest.mark.parametrize("speed", [0.5, 2.0, 600.0])
def test_time_that_ran_ahead_goes_on_from_where_it_was(speed: float) -> None:
    reached = NOW + timedelta(days=21)
    chosen, origin = resume(speed, NOW, reached)
    assert chosen == speed
    assert abs(clinic_time(chosen, origin, NOW) - reached) < timedelta(seconds=1)


def test_time_that_ran_ahead_does_not_jump_back_at_normal_speed() -> None:
    reached = NOW + timedelta(days=21)
    speed, origin = resume(1.0, NOW, reached)
    assert 1.0 < speed <= 1.01
    assert abs(clinic_time(speed, origin, NOW) - reached) < timedelta(seconds=1)
    assert clinic_time(speed, origin, NOW + timedelta(hours=1)) > reached + timedelta(hours=1)


def test_a_clinic_that_was_closed_for_a_week_opens_today() -> None:
    assert resume(1.0, NOW, NOW - timedelta(days=7)) == (1.0, NOW)
