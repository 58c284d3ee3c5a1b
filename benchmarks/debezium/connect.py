"""One Kafka Connect worker in standalone mode with one Debezium connector."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from benchmarks.debezium.artifacts import classpath
from deploy.local.kafka_distribution import java
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.process import Child, StartError

TUNED: dict[str, str] = {
    "max.batch.size": "8192",
    "max.queue.size": "32768",
    "poll.interval.ms": "5",
}
"""Larger batches and queue, and a short poll: its best of what was tried. Its default is without any of these."""

# As bin/connect-standalone.sh and bin/kafka-run-class.sh start it.
_JVM = [
    "-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
]  # fmt: skip


@dataclass(frozen=True)
class Outbox:
    """The table that the connector reads: where it is, and which of its columns become headers."""

    admin_dsn: str
    table: str
    headers: tuple[str, ...]
    constant_headers: Mapping[str, str]


@asynccontextmanager
async def debezium(outbox: Outbox, bootstrap: str, folder: Path, tuning: Mapping[str, str]) -> AsyncGenerator[Child]:
    """A worker whose connector streams. Its replication slot goes with it. Raises StartError."""
    port = free_port(0)
    worker = _written(folder / "worker.properties", _worker(bootstrap, port, folder))
    connector = _written(folder / "connector.properties", {**_connector(outbox), **tuning})
    jars = await asyncio.to_thread(classpath)
    child = await Child.start(
        "connect",
        [java(), *_JVM, "-cp", jars, "org.apache.kafka.connect.cli.ConnectStandalone", worker, connector],
        log=folder / "connect.log",
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )
    try:
        await _running(child, port)
        yield child
    finally:
        async with httpx.AsyncClient(timeout=30) as client:
            await client.put(f"http://{LOOPBACK}:{port}/connectors/outbox/stop")
        await child.kill()


def _worker(bootstrap: str, port: int, folder: Path) -> dict[str, str]:
    text = "org.apache.kafka.connect.storage.StringConverter"
    return {
        "bootstrap.servers": bootstrap,
        "listeners": f"http://{LOOPBACK}:{port}",
        "key.converter": text,
        "value.converter": text,
        "header.converter": text,
        "offset.storage.file.filename": str(folder / "offsets"),
    }


def _connector(outbox: Outbox) -> dict[str, str]:
    place = urlsplit(outbox.admin_dsn)
    router = "transforms.outbox"
    settings = {
        "name": "outbox",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": place.hostname or LOOPBACK,
        "database.port": str(place.port),
        "database.user": unquote(place.username or ""),
        "database.password": unquote(place.password or ""),
        "database.dbname": place.path.strip("/"),
        "plugin.name": "pgoutput",
        "publication.autocreate.mode": "filtered",
        "slot.name": "peer",
        "slot.drop.on.stop": "true",
        "table.include.list": outbox.table,
        "topic.prefix": "peer",
        "snapshot.mode": "no_data",
        "tombstones.on.delete": "false",
        "extended.headers.enabled": "false",  # four more headers a record, which nobody asked for
        f"{router}.type": "io.debezium.transforms.outbox.EventRouter",
        f"{router}.route.by.field": "topic",
        f"{router}.route.topic.replacement": "${routedByValue}",
        f"{router}.table.field.event.key": "key",
        f"{router}.table.fields.additional.placement": ",".join(f"{name}:header" for name in outbox.headers),
    }
    names: list[str] = []
    for number, (header, value) in enumerate(outbox.constant_headers.items()):
        names.append(f"constant{number}")
        settings |= {
            f"transforms.{names[-1]}.type": "org.apache.kafka.connect.transforms.InsertHeader",
            f"transforms.{names[-1]}.header": header,
            f"transforms.{names[-1]}.value.literal": value,
        }
    return settings | {"transforms": ",".join(["outbox", *names])}


async def _running(child: Child, port: int) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(120):
        while child.running:
            try:
                answer = await client.get(f"http://{LOOPBACK}:{port}/connectors/outbox/status")
                tasks = answer.json().get("tasks", []) if answer.status_code == 200 else []
            except httpx.TransportError:
                tasks = []
            states = {task["state"] for task in tasks}
            if states == {"RUNNING"}:
                return
            if "FAILED" in states:
                break
            await asyncio.sleep(0.1)
    raise StartError(f"Debezium does not run. Its log is {child.log}:\n{child.last_words()}")


def _written(path: Path, settings: Mapping[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    path.chmod(0o600)
    return path
