"""A person's events as a picture: a lane for each service, time from left to right, what caused what. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.pages import gap
from console.showing.views import EventShown

_LANES: Final = ("intake", "billing", "scheduling", "notify")
"""In this order, so that most arrows are short; any other service gets a lane below."""

LANE_HEIGHT: Final = 78
AXIS_HEIGHT: Final = 30
_MARGIN: Final = 50
_COLUMN: Final = 86
"""Wide enough for the longest word of an event type."""
_DOT_ABOVE: Final = 24
"""From a lane's upper edge to its dots; the words stand below them."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One event. `number` is its place in the table below the picture, from 1."""

    number: int
    x: float
    y: float
    words: tuple[str, ...]
    event: EventShown


@dataclass(frozen=True, slots=True)
class Tick:
    """Time on the axis, since the first event shown; the line under it separates two moments."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    lanes: tuple[str, ...]
    dots: tuple[Dot, ...]
    arrows: tuple[str, ...]
    """SVG path data, from each cause to its effect."""
    ticks: tuple[Tick, ...]
    width: float
    height: float


def picture(events: Sequence[EventShown]) -> Picture:
    """Distances grow with the logarithm of time, so that milliseconds and days are told apart in one picture."""
    spoken = {one.service for one in events}
    lanes = tuple(one for one in _LANES) + tuple(sorted(spoken - set(_LANES)))
    columns = _columns(events)
    dots = tuple(
        Dot(number, x, _level(lanes.index(one.service)), tuple(one.words.split()), one)
        for number, (one, x) in enumerate(zip(events, columns, strict=True), start=1)
    )
    return Picture(
        lanes=lanes,
        dots=dots,
        arrows=tuple(_arrows(dots)),
        ticks=tuple(_ticks(events, columns)),
        width=(columns[-1] if columns else 0) + _MARGIN,
        height=AXIS_HEIGHT + LANE_HEIGHT * len(lanes),
    )


def _columns(events: Sequence[EventShown]) -> list[float]:
    columns: list[float] = []
    for before, one in zip((None, *events), events, strict=False):
        seconds = (one.at - before.at).total_seconds() if before else 0.0
        step = _COLUMN + 7 * math.log10(1 + max(0.0, seconds) * 10)
        columns.append(round(columns[-1] + step, 1) if columns else float(_MARGIN))
    return columns


def _level(lane: int) -> float:
    return AXIS_HEIGHT + LANE_HEIGHT * lane + _DOT_ABOVE


def _arrows(dots: Sequence[Dot]) -> list[str]:
    by_event = {dot.event.id: dot for dot in dots}
    return [
        _arrow(cause, dot)
        for dot in dots
        if dot.event.causation_id and (cause := by_event.get(dot.event.causation_id)) and cause is not dot
    ]


def _arrow(cause: Dot, effect: Dot) -> str:
    """Between two lanes an S that leaves and arrives level; within one a bow above the dots."""
    start, end = cause.x + 8, effect.x - 11
    if cause.y == effect.y:
        top = cause.y - 18
        return f"M{start:g} {cause.y - 4:g}C{start + 12:g} {top:g} {end - 12:g} {top:g} {end:g} {effect.y - 3:g}"
    bend = max(16.0, min(60.0, (end - start) / 2))
    return f"M{start:g} {cause.y:g}C{start + bend:g} {cause.y:g} {end - bend:g} {effect.y:g} {end:g} {effect.y:g}"


def _ticks(events: Sequence[EventShown], columns: Sequence[float]) -> list[Tick]:
    ticks: list[Tick] = []
    said: str | None = None
    for one, x in zip(events, columns, strict=True):
        label = gap(max(0.0, (one.at - events[0].at).total_seconds()))
        if label != said:
            ticks.append(Tick(x, f"+{label}" if said else "0"))
            said = label
    return ticks
