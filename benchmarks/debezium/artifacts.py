"""Kafka Connect and Debezium's Postgres connector, from Maven Central, resolved as Kafka itself is."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

from deploy.local.kafka_distribution import locked
from deploy.local.places import cache
from deploy.local.process import StartError

DEBEZIUM = "io.debezium:debezium-connector-postgres:3.4.3.Final"
CONNECT = "org.apache.kafka:connect-runtime:4.1.1"
"""The version that this Debezium is built with."""
TRANSFORMS = "org.apache.kafka:connect-transforms:4.1.1"
LOGGING = "org.slf4j:slf4j-simple:1.7.36"


def classpath() -> str:
    """Every jar, downloaded first if it is not there. Raises StartError if they cannot be had."""
    jars = cache().resolve() / f"debezium-{DEBEZIUM.rsplit(':', 1)[1]}"
    with locked(cache() / "debezium.lock"):
        if not jars.is_dir():
            _download(jars)
    return os.pathsep.join(str(jar) for jar in sorted(jars.glob("*.jar")))


def _download(jars: Path) -> None:
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext

    logging.getLogger("jgo").setLevel(logging.ERROR)
    context = MavenContext(repo_cache=cache() / "maven", remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=60)
    builder = EnvironmentBuilder(context=context, cache_dir=cache() / "jgo", link_strategy=LinkStrategy.HARD)
    try:
        environment = builder.from_endpoint("+".join((CONNECT, TRANSFORMS, DEBEZIUM, LOGGING)))
    except Exception as problem:  # it raises whatever its parts raise
        raise StartError(f"Debezium could not be fetched ({type(problem).__name__}: {problem})") from problem
    with tempfile.TemporaryDirectory(dir=cache()) as unfinished:
        for jar in sorted(environment.path.rglob("*.jar")):
            shutil.copy2(jar, unfinished)
        shutil.copytree(unfinished, jars)
