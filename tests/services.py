"""What a test of a service needs: topics of its own, and settings that point at the engines of this run."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from chassis.settings import ServiceSettings
from contracts.registry import TOPICS
from deploy.local.engines import Engines
from deploy.local.kafka import create_topics
from tests.engines import TopicSpace

S = TypeVar("S", bound=ServiceSettings)

TOKEN_KEY = "a key for signing tokens in tests, 32+"
SEAL_KEY = "a key for sealing records in tests, 32+"


@pytest.fixture
async def topics(kafka: TopicSpace) -> str:
    """The prefix of this test's own copy of every stream's topic."""
    prefix = f"{kafka.prefix}-"
    await create_topics(kafka.bootstrap, [prefix + topic for topic in TOPICS], partitions=12)
    return prefix


@pytest.fixture
def settings(engines: Engines, database: str, topics: str) -> Callable[..., Any]:
    """`settings(BillingSettings, gateway_url=…)`: settings of a service on this test's schema and topics."""

    def make(kind: type[S] = ServiceSettings, **knobs: Any) -> S:  # type: ignore[assignment]
        shared = {
            "database_url": database,
            "kafka": engines.bootstrap,
            "topic_prefix": topics,
            "token_key": TOKEN_KEY,
            "seal_key": SEAL_KEY,
            "retry_first_seconds": 0.05,
            "retry_longest_seconds": 0.2,
            "commit_interval_seconds": 0.05,
        }
        return kind(**{**shared, **knobs})

    return make
