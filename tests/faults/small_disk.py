"""A small file system under the clinic's tables, so that it can be filled. Needs Linux and the right to mount."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from deploy.local.engines import Engines

_MEGABYTES = 300
_TABLESPACE = "small"


class SmallDisk:
    """Holds every table and index; the write-ahead log lies elsewhere."""

    def __init__(self) -> None:
        self._place: Path | None = None

    @property
    def there(self) -> bool:
        return self._place is not None

    async def put_under(self, engines: Engines) -> None:
        """Before there is any table. Where nothing can be mounted, tables stay on the machine's own disk."""
        assert engines.postgres
        place = engines.postgres.folder.parent / "small-disk"
        place.mkdir()
        if sys.platform != "linux":
            return
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "stillwater-trial", str(place)]
        mounted = await asyncio.to_thread(subprocess.run, mounting, capture_output=True, check=False)
        if mounted.returncode:
            return
        self._place = place
        if account := engines.postgres.account:
            os.chown(place, account.uid, account.gid)
        place.chmod(0o700)
        admin = await asyncpg.connect(engines.admin_dsn)
        try:
            await admin.execute(f"CREATE TABLESPACE {_TABLESPACE} LOCATION '{place}'")
            await admin.execute(f"GRANT CREATE ON TABLESPACE {_TABLESPACE} TO PUBLIC")
            await admin.execute(f"ALTER DATABASE stillwater SET default_tablespace = {_TABLESPACE}")
        finally:
            await admin.close()

    def take_away(self) -> None:
        """After Postgres has stopped."""
        if self._place is not None:
            subprocess.run(["umount", "-l", str(self._place)], capture_output=True, check=False)

    @contextmanager
    def filled(self) -> Generator[None]:
        """Not a byte is free until the block ends."""
        assert self._place is not None
        ballast = self._place / "ballast"
        with ballast.open("wb", buffering=0) as file:
            piece = b"\0" * 4096
            while True:
                try:
                    file.write(piece * 256)
                except OSError:
                    break
        try:
            yield
        finally:
            ballast.unlink()
