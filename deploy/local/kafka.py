"""One Apache Kafka node (KRaft: broker and controller in one process) on the packaged Java."""

import asyncio
import base64
import os
import shutil
import signal
import uuid
from collections.abc import Iterable
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from deploy.local.kafka_distribution import KafkaDistribution, java
from deploy.local.ports import LOOPBACK, free_port, is_open
from deploy.local.process import Child, StartError, run_to_end

RETENTION_DAYS = 90
_DAY_MS = 24 * 60 * 60 * 1000
_ATTEMPTS = 4
_START_TIMEOUT = 60.0

JVM = [
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=25",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
]

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "log.retention.ms": str(RETENTION_DAYS * _DAY_MS),
    "offsets.retention.minutes": str(RETENTION_DAYS * 24 * 60),
    # One node: it is its own only replica, and a group need not wait for late joiners.
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "12",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Sized for two cores. The log cleaner's buffer alone takes 128 MB by default.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "log.cleaner.dedupe.buffer.size": str(4 * 1024 * 1024),
    "log.cleaner.io.buffer.size": str(64 * 1024),
    "log.segment.bytes": str(128 * 1024 * 1024),
    "log.index.size.max.bytes": str(1024 * 1024),
}


class Kafka:
    """A node with its data in `folder`, formatted on first use."""

    def __init__(self, folder: Path, distribution: KafkaDistribution, *, log: Path) -> None:
        self._folder = folder
        self._distribution = distribution
        self._log = log
        self._child: Child | None = None
        self.port = 0

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def child(self) -> Child | None:
        return self._child

    async def start(self, preferred_port: int = 0, *, recording: Path | None = None) -> None:
        """Returns when it accepts connections. Raises StartError.

        With `recording`, stopping the node writes an ahead-of-time cache of this run to that file, which
        takes some seconds.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self.port = free_port(preferred_port)
            properties = self._configure(controller_port=free_port(taken=[self.port]))
            if not (self._folder / "meta.properties").exists():
                await self._format(properties)
            self._child = await Child.start(
                "kafka",
                [*self._command(recording), "kafka.Kafka", str(properties)],
                log=self._log,
                env=_environment(),
                farewell=signal.SIGTERM,
            )
            if await self._opens():
                return
            if attempt < _ATTEMPTS:
                await asyncio.sleep(0.5 * attempt)
        assert self._child
        raise StartError(f"Kafka did not start. Its log is {self._log}:\n{self._child.last_words()}")

    async def stop(self, grace: float = 10.0) -> None:
        if self._child:
            await self._child.stop((signal.SIGTERM, grace))

    async def kill(self) -> None:
        """What a crash does."""
        if self._child:
            await self._child.kill()

    def _command(self, recording: Path | None = None) -> list[str]:
        archive = self._distribution.aot_cache
        if recording:
            flags = [f"-XX:AOTCacheOutput={recording}"]
        else:
            flags = [f"-XX:AOTCache={archive}"] if archive.exists() else []
        return [str(java()), *JVM, *flags, "-cp", self._distribution.classpath]

    def _configure(self, controller_port: int) -> Path:
        # Voters are named here, not kept in the metadata log, so that the next start may use other ports.
        settings = SETTINGS | {
            "listeners": f"BROKER://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": f"BROKER://{LOOPBACK}:{self.port}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
            "log.dirs": str(self._folder),
        }
        properties = self._folder.with_name(self._folder.name + ".properties")
        properties.parent.mkdir(parents=True, exist_ok=True)
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return properties

    async def _format(self, properties: Path) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)  # formatting that was cut short
        checkpoint = self._distribution.bootstrap_checkpoint
        if not checkpoint.exists():
            command = [*self._command(), "kafka.tools.StorageTool", "format"]
            command += ["-t", _random_id(), "-c", str(properties)]
            await run_to_end("kafka format", command, log=self._log, env=_environment())
            return
        log = self._folder / "__cluster_metadata-0"
        log.mkdir(parents=True)
        shutil.copyfile(checkpoint, log / "00000000000000000000-0000000000.checkpoint")
        identity = {"cluster.id": _random_id(), "directory.id": _random_id(), "node.id": "1", "version": "1"}
        unfinished = self._folder / "meta.properties.new"
        unfinished.write_text("".join(f"{name}={value}\n" for name, value in identity.items()))
        unfinished.rename(self._folder / "meta.properties")

    async def _opens(self) -> bool:
        assert self._child
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while self._child.running:
                    if is_open(self.port):
                        return True
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self._child.kill()
        return False


async def create_topics(
    bootstrap: str, names: Iterable[str], *, partitions: int, retention_days: int = RETENTION_DAYS
) -> None:
    """Creates the topics that are missing, never compacted. Raises StartError.

    Each partition has three replicas where there are three brokers.
    """
    configs = {"retention.ms": str(retention_days * _DAY_MS), "cleanup.policy": "delete"}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="stillwater-setup")
    try:
        await admin.start()
        replicas = min(3, len((await admin.describe_cluster())["brokers"]))
        answer = await admin.create_topics(
            [NewTopic(name, partitions, replicas, topic_configs=configs) for name in names]
        )
    except KafkaError as problem:
        raise StartError(f"Kafka at {bootstrap} did not answer: {type(problem).__name__}.") from problem
    finally:
        await admin.close()
    for outcome in answer.to_object()["topic_errors"]:
        name, code = outcome["topic"], outcome["error_code"]
        failure = for_code(code)
        if code and failure is not TopicAlreadyExistsError:
            raise StartError(f"Kafka at {bootstrap} refused to create the topic {name}: {failure.__name__}.")


async def delete_topics(bootstrap: str, names: Iterable[str]) -> None:
    """Deletes the topics that are there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="stillwater-setup")
    try:
        await admin.start()
        await admin.delete_topics(list(names))
    finally:
        await admin.close()


def _random_id() -> str:
    """Kafka's own form of a UUID: 22 characters of URL-safe base64, not starting with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
