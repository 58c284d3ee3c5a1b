"""How payers do is told to every replica when it changes, and said with its times."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.payers.health import TOLD_EVERY, Condition, Health, Heard, after, with_times, worth_telling
from billing.payers.saying import answer_time, by_engine, cause_now, condition
from chassis.http import Role
from chassis.pages import Saying
from tests.billing.house import House, Settings, booked, house, registered, reported
from tests.chassis.front_desk import client
from tests.waiting import eventually

AT = datetime(2027, 3, 2, 14, 12, tzinfo=UTC)
SAYING = Saying(AT + timedelta(minutes=3), ZoneInfo("America/New_York"))
AGAIN = AT + timedelta(minutes=8)


def heard(minutes: float = 0, *, failed: bool = False, busy: bool = False, down: bool = False) -> Heard:
    at = AT + timedelta(minutes=minutes)
    return Heard(at, failed or down, busy, at + timedelta(minutes=1) if down else None, AT if failed or down else None)


def test_a_payer_is_down_from_the_first_of_its_failures_in_a_row() -> None:
    found = after(after(None, heard()), heard(2, down=True))
    assert found is not None and (found.condition, found.since) == (Condition.DOWN, AT)


def test_a_failure_that_is_not_yet_one_too_many_says_nothing() -> None:
    assert after(None, heard(failed=True)) is None
    answering = after(None, heard())
    assert after(answering, heard(1, failed=True)) == answering


def test_a_trial_that_fails_leaves_it_down_since_then_and_moves_the_next_one() -> None:
    down = after(None, heard(1, down=True))
    later = after(down, heard(5, down=True))
    assert down is not None and later is not None
    assert later.since == down.since and later.trying_again_at == AT + timedelta(minutes=6)


def test_an_answer_ends_it() -> None:
    up = after(after(None, heard(1, down=True)), heard(9))
    assert up is not None
    assert (up.condition, up.since, up.trying_again_at) == (Condition.ANSWERING, AT + timedelta(minutes=9), None)


def test_answers_between_refusals_for_asking_too_often_are_no_news() -> None:
    busy = after(None, heard(busy=True))
    assert busy is not None and busy.condition is Condition.RATE_LIMITED
    again = after(busy, heard(1, busy=True))
    assert again is not None and not worth_telling(busy, with_times(again, [], AT))


def test_how_long_answers_take_is_told_now_and_then_and_not_for_each_question() -> None:
    told = with_times(Health(Condition.ANSWERING, AT, AT), [0.5], AT)
    soon = with_times(told, [0.5, 2.0], AT + TOLD_EVERY / 2)
    later = with_times(told, [0.5, 2.0], AT + TOLD_EVERY)
    assert not worth_telling(told, soon) and worth_telling(told, later)
    assert (later.median_seconds, later.slowest_seconds, later.answers) == (1.25, 2.0, 2)


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (None, "not asked yet"),
        (Health(Condition.ANSWERING, AT, AT), "answering"),
        (Health(Condition.RATE_LIMITED, AT, AT), "rate limited since 9:12 am"),
        (Health(Condition.DOWN, AT, AT, AGAIN), "down since 9:12 am, trying again at 9:20 am"),
        (Health(Condition.DOWN, AT, AT, AT), "down since 9:12 am"),
    ],
)
def test_a_condition_is_said_with_its_times(health: Health | None, words: str) -> None:
    assert condition(health, SAYING) == words


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (0, "asked by an engine, nothing waits for one"),
        (1, "asked by an engine, 1 waits for one since 9:12 am"),
        (3, "asked by an engine, 3 wait for one, the first since 9:12 am"),
    ],
)
def test_of_a_payer_that_only_engines_ask_it_is_said_what_waits_for_them(waiting: int, words: str) -> None:
    assert by_engine(waiting, AT, SAYING) == words


def test_a_payer_that_pauses_each_week_is_closed_and_not_down() -> None:
    assert condition(Health(Condition.DOWN, AT, AT), SAYING, None, AGAIN) == "closed, opens at 9:20 am"


def test_while_the_first_question_waits_longer_than_the_payers_rest_its_time_is_said() -> None:
    resting = Health(Condition.DOWN, AT, AT, AT + timedelta(minutes=4))
    assert condition(resting, SAYING, AGAIN) == "down since 9:12 am, trying again at 9:20 am"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("timed_out", "Aetna is down since 9:12 am, trying again at 9:20 am."),
        ("aaa_72", "The payer could not answer."),
    ],
)
def test_only_a_failure_that_passes_is_said_to_be_the_payers_being_down(code: str, words: str) -> None:
    down = Health(Condition.DOWN, AT, AT)
    assert cause_now(code, "The payer could not answer.", "Aetna", down, AGAIN, SAYING) == words


def test_answer_times_are_said_in_seconds() -> None:
    assert (
        answer_time(with_times(Health(Condition.ANSWERING, AT, AT), [0.4, 0.6, 4.08], AT)) == "in 0.60 s, at most 4.1 s"
    )
    assert answer_time(Health(Condition.DOWN, AT, AT)) is None


async def _down(clinic: House, patients: int) -> None:
    await clinic.behave("aetna", state="broken", status=503)
    for number in range(1, patients + 1):
        someone = f"patient_0198c5f2-0000-7000-8000-{number:012}"
        await clinic.say(
            registered(),
            booked(id=f"appointment_{number}"),
            reported(id=f"coverage_{number}"),
            patient=someone,
        )


@pytest.mark.engines
async def test_every_replica_sees_that_a_payer_is_down_and_the_verification_says_it(settings: Settings) -> None:
    async with house(settings) as clinic:
        await _down(clinic, 6)

        async def said() -> str | None:
            found = await clinic.coverages()
            one = found[0]["verification"] if found else None
            cause = one["cause"] if one else None
            return cause if cause and "down since" in cause else None

        assert await eventually(said) == "Aetna is down since 12:00 pm, trying again at 12:01 pm."
        async with clinic.service.database.connection() as connection:
            row = await connection.fetchrow("SELECT condition FROM payer_health WHERE payer_id = '60054'")
            assert row is not None and row["condition"] == "down"
        async with client(clinic.service.http, Role.BILLING) as reader:
            assert "Down since 12:00 pm, trying again at 12:01 pm" in (await reader.get("/worklist")).text


@pytest.mark.engines
async def test_health_is_written_when_it_changes_and_not_for_each_question(settings: Settings) -> None:
    async with house(settings) as clinic:
        async with clinic.service.database.connection() as connection:
            await connection.execute(
                "CREATE TABLE written (at timestamptz DEFAULT now()); "
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN INSERT INTO written DEFAULT VALUES; RETURN NULL; END'; "
                "CREATE TRIGGER note AFTER INSERT OR UPDATE ON payer_health FOR EACH ROW EXECUTE FUNCTION note()"
            )
        for number in range(1, 31):
            someone = f"patient_0198c5f2-0000-7000-8000-{number:012}"
            await clinic.say(
                registered(), booked(id=f"appointment_{number}"), reported(id=f"coverage_{number}"), patient=someone
            )

        async def all_known() -> bool:
            async with clinic.service.database.connection() as connection:
                return await connection.fetchval("SELECT count(*) = 30 FROM verification WHERE state = 'concluded'")

        await eventually(all_known, within=30)
        async with clinic.service.database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM written") <= 2
