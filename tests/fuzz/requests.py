"""Requests made from each service's own OpenAPI document, as it allows and as it does not, and what was answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.generation import GenerationMode

from chassis.tokens import Role, issue

SCOPES = ("eligibility:ask", "coverages:read", "engine:answer")
_FAULT = 500
_TURNED_AWAY = frozenset({401, 403})
_SECONDS = 30.0


@dataclass
class Answers:
    """How many there were, by status, and where we were at fault."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    faults: Counter[str] = field(default_factory=Counter[str])

    @property
    def requests(self) -> int:
        return self.statuses.total()


Headers = dict[str, str]


def everybody(key: str) -> list[Headers]:
    """The headers of somebody in each role, of nobody, and of a forger."""
    hours = timedelta(hours=2)
    people = [issue(key, f"fuzz-{role}", role, hours, SCOPES if role is Role.ENGINE else ()) for role in Role]
    return [{}, {"Authorization": "Bearer x.y.z"}, *({"Authorization": f"Bearer {token}"} for token in people)]


def fuzz(url: str, key: str, requests: int, number: int, answers: Answers) -> None:
    """At least so many requests to one service, spread over its operations, from the seed `number`."""
    people = everybody(key)
    document = httpx.get(f"{url}/openapi.json", headers=people[-1], timeout=_SECONDS, trust_env=False)
    schema = schemathesis.openapi.from_dict(document.raise_for_status().json())
    operations = [found.ok() for found in schema.get_all_operations()]
    each = max(2, requests // len(operations) // 2 + 1)
    with httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False) as client:
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _try(operation, mode, each, number, client, list(people), answers)


def _try(
    operation: Any,
    mode: GenerationMode,
    examples: int,
    number: int,
    client: httpx.Client,
    people: list[Headers],
    answers: Answers,
) -> None:
    """Whoever is turned away asks no more: then those who may ask go on."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        asking = people[answers.requests % len(people)]
        status = _status(client, case, asking)
        answers.statuses[status] += 1
        if status in _TURNED_AWAY and len(people) > 1:
            people.remove(asking)
        if status >= _FAULT:
            answers.faults[f"{case.method} {operation.path}: {status}"] += 1

    try:
        send()
    except Exception as error:  # nothing can be made in this mode: no parameters to get wrong
        if type(error).__name__ not in ("Unsatisfiable", "SkipTest", "Skipped"):
            raise


def _status(client: httpx.Client, case: Any, headers: Headers) -> int:
    made = case.as_transport_kwargs(base_url=str(client.base_url).rstrip("/"), headers=headers)
    made.pop("cookies", None)
    try:
        with client.stream(**{name: value for name, value in made.items() if value is not None}) as answer:
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError):
        return 0  # what no client can send, or nobody answered
