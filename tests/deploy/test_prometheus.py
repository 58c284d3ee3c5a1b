"""Seen from outside: the alerts fire when they should, and a real Prometheus finds every curve of the dashboard."""

import asyncio
import json
import math
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.grafana.__main__ import FILE, written
from deploy.grafana.event_core import queries
from deploy.local.engines import Engines
from deploy.local.house import House
from deploy.local.places import PROJECT
from deploy.local.ports import free_port
from deploy.local.topology import SERVICES
from tests.waiting import eventually

FOLDER = PROJECT / "deploy" / "prometheus"
ALERTS = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="Prometheus is not installed (apt-get install prometheus)",
)


async def _promtool(*arguments: str) -> str:
    ran = await asyncio.create_subprocess_exec(
        "promtool", *arguments, cwd=FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await ran.communicate()
    assert ran.returncode == 0, said.decode()
    return said.decode()


@needs_prometheus
async def test_the_configuration_and_every_alert_hold_up() -> None:
    await _promtool("check", "config", "prometheus.yml")
    assert "SUCCESS" in await _promtool("test", "rules", "alerts_test.yml")


def test_each_alert_is_shown_to_fire_and_not_to_fire() -> None:
    fires: dict[bool, set[str]] = {True: set(), False: set()}
    for test in yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]:
        for expected in test["alert_rule_test"]:
            fires[bool(expected["exp_alerts"])].add(expected["alertname"])
    assert fires == {True: set(ALERTS), False: set(ALERTS)}


def test_each_alert_says_what_to_do() -> None:
    assert all(rule["annotations"]["action"] for rule in ALERTS.values())


def test_the_dashboard_that_is_committed_is_the_one_that_the_code_writes() -> None:
    assert FILE.read_text() == written(), "run `python -m deploy.grafana`"


@asynccontextmanager
async def _prometheus(house: House, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    (folder / "targets").mkdir()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(FOLDER / "alerts.yml", folder)
    targets = [
        {"targets": [house.url(service).removeprefix("http://")], "labels": {"service": service}}
        for service in SERVICES
    ]
    (folder / "targets" / "house.json").write_text(json.dumps(targets))
    address = f"127.0.0.1:{free_port(0)}"
    server = await asyncio.create_subprocess_exec(
        "prometheus", "--config.file=prometheus.yml", f"--web.listen-address={address}",
        f"--storage.tsdb.path={folder / 'series'}", "--log.level=error", cwd=folder,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
            yield client
    finally:
        server.terminate()
        await server.wait()


async def _values(prometheus: httpx.AsyncClient, query: str) -> list[float]:
    try:
        answer = (await prometheus.get("/api/v1/query", params={"query": query})).raise_for_status().json()
    except httpx.HTTPError:
        return []
    return [value for one in answer["data"]["result"] if not math.isnan(value := float(one["value"][1]))]


def _intake(number: int) -> dict[str, Any]:
    return {
        "name": "Eleanor Whitfield",
        "email": f"eleanor{number}@example.com",
        "birth_date": "1984-03-12",
        "insured": "yes",
        "payer": "Aetna",
        "member_id": "W100000001",
        "in_danger": False,
    }


@needs_prometheus
@pytest.mark.engines
async def test_prometheus_finds_every_service_and_every_curve_of_the_dashboard(
    engines: Engines, tmp_path: Path
) -> None:
    async with House(engines=engines, prefix="seen-") as house, _prometheus(house, tmp_path) as prometheus:
        async with httpx.AsyncClient(base_url=house.url("intake"), trust_env=False) as door:
            numbers = iter(range(1_000))

            async def someone_asks_and_every_curve_is_there() -> bool:
                # A rate needs two samples that differ: people keep coming while we look.
                (await door.post("/intakes", json=_intake(next(numbers)))).raise_for_status()
                found = [bool(await _values(prometheus, query)) for query in queries()]
                return all(found)

            try:
                await eventually(someone_asks_and_every_curve_is_there, within=60)
            except AssertionError:
                assert [query for query in queries() if not await _values(prometheus, query)] == []
        assert await _values(prometheus, 'up{job="stillwater"}') == [1.0] * len(SERVICES)
        assert (await prometheus.get("/api/v1/rules")).json()["data"]["groups"]
