"""What a run leaves on disk while it is on, so that another command can find it, stop it, or clear up after it."""

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import psutil

_SAME_START_SECONDS = 2.0
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Trace:
    """A process, told from a later one with the same number by the moment at which it started."""

    name: str
    pid: int
    started: float

    @classmethod
    def of(cls, name: str, pid: int) -> "Trace | None":
        try:
            return cls(name, pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def find(self) -> psutil.Process | None:
        """The very process, if it is still there."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _SAME_START_SECONDS:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class RunRecord:
    """A run of the house: who runs it, what it started, where it answers, how far clinic time has come."""

    supervisor: Trace
    processes: list[Trace] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    clinic_time: str | None = None
    ready: bool = False

    @classmethod
    def read(cls, path: Path) -> "RunRecord | None":
        """None where there is none, or one cut short."""
        try:
            raw = json.loads(path.read_text())
            return cls(
                Trace(**raw["supervisor"]),
                [Trace(**process) for process in raw["processes"]],
                raw["urls"],
                raw["clinic_time"],
                raw["ready"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        unfinished = path.with_name(path.name + ".new")
        unfinished.write_text(json.dumps(asdict(self), indent=1))
        unfinished.replace(path)

    def clinic_time_reached(self) -> datetime | None:
        return datetime.fromisoformat(self.clinic_time) if self.clinic_time else None


def traces(pids: Mapping[str, int]) -> list[Trace]:
    return [trace for name, pid in pids.items() if (trace := Trace.of(name, pid))]


@contextmanager
def claim(folder: Path) -> Generator[bool]:
    """Whether this process has the folder to itself; the claim ends with the process at the latest."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def reap(record: RunRecord) -> list[str]:
    """Ends what a killed run left behind, and nothing else. Returns the names of what was still there.

    Services are killed outright, as a crash does and as they must bear; then Kafka and Postgres are asked first.
    """
    left = {trace.name: process for trace in record.processes if (process := trace.find())}
    asked_first = {"kafka": signal.SIGTERM, "postgres": signal.SIGINT}
    for name, process in left.items():
        if name not in asked_first:
            _kill_group(process)
    for name, request in asked_first.items():
        if name in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                left[name].send_signal(request)
                left[name].wait(_STOP_SECONDS)
            _kill_group(left[name])
    return sorted(left)


def _kill_group(process: psutil.Process) -> None:
    """Each of our children leads a group of its own, which holds what it started."""
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, psutil.TimeoutExpired):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait(_STOP_SECONDS)
