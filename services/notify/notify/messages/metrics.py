"""What messages measure, without ids as labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from contracts.notify import Channel
from notify.messages.model import Due
from notify.messages.store import Fate

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14400, 86400)


class MessageMetrics:
    """Counted when decided; a transaction that is rolled back after that may be counted twice."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter(
            "stillwater_messages",
            "Messages by channel, template and what became of them",
            ["channel", "template", "fate"],
            registry=registry,
        )
        self._seconds = Histogram(
            "stillwater_message_sent_seconds",
            "From the decision to tell until the mail server or carrier took it, clinic time",
            ["channel"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._replies = Counter("stillwater_replies", "Texts from people, by meaning", ["meaning"], registry=registry)

    def fated(self, one: Due, fate: Fate) -> None:
        self._messages.labels(one.channel.value, one.template, fate.value).inc()

    def sent(self, channel: Channel, seconds: float) -> None:
        self._seconds.labels(channel.value).observe(max(0.0, seconds))

    def replied(self, meaning: str) -> None:
        self._replies.labels(meaning).inc()
