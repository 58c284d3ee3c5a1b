"""How much memory do twenty uploads at once take, of 30 MB each beside 1 MB each?

The real intake service, in a process of its own on the embedded engines, takes twenty forms at once, each with one
photo. Its peak of resident memory, as the kernel keeps it, is set beside what it held at rest. The picture is
decoded in another process, one at a time; that one's peak is shown too. Linux only.
"""

import asyncio
import io
import os
import random
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import psutil
from PIL import Image

from benchmarks.report import Figure, report
from contracts.registry import TOPICS
from deploy.local.engines import Engines
from deploy.local.kafka import create_topics
from deploy.local.ports import LOOPBACK
from deploy.local.tenants import drop_tenant, dsn_of_tenant, ensure_tenant

AT_ONCE = 20
MEGABYTE = 1024 * 1024
LARGE, SMALL = 30, 1
GROWTH_BAR_MEGABYTES = 96


@dataclass(frozen=True)
class Load:
    """What one round of uploads took. Memory in MB, time in seconds."""

    grown: float
    decoder: float
    seconds: float


def noise_of(megabytes: int) -> bytes:
    """A JPEG of that size: noise, which hardly compresses, then filler behind its end."""
    size = megabytes * MEGABYTE
    width = int((size * 0.28) ** 0.5)
    noise = random.Random(megabytes)
    file = io.BytesIO()
    Image.frombytes("RGB", (width, width), noise.randbytes(width * width * 3)).save(file, "JPEG", quality=95)
    picture = file.getvalue()
    if len(picture) > size:
        raise ValueError(f"the picture has {len(picture)} bytes, more than {size}")
    return picture + bytes(size - len(picture))


@asynccontextmanager
async def intake_running() -> AsyncGenerator[tuple[psutil.Process, httpx.AsyncClient]]:
    """The service as `make run` starts it, ready."""
    name, password = f"bench{secrets.token_hex(3)}", secrets.token_hex(8)
    prefix = f"{name}-"
    with tempfile.TemporaryDirectory() as folder:
        async with Engines() as engines:
            admin = await asyncpg.connect(engines.admin_dsn)
            await ensure_tenant(admin, name, password)
            await create_topics(engines.bootstrap, [prefix + topic for topic in TOPICS], partitions=12)
            port = _free_port()
            service = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "intake"),
                env=os.environ
                | {
                    "MALLOC_ARENA_MAX": "2",
                    "STILLWATER_KAFKA": engines.bootstrap,
                    "STILLWATER_TOPIC_PREFIX": prefix,
                    "STILLWATER_TOKEN_KEY": secrets.token_hex(32),
                    "STILLWATER_SEAL_KEY": secrets.token_hex(32),
                    "STILLWATER_INTAKE_PORT": str(port),
                    "STILLWATER_INTAKE_DATABASE_URL": dsn_of_tenant(engines.admin_dsn, name, password),
                    "STILLWATER_INTAKE_CARD_FOLDER": f"{folder}/cards",
                    "STILLWATER_INTAKE_CARD_KEYS_FILE": f"{folder}/keys/cards.json",
                },
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=300) as client:
                    await _until_ready(client)
                    yield psutil.Process(service.pid), client
            finally:
                service.terminate()
                await service.wait()
                await drop_tenant(admin, name)
                await admin.close()


async def send(client: httpx.AsyncClient, photo: bytes) -> None:
    answer = await client.post(
        "/",
        data={"name": "Ada Byron", "phone": "(330) 555-0123"},
        files={"card_front": ("card.jpg", photo, "image/jpeg")},
        headers={"Accept": "application/json"},
    )
    if answer.status_code != 201:
        raise RuntimeError(f"the form answered {answer.status_code}: {answer.text[:300]}")


async def measure(service: psutil.Process, client: httpx.AsyncClient, photo: bytes, idle: float) -> Load:
    """`idle` is what the service held before any round, in MB: what an earlier round left counts as grown."""
    _forget_peak(service.pid)
    watch = asyncio.create_task(_decoder_peak(service))
    started = time.perf_counter()
    await asyncio.gather(*(send(client, photo) for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - started
    watch.cancel()
    return Load(_peak(service.pid) / MEGABYTE - idle, await watch / MEGABYTE, seconds)


async def _decoder_peak(service: psutil.Process) -> float:
    peak = 0.0
    try:
        while True:
            for child in service.children():
                try:
                    if "intake.uploads.redraw" in child.cmdline():
                        peak = max(peak, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        return peak


def _forget_peak(pid: int) -> None:
    """proc(5): writing 5 to clear_refs sets the peak back to what is resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak(pid: int) -> float:
    """VmHWM, in bytes."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


async def _until_ready(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.2)
    raise TimeoutError("intake was not ready within 60 s")


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return listener.getsockname()[1]


async def main() -> bool:
    small, large = noise_of(SMALL), noise_of(LARGE)
    async with intake_running() as (service, client):
        await send(client, small)
        idle = service.memory_info().rss / MEGABYTE
        of_small = await measure(service, client, small, idle)
        of_large = await measure(service, client, large, idle)
        again = await measure(service, client, large, idle)
    ratio = of_large.grown / max(of_small.grown, 1.0)
    sent = AT_ONCE * LARGE
    return report(
        "uploads",
        [
            Figure("at rest, warm", idle, "MB"),
            Figure(f"grown by {AT_ONCE} x {SMALL} MB at once", of_small.grown, "MB", key="grown_small_mb"),
            Figure(
                f"grown by {AT_ONCE} x {LARGE} MB at once",
                of_large.grown,
                "MB",
                bar=f"≤ {GROWTH_BAR_MEGABYTES} of {sent} sent",
                holds=of_large.grown <= GROWTH_BAR_MEGABYTES,
                key="grown_large_mb",
            ),
            Figure(
                "grown by the same once more",
                again.grown,
                "MB",
                bar=f"≤ {GROWTH_BAR_MEGABYTES}",
                holds=again.grown <= GROWTH_BAR_MEGABYTES,
                key="grown_again_mb",
            ),
            Figure("decoding process, one at a time", of_large.decoder, "MB", key="decoder_mb"),
            Figure(f"time for {AT_ONCE} x {SMALL} MB", of_small.seconds, "s", key="seconds_small"),
            Figure(f"time for {AT_ONCE} x {LARGE} MB", of_large.seconds, "s", key="seconds_large"),
        ],
        ratios={"memory_large_to_small": ratio, "memory_to_bytes_sent": of_large.grown / sent},
        title=f"{AT_ONCE} uploads at once",
    )


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
