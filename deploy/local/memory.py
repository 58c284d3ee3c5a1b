"""Memory in proportional set size: pages that processes share are counted once between them."""

import contextlib
from pathlib import Path

import psutil


def pss_by_process(root: int) -> dict[str, int]:
    """PSS in bytes of a process and all its descendants, by name and pid.

    Read from /proc, so Linux only; elsewhere the resident set stands in, which counts shared pages for everyone.
    """
    ancestor = psutil.Process(root)
    sizes: dict[str, int] = {}
    for process in (ancestor, *ancestor.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            sizes[f"{_title(process)} {process.pid}"] = _pss(process)
    return sizes


def _pss(process: psutil.Process) -> int:
    rollup = Path(f"/proc/{process.pid}/smaps_rollup")
    if not rollup.exists():
        return process.memory_info().rss
    for line in rollup.read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _title(process: psutil.Process) -> str:
    """`python -m intake` is "intake"; the rest go by their program's name."""
    words = process.cmdline()
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    return process.name()
