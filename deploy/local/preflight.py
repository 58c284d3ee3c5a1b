"""Looks before the house starts: can this machine carry it? In words that say what to do."""

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

_MEGABYTE = 1024 * 1024
MEMORY_NEEDED_MB = 1_600
MEMORY_LEAST_MB = 900
DISK_NEEDED_MB = 2_000
DISK_LEAST_MB = 500


@dataclass(frozen=True)
class Finding:
    """Something about this machine that the user should know. `stops`: the house cannot start like this."""

    text: str
    stops: bool


@dataclass(frozen=True)
class Machine:
    """What matters about a machine."""

    system: str
    processor: str
    python: tuple[int, int]
    libc: str
    memory_mb: int
    """Free for use now, in MB."""
    disk_mb: int
    """Free at the data folder, in MB."""

    @classmethod
    def here(cls, folder: Path) -> "Machine":
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        return cls(
            system=platform.system(),
            processor=platform.machine().lower(),
            python=sys.version_info[:2],
            libc=platform.libc_ver()[0] if sys.platform.startswith("linux") else "",
            memory_mb=psutil.virtual_memory().available // _MEGABYTE,
            disk_mb=shutil.disk_usage(existing).free // _MEGABYTE,
        )


def inspect(machine: Machine, folder: Path, *, engines_needed: bool = True) -> list[Finding]:
    """What speaks against starting on this machine, or makes it slow."""
    findings: list[Finding] = []
    if machine.python < (3, 11):
        version = ".".join(map(str, machine.python))
        findings.append(Finding(f"Python {version} runs this; 3.11 or newer is needed. Run `make setup`.", True))
    if engines_needed:
        findings += _platform(machine)
    findings += _scarce(
        machine.memory_mb,
        MEMORY_LEAST_MB,
        MEMORY_NEEDED_MB,
        "memory",
        "Close something, or give the machine more",
    )
    findings += _scarce(
        machine.disk_mb, DISK_LEAST_MB, DISK_NEEDED_MB, f"disk at {folder}", "Make room, or `make down CLEAN=1`"
    )
    return findings


def _platform(machine: Machine) -> list[Finding]:
    known = machine.system in ("Linux", "Darwin") and machine.processor in ("x86_64", "amd64", "aarch64", "arm64")
    if not known:
        return [
            Finding(
                "The embedded Postgres and Java come for Linux and macOS on x86_64 and arm64, not for "
                f"{machine.system} on {machine.processor}. Point STILLWATER_DATABASE_URL and STILLWATER_KAFKA at "
                "engines of your own; on Windows, use WSL 2.",
                True,
            )
        ]
    if machine.system == "Linux" and machine.libc != "glibc":
        return [
            Finding(
                "The embedded engines are built for glibc, and this Linux has another C library (Alpine?). "
                "Use a Debian-like system, or engines of your own.",
                True,
            )
        ]
    return []


def _scarce(free: int, least: int, needed: int, what: str, remedy: str) -> list[Finding]:
    if free < least:
        return [Finding(f"{free} MB of {what} are free; {needed} MB are needed. {remedy}.", True)]
    if free < needed:
        return [Finding(f"{free} MB of {what} are free, {needed} MB would be better. {remedy}.", False)]
    return []
