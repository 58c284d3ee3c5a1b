"""What is known of the request under way, wherever the code happens to be."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from chassis.tokens import Actor


@dataclass(slots=True)
class RequestContext:
    """One request: its id, and who asks once `requires` has admitted them."""

    id: str
    actor: Actor | None = None


current: ContextVar[RequestContext | None] = ContextVar("stillwater_request", default=None)


def request_id() -> str | None:
    """The id of the request under way; None outside of any."""
    context = current.get()
    return context.id if context else None


def request_actor() -> Actor | None:
    """Whom the request under way was admitted as; None where a route asks nobody's name."""
    context = current.get()
    return context.actor if context else None
