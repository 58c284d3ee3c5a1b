"""Whether anything of a house is still there when it is gone: processes, ports, folders, shared memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.ports import is_open
from deploy.local.run_record import Trace

_SHARED_MEMORY = "/dev/shm/"  # noqa: S108 - where Linux shows what is shared by name; nothing is written there
_SYSTEM_V = Path("/proc/sysvipc/shm")


@dataclass(frozen=True)
class Footprint:
    """What a process and all that it started hold on to. `segments` are Linux's alone: elsewhere none are seen."""

    folders: tuple[Path, ...] = ()
    processes: tuple[Trace, ...] = ()
    ports: frozenset[int] = frozenset()
    segments: frozenset[str] = frozenset()
    """Shared memory: a path, or `System V 7`."""

    def left(self) -> list[str]:
        """What of it is still there, in words."""
        return [
            *(f"{one.name} still runs as process {one.pid}" for one in self.processes if one.find()),
            *(f"something still listens on port {port}" for port in sorted(self.ports) if is_open(port)),
            *(f"the folder {folder} is still there" for folder in self.folders if folder.exists()),
            *(f"the shared memory {name} is still there" for name in sorted(self.segments) if _exists(name)),
        ]


def footprint(root: int, folders: Iterable[Path]) -> Footprint:
    """Of everything that process `root` has started, and of these folders; `root` itself is left out."""
    started = psutil.Process(root).children(recursive=True)
    traces = [(process, trace) for process in started if (trace := _trace(process))]
    return Footprint(
        folders=tuple(folders),
        processes=tuple(trace for _, trace in traces),
        ports=frozenset(port for process, _ in traces for port in _listening(process)),
        segments=frozenset(segment for process, _ in traces for segment in _mapped(process))
        | _system_v({process.pid for process, _ in traces}),
    )


def _trace(process: psutil.Process) -> Trace | None:
    with contextlib.suppress(psutil.Error):
        return Trace.of(process.name(), process.pid)
    return None


def _listening(process: psutil.Process) -> list[int]:
    with contextlib.suppress(psutil.Error):
        return [one.laddr.port for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    return []


def _mapped(process: psutil.Process) -> list[str]:
    maps = Path(f"/proc/{process.pid}/maps")
    with contextlib.suppress(OSError):
        return [line[line.index(_SHARED_MEMORY) :] for line in maps.read_text().splitlines() if _SHARED_MEMORY in line]
    return []


def _system_v(creators: set[int]) -> set[str]:
    """proc(5): the second column is the segment's id, the fifth the process that made it."""
    with contextlib.suppress(OSError):
        rows = [line.split() for line in _SYSTEM_V.read_text().splitlines()[1:]]
        return {f"System V {row[1]}" for row in rows if int(row[4]) in creators}
    return set()


def _exists(segment: str) -> bool:
    if segment.startswith(_SHARED_MEMORY):
        return Path(segment).exists()
    number = segment.rpartition(" ")[2]
    return any(line.split()[1] == number for line in _SYSTEM_V.read_text().splitlines()[1:])
