"""The examples in billing's OpenAPI document are requests that work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.billing.house import Settings, house
from tests.billing.test_eligibility import program

pytestmark = pytest.mark.engines

SCOPES = ("eligibility:ask", "coverages:read", "engine:answer")


def examples(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Path and body of each example of a request to an address without parameters."""
    for path, operations in document["paths"].items():
        body = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if "{" not in path and name:
            for example in document["components"]["schemas"][name].get("examples", []):
                yield path, example


async def test_every_example_can_be_sent_as_it_stands(settings: Settings) -> None:
    async with house(settings) as clinic, program(clinic, *SCOPES) as machine:
        document = (await machine.get("/openapi.json")).raise_for_status().json()
        tried: set[str] = set()
        for path, example in examples(document):
            answer = await machine.post(path, json=example)
            assert answer.is_success, (path, answer.text)
            tried.add(path)
        assert tried >= {"/eligibility", "/engines/leases"}
