"""Child processes that never outlive us, and whose last words are kept."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from deploy.local.places import Account

LOG_LIMIT = 8 * 1024 * 1024
_PR_SET_PDEATHSIG = 1


class StartError(Exception):
    """Something did not start. The text says what, and where to read more."""


class Child:
    """One process we started, the leader of a process group of its own.

    A Ctrl-C in the terminal therefore reaches only us, and we decide the order of stopping. Where Linux can
    promise it, the kernel sends `farewell` to the child when we die ourselves without saying goodbye.
    """

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(
        cls,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str],
        account: Account | None = None,
        farewell: signal.Signals = signal.SIGKILL,
        folder: Path | None = None,
    ) -> "Child":
        """Starts it with standard output and error appended to `log`. Call from the main thread:
        the kernel's promise is bound to the thread that starts the child."""
        with _open_log(log) as output:
            process = await asyncio.create_subprocess_exec(
                *(str(argument) for argument in argv),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(env),
                cwd=folder,
                start_new_session=True,
                preexec_fn=_die_with_parent(farewell),
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; minus the signal's number where a signal ended it."""
        return self._process.returncode

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process alone, not to what it started."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self, *requests: tuple[signal.Signals, float]) -> bool:
        """Asks to end by one signal after another, each with a grace period in seconds, then kills the group.

        True if it ended by itself before it had to be killed.
        """
        gently = not self.running
        for number, grace in requests:
            self.send(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace)
                gently = True
                break
        await self.kill()
        return gently

    async def kill(self) -> None:
        """SIGKILL to the process and to all that it left behind in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8_192))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        return ""


def _open_log(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")


def _die_with_parent(farewell: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(farewell), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_the_kernel


async def run_to_end(
    name: str,
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    account: Account | None = None,
) -> None:
    """Runs a program to its end. Raises StartError with its last words if it fails."""
    child = await Child.start(name, argv, log=log, env=env, account=account)
    try:
        code = await child.wait()
    except asyncio.CancelledError:
        await child.kill()
        raise
    if code:
        raise StartError(f"{name} failed with code {code}. Its log is {log}:\n{child.last_words()}")
