"""When a consumer counts as stuck, and that a stuck one helps itself on the real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from chassis.progress import Progress, Seen
from chassis.settings import ServiceSettings
from tests.chassis.test_fates import Clinic, clinic, envelope, named
from tests.waiting import eventually

PATIENCE = 8.0


def watched(*looks: Seen) -> Progress:
    progress = Progress(0)
    for seen in looks:
        progress.look(seen)
    return progress


def seen(at: float, *, joined: bool = True, received: int = 0, unread: int | None = 0, paused: bool = False) -> Seen:
    return Seen(at, joined, received, unread, paused)


def test_one_with_nothing_to_read_is_not_stuck() -> None:
    assert watched(*(seen(at) for at in range(100))).stalled(100, PATIENCE) is None


def test_one_that_reads_is_not_stuck_however_much_waits() -> None:
    busy = watched(*(seen(at, received=at, unread=1_000_000) for at in range(100)))
    assert busy.stalled(100, PATIENCE) is None


def test_one_that_has_enough_to_do_is_not_stuck() -> None:
    assert watched(*(seen(at, unread=9, paused=True) for at in range(100))).stalled(100, PATIENCE) is None


@pytest.mark.parametrize(
    ("stuck", "why"),
    [
        (lambda at: seen(at, unread=3), "reads nothing, although there is something for 9 s"),
        (lambda at: seen(at, joined=False), "has not joined its group for 9 s"),
        (lambda at: seen(at, unread=None), "gets no word from the broker for 9 s"),
    ],
)
def test_what_stands_in_the_way_is_said_once_it_has_for_long(stuck: Callable[[float], Seen], why: str) -> None:
    progress = watched(seen(0, received=5), *(stuck(at) for at in range(1, 8)))
    assert progress.stalled(8, PATIENCE) is None
    assert progress.stalled(10, PATIENCE) == why


def test_patience_begins_anew_with_another_obstacle_and_with_every_record() -> None:
    changing = watched(seen(1, joined=False), seen(6, unread=None), seen(9, unread=3))
    assert changing.stalled(10, PATIENCE) is None
    reading = watched(seen(1, unread=3), seen(7, unread=3, received=1))
    assert reading.stalled(10, PATIENCE) is None


def test_one_that_never_joined_is_stuck_from_its_beginning() -> None:
    assert Progress(0).stalled(9, PATIENCE) == "has not joined its group for 9 s"


Settings = Callable[..., ServiceSettings]


@pytest.mark.engines
async def test_a_consumer_whose_client_reads_no_more_says_so_takes_another_and_loses_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(stall_seconds=2), tmp_path) as one, one.service.running():
        await one.send(named("Ada"), envelope())
        await one.noted("Ada")
        assert await one.service.why_not_ready() == []
        stop_reading(one)
        await one.send(named("Bea"), envelope())
        await eventually(lambda: says(one, "reads nothing, although there is something"), within=20)
        await one.noted("Ada", "Bea")
        assert one.service.registry.get_sample_value("stillwater_consumer_restarts_total", LABEL) == 1
        await eventually(lambda: ready(one), within=10)


@pytest.mark.engines
async def test_a_consumer_that_was_put_out_of_its_group_and_cannot_come_back_takes_another_client(
    settings: Settings, tmp_path: Path
) -> None:
    async with clinic(settings(stall_seconds=2), tmp_path) as one, one.service.running():
        await lose_coordination(one)
        await one.send(named("Ada"), envelope())
        await one.noted("Ada")
        await eventually(lambda: ready(one), within=10)


@pytest.mark.engines
async def test_a_client_that_cannot_be_stopped_is_left_behind_without_its_tasks(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with clinic(settings(stall_seconds=2), tmp_path) as one, one.service.running():
        await one.send(named("Ada"), envelope())
        await one.noted("Ada")
        stuck, over = client_of(one), asyncio.Event()

        async def not_before_it_is_over() -> None:
            while not over.is_set():
                with suppress(asyncio.CancelledError):
                    await over.wait()

        for closing in (stuck._coordinator, stuck._client):
            monkeypatch.setattr(closing, "close", not_before_it_is_over)
        stop_reading(one)
        await one.send(named("Bea"), envelope())
        await one.noted("Ada", "Bea")
        assert client_of(one) is not stuck
        await eventually(lambda: ended(stuck._coordinator._heartbeat_task, stuck._client._sync_task), within=10)
        over.set()


LABEL = {"consumer": "scheduling"}


def stop_reading(one: Clinic) -> None:
    """As a client does that has lost track of its fetches: it lives, beats and gets nothing."""
    client = client_of(one)
    client.pause(*client.assignment())


async def lose_coordination(one: Clinic) -> None:
    """As after an error that ended its rejoining: no heartbeats, and no partitions after the session."""
    client = client_of(one)
    client._coordinator._coordination_task.cancel()
    await client._coordinator._stop_heartbeat_task()
    client.pause(*client.assignment())


async def ended(*tasks: asyncio.Task[None]) -> bool:
    return all(task.done() for task in tasks)


def client_of(one: Clinic):  # pyright: ignore
    """aiokafka's own, behind three of our doors: only a test reaches for it."""
    return one.service._consumers[0]._client._consumer  # pyright: ignore


async def says(one: Clinic, reason: str) -> bool:
    return any(reason in said for said in await one.service.why_not_ready())


async def ready(one: Clinic) -> bool:
    return await one.service.why_not_ready() == []
