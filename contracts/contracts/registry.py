"""Every event type that there is, by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType

from contracts import billing, intake, notify, scheduling
from contracts.event import Event


def _types() -> dict[str, type[Event]]:
    return {
        member.type: member
        for stream in (intake, scheduling, billing, notify)
        for _, member in inspect.getmembers(stream, inspect.isclass)
        if issubclass(member, Event) and member is not Event
    }


EVENT_TYPES: Mapping[str, type[Event]] = MappingProxyType(_types())
TOPICS: tuple[str, ...] = tuple(sorted({event.topic() for event in EVENT_TYPES.values()}))
